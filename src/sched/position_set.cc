#include "sched/position_set.h"

#include <algorithm>
#include <bit>

namespace swarm {
namespace {

std::uint64_t BitOf(Position position) { return std::uint64_t{1} << (position % kWordBits); }

}  // namespace

void PositionSet::Insert(Position position) {
  if (dense_) {
    const std::size_t word = position / kWordBits;
    if (word >= words_.size()) words_.resize(word + 1);
    const std::uint64_t bit = BitOf(position);
    if ((words_[word] & bit) == 0) ++size_;
    words_[word] |= bit;
    return;
  }
  const auto at = std::lower_bound(list_.begin(), list_.end(), position);
  if (at != list_.end() && *at == position) return;
  list_.insert(at, position);
  ++size_;
  if (size_ > kMaxList) MakeDense();
}

void PositionSet::Erase(Position position) {
  if (dense_) {
    const std::size_t word = position / kWordBits;
    if (word >= words_.size() || (words_[word] & BitOf(position)) == 0) return;
    words_[word] &= ~BitOf(position);
    --size_;
    if (size_ < kMaxList / 4) MakeList();
    return;
  }
  const auto at = std::lower_bound(list_.begin(), list_.end(), position);
  if (at == list_.end() || *at != position) return;
  list_.erase(at);
  --size_;
}

bool PositionSet::Contains(Position position) const {
  if (dense_) {
    const std::size_t word = position / kWordBits;
    return word < words_.size() && (words_[word] & BitOf(position)) != 0;
  }
  return std::binary_search(list_.begin(), list_.end(), position);
}

Position PositionSet::NextFrom(Position from) const {
  if (!dense_) {
    const auto at = std::lower_bound(list_.begin(), list_.end(), from);
    return at == list_.end() ? kNoPosition : *at;
  }
  std::size_t word = from / kWordBits;
  if (word >= words_.size()) return kNoPosition;
  std::uint64_t bits = words_[word] & ~(BitOf(from) - 1);
  while (bits == 0) {
    if (++word == words_.size()) return kNoPosition;
    bits = words_[word];
  }
  return static_cast<Position>(word * kWordBits) + static_cast<Position>(std::countr_zero(bits));
}

void PositionSet::MakeDense() {
  words_.assign(list_.back() / kWordBits + 1, 0);
  for (const Position position : list_) words_[position / kWordBits] |= BitOf(position);
  list_ = {};
  dense_ = true;
}

void PositionSet::MakeList() {
  std::vector<Position> list;
  list.reserve(kMaxList);
  for (Position at = NextFrom(0); at != kNoPosition; at = NextFrom(at + 1)) list.push_back(at);
  list_ = std::move(list);
  words_ = {};
  dense_ = false;
}

}  // namespace swarm
