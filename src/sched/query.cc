#include "sched/query.h"

#include <algorithm>
#include <bit>

namespace swarm {
namespace {

constexpr Position kWordBits = 64;

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
  if (selection.inverted) {
    if (!empty) (selection.nodes->dense() ? outside_dense_ : outside_lists_).push_back(selection.nodes);
    return;
  }
  if (empty) {
    impossible_ = true;
  } else {
    (selection.nodes->dense() ? inside_dense_ : inside_lists_).push_back(selection.nodes);
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
  for (const PositionSet* nodes : inside_dense_) {
    if (!nodes->Contains(position)) return false;
  }
  for (const PositionSet* nodes : outside_dense_) {
    if (nodes->Contains(position)) return false;
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

std::uint64_t Query::WordAt(const PositionSet& nodes, std::size_t word) const {
  std::uint64_t bits = nodes.words()[word];
  for (const PositionSet* inside : inside_dense_) {
    bits &= word < inside->words().size() ? inside->words()[word] : 0;
  }
  for (const PositionSet* outside : outside_dense_) {
    if (word < outside->words().size()) bits &= ~outside->words()[word];
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
  const std::size_t words = nodes.words().size();
  std::size_t word = from / kWordBits;
  if (word >= words) return kNoPosition;
  std::uint64_t bits = WordAt(nodes, word) & (~std::uint64_t{0} << (from % kWordBits));
  for (;;) {
    for (; bits != 0; bits &= bits - 1) {
      const auto position =
          static_cast<Position>(word * kWordBits) + static_cast<Position>(std::countr_zero(bits));
      if (PassesRest(position)) return position;
    }
    if (++word == words) return kNoPosition;
    bits = WordAt(nodes, word);
  }
}

Slot Query::First(RankClass& ranks, std::size_t hint) const {
  if (impossible_) return kNoSlot;
  if (const PositionSet* const list = SmallestList()) {
    const RankBucket* best = nullptr;
    Position best_position = kNoPosition;
    for (const Position position : list->list()) {
      const RankBucket* const bucket = ranks.BucketOf(order_.SlotAt(position));
      if (bucket == nullptr || (best != nullptr && bucket->rank >= best->rank) || !Passes(position)) continue;
      best = bucket;
      best_position = position;
    }
    return best == nullptr ? kNoSlot : order_.SlotAt(best_position);
  }
  for (auto& [rank, bucket] : ranks.buckets()) {
    const Position found = FirstIn(bucket.nodes, hint == kNoHint ? 0 : bucket.hints[hint]);
    if (hint != kNoHint) bucket.hints[hint] = found;
    if (found != kNoPosition) return order_.SlotAt(found);
  }
  return kNoSlot;
}

std::size_t Query::CountWords(const PositionSet& nodes) const {
  std::size_t count = 0;
  for (std::size_t word = 0; word < nodes.words().size(); ++word) {
    count += static_cast<std::size_t>(std::popcount(WordAt(nodes, word)));
  }
  return count;
}

std::size_t Query::CountFitting(RankClass& ranks) {
  fitting_.clear();
  if (impossible_ || ranks.buckets().empty()) return 0;
  const bool one_bucket = ranks.buckets().size() == 1;
  const PositionSet& first = ranks.buckets().begin()->second.nodes;
  if (one_bucket && first.dense() && inside_lists_.empty() && outside_lists_.empty() && checks_.empty()) {
    return CountWords(first);
  }
  if (const PositionSet* const list = SmallestList()) {
    for (const Position position : list->list()) {
      if (ranks.BucketOf(order_.SlotAt(position)) != nullptr && Passes(position)) fitting_.push_back(position);
    }
    return fitting_.size();
  }
  for (const auto& [rank, bucket] : ranks.buckets()) {
    for (Position at = FirstIn(bucket.nodes, 0); at != kNoPosition; at = FirstIn(bucket.nodes, at + 1)) {
      fitting_.push_back(at);
    }
  }
  if (!one_bucket) std::sort(fitting_.begin(), fitting_.end());
  return fitting_.size();
}

Slot Query::FittingAt(RankClass& ranks, std::size_t index) const {
  if (!fitting_.empty()) return order_.SlotAt(fitting_[index]);
  const PositionSet& nodes = ranks.buckets().begin()->second.nodes;
  std::size_t word = 0;
  std::uint64_t bits = WordAt(nodes, 0);
  for (auto in_word = static_cast<std::size_t>(std::popcount(bits)); in_word <= index;
       in_word = static_cast<std::size_t>(std::popcount(bits))) {
    index -= in_word;
    bits = WordAt(nodes, ++word);
  }
  for (; index > 0; --index) bits &= bits - 1;
  return order_.SlotAt(static_cast<Position>(word * kWordBits) + static_cast<Position>(std::countr_zero(bits)));
}

}  // namespace swarm
