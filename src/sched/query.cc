#include "sched/query.h"

#include <algorithm>
#include <bit>

namespace swarm {
namespace {

bool Holds(const std::uint64_t* words, std::size_t size, Position position) {
  const std::size_t word = position / kWordBits;
  return word < size && (words[word] >> (position % kWordBits) & 1) != 0;
}

std::size_t CountBits(const std::uint64_t* words, std::size_t size) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < size; ++i) count += static_cast<std::size_t>(std::popcount(words[i]));
  return count;
}

// In blocks of a known length, which compilers turn into vector instructions.
template <typename Operation>
void Combine(std::uint64_t* __restrict to, const std::uint64_t* __restrict from, std::size_t count,
             Operation operation) {
  constexpr std::size_t kBlock = 8;
  std::size_t word = 0;
  for (; word + kBlock <= count; word += kBlock) {
    for (std::size_t i = 0; i < kBlock; ++i) to[word + i] = operation(to[word + i], from[word + i]);
  }
  for (; word < count; ++word) to[word] = operation(to[word], from[word]);
}

#if defined(__x86_64__)
// Without this the compiler counts bits by a table: the build is for every x86-64 processor.
__attribute__((target("popcnt"))) std::size_t CountBitsByInstruction(const std::uint64_t* words,
                                                                     std::size_t size) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < size; ++i) {
    count += static_cast<std::size_t>(__builtin_popcountll(words[i]));
  }
  return count;
}

std::size_t CountAllBits(const std::uint64_t* words, std::size_t size) {
  static const bool kHasInstruction = __builtin_cpu_supports("popcnt") != 0;
  return kHasInstruction ? CountBitsByInstruction(words, size) : CountBits(words, size);
}
#else
std::size_t CountAllBits(const std::uint64_t* words, std::size_t size) {
  return CountBits(words, size);
}
#endif

}  // namespace

void Query::Clear() {
  impossible_ = false;
  inside_dense_.clear();
  inside_lists_.clear();
  outside_dense_.clear();
  outside_lists_.clear();
  checks_.clear();
  own_used_ = 0;
  fitting_.clear();
}

PositionSet& Query::NewSet() {
  if (own_used_ == own_.size()) own_.emplace_back();
  PositionSet& set = own_[own_used_++];
  set = PositionSet();
  return set;
}

void Query::Add(const NodeSelection& selection) {
  const bool empty = selection.nodes == nullptr || selection.nodes->empty();
  if (empty) {
    if (!selection.inverted) impossible_ = true;
  } else if (selection.nodes->dense()) {
    (selection.inverted ? outside_dense_ : inside_dense_).push_back(WordsOf(*selection.nodes));
  } else {
    (selection.inverted ? outside_lists_ : inside_lists_).push_back(selection.nodes);
  }
}

bool Query::PassesRest(Position position) const {
  for (const PositionSet* nodes : outside_lists_) {
    if (nodes->Contains(position)) return false;
  }
  if (checks_.empty()) return true;
  const Slot slot = order_.SlotAt(position);
  for (const Check& check : checks_) {
    if (!check(slot)) return false;
  }
  return true;
}

bool Query::Passes(Position position) const {
  for (const PositionSet* nodes : inside_lists_) {
    if (!nodes->Contains(position)) return false;
  }
  for (const Words& nodes : inside_dense_) {
    if (!Holds(nodes.data, nodes.size, position)) return false;
  }
  for (const Words& nodes : outside_dense_) {
    if (Holds(nodes.data, nodes.size, position)) return false;
  }
  return PassesRest(position);
}

const PositionSet* Query::SmallestList() const {
  const PositionSet* smallest = nullptr;
  for (const PositionSet* nodes : inside_lists_) {
    if (smallest == nullptr || nodes->size() < smallest->size()) smallest = nodes;
  }
  return smallest;
}

std::size_t Query::Reach(const PositionSet& nodes) const {
  std::size_t reach = nodes.words().size();
  for (const Words& inside : inside_dense_) reach = std::min(reach, inside.size);
  return reach;
}

std::uint64_t Query::WordAt(const std::uint64_t* nodes, std::size_t word) const {
  std::uint64_t bits = nodes[word];
  for (const Words& inside : inside_dense_) bits &= inside.data[word];
  if (bits == 0) return 0;
  for (const Words& outside : outside_dense_) {
    if (word < outside.size) bits &= ~outside.data[word];
  }
  return bits;
}

Position Query::FirstIn(const PositionSet& nodes, Position from) const {
  if (!nodes.dense()) {
    const std::vector<Position>& list = nodes.list();
    for (auto at = std::lower_bound(list.begin(), list.end(), from); at != list.end(); ++at) {
      if (Passes(*at)) return *at;
    }
    return kNoPosition;
  }
  const std::size_t words = Reach(nodes);
  const std::uint64_t* const data = nodes.words().data();
  std::size_t word = from / kWordBits;
  if (word >= words) return kNoPosition;
  std::uint64_t bits = WordAt(data, word) & (~std::uint64_t{0} << (from % kWordBits));
  for (;;) {
    for (; bits != 0; bits &= bits - 1) {
      const auto position =
          static_cast<Position>(word * kWordBits) + static_cast<Position>(std::countr_zero(bits));
      if (PassesRest(position)) return position;
    }
    if (++word == words) return kNoPosition;
    bits = WordAt(data, word);
  }
}

Slot Query::First(RankClass& ranks, std::size_t hint) {
  if (impossible_) return kNoSlot;
  // Each of many would be asked about each node.
  constexpr std::size_t kFewLists = 64;
  if (outside_lists_.size() > kFewLists) LayOpenLists();
  if (const PositionSet* const list = SmallestList()) {
    const RankBucket* best = nullptr;
    Position best_position = kNoPosition;
    for (const Position position : list->list()) {
      const RankBucket* const bucket = ranks.BucketOf(order_.SlotAt(position));
      if (bucket == nullptr || (best != nullptr && bucket->rank >= best->rank) || !Passes(position))
        continue;
      best = bucket;
      best_position = position;
    }
    return best == nullptr ? kNoSlot : order_.SlotAt(best_position);
  }
  if (hint == kNoHint) {
    for (const auto& bucket : ranks.buckets()) {
      const Position found = FirstIn(bucket->nodes, 0);
      if (found != kNoPosition) return order_.SlotAt(found);
    }
    return kNoSlot;
  }
  const std::size_t end = ranks.buckets().size();
  for (std::size_t number = ranks.NextBucket(0, hint); number < end;
       number = ranks.NextBucket(number + 1, hint)) {
    RankBucket& bucket = ranks.bucket(number);
    const Position found = FirstIn(bucket.nodes, bucket.hints[hint]);
    if (found != kNoPosition) {
      bucket.hints[hint] = found;
      return order_.SlotAt(found);
    }
    ranks.Exhausted(number, hint);
  }
  return kNoSlot;
}

void Query::LayOpenLists() {
  if (outside_lists_.empty()) return;
  Position last = 0;
  for (const PositionSet* nodes : outside_lists_) last = std::max(last, nodes->list().back());
  laid_open_.assign(last / kWordBits + 1, 0);
  for (const PositionSet* nodes : outside_lists_) {
    for (const Position position : nodes->list()) {
      laid_open_[position / kWordBits] |= std::uint64_t{1} << (position % kWordBits);
    }
  }
  outside_lists_.clear();
  outside_dense_.push_back({laid_open_.data(), laid_open_.size()});
}

std::size_t Query::CountFitting(RankClass& ranks) {
  fitting_.clear();
  words_.clear();
  if (impossible_) return 0;
  if (const PositionSet* const list = SmallestList()) {
    for (const Position position : list->list()) {
      if (ranks.BucketOf(order_.SlotAt(position)) != nullptr && Passes(position))
        fitting_.push_back(position);
    }
    return fitting_.size();
  }
  const bool one_bucket = ranks.buckets().size() == 1;
  if (one_bucket && checks_.empty() && ranks.buckets()[0]->nodes.dense()) {
    const PositionSet& nodes = ranks.buckets()[0]->nodes;
    LayOpenLists();
    words_.assign(nodes.words().begin(),
                  nodes.words().begin() + static_cast<std::ptrdiff_t>(Reach(nodes)));
    for (const Words& inside : inside_dense_) {
      Combine(words_.data(), inside.data, words_.size(),
              [](std::uint64_t a, std::uint64_t b) { return a & b; });
    }
    for (const Words& outside : outside_dense_) {
      Combine(words_.data(), outside.data, std::min(outside.size, words_.size()),
              [](std::uint64_t a, std::uint64_t b) { return a & ~b; });
    }
    return CountAllBits(words_.data(), words_.size());
  }
  for (const auto& bucket : ranks.buckets()) {
    for (Position at = FirstIn(bucket->nodes, 0); at != kNoPosition;
         at = FirstIn(bucket->nodes, at + 1)) {
      fitting_.push_back(at);
    }
  }
  if (!one_bucket) std::sort(fitting_.begin(), fitting_.end());
  return fitting_.size();
}

Slot Query::FittingAt(std::size_t index) const {
  if (!fitting_.empty()) return order_.SlotAt(fitting_[index]);
  constexpr std::size_t kStride = 64;
  std::size_t begin = 0;
  for (; begin + kStride < words_.size(); begin += kStride) {
    const std::size_t in_stride = CountAllBits(words_.data() + begin, kStride);
    if (index < in_stride) break;
    index -= in_stride;
  }
  for (std::size_t word = begin; word < words_.size(); ++word) {
    const auto in_word = static_cast<std::size_t>(std::popcount(words_[word]));
    if (index >= in_word) {
      index -= in_word;
      continue;
    }
    std::uint64_t bits = words_[word];
    for (; index > 0; --index) bits &= bits - 1;
    return order_.SlotAt(static_cast<Position>(word * kWordBits) +
                         static_cast<Position>(std::countr_zero(bits)));
  }
  return kNoSlot;
}

}  // namespace swarm
