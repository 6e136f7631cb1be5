#include "sched/rank_index.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace swarm {

RankClass::RankClass(const Resources& request, const NodeTable& nodes, const Strategy& strategy)
    : request_(request), nodes_(nodes), strategy_(strategy) {
  bucket_of_.resize(nodes_.size());
  noted_.resize(nodes_.size());
  for (Slot slot = 0; slot < nodes_.size(); ++slot) {
    if (nodes_[slot].position != kNoPosition) Place(slot);
  }
}

void RankClass::Note(Slot slot) {
  if (slot >= noted_.size()) {
    noted_.resize(nodes_.size());
    bucket_of_.resize(nodes_.size());
  }
  if (noted_[slot] != 0) return;
  noted_[slot] = 1;
  notes_.push_back(slot);
}

void RankClass::Remove(Slot slot, Position position) {
  if (slot >= bucket_of_.size() || bucket_of_[slot] == nullptr) return;
  RankBucket* const bucket = bucket_of_[slot];
  bucket->nodes.Erase(position);
  if (bucket->nodes.empty()) buckets_.erase(bucket->rank);
  bucket_of_[slot] = nullptr;
}

void RankClass::Move(Slot slot, Position from, Position to) {
  if (slot >= bucket_of_.size() || bucket_of_[slot] == nullptr) return;
  RankBucket& bucket = *bucket_of_[slot];
  bucket.nodes.Insert(to);
  bucket.nodes.Erase(from);
  for (Position& hint : bucket.hints) hint = std::min(hint, to);
}

void RankClass::Place(Slot slot) {
  const IndexedNode& node = nodes_[slot];
  if (node.position == kNoPosition) return;  // Remove was called when it lost its position
  const std::optional<std::int64_t> rank = strategy_.Rank(node.usage, request_);
  RankBucket* bucket = bucket_of_[slot];
  if (bucket == nullptr || !rank || bucket->rank != *rank) {
    Remove(slot, node.position);
    if (!rank) return;
    bucket = &buckets_[*rank];
    bucket->rank = *rank;
    bucket->nodes.Insert(node.position);
    bucket_of_[slot] = bucket;
  }
  // Whatever changed may have made the node fit for a query that had passed it.
  for (Position& hint : bucket->hints) hint = std::min(hint, node.position);
}

void RankClass::Refresh() {
  for (const Slot slot : notes_) {
    noted_[slot] = 0;
    Place(slot);
  }
  notes_.clear();
}

std::size_t RankClass::HintFor(std::uint64_t owner) {
  ++clock_;
  std::size_t oldest = 0;
  for (std::size_t i = 0; i < owners_.size(); ++i) {
    if (owners_[i].query == owner) {
      owners_[i].used = clock_;
      return i;
    }
    if (owners_[i].used < owners_[oldest].used) oldest = i;
  }
  owners_[oldest] = {owner, clock_};
  for (auto& [rank, bucket] : buckets_) bucket.hints[oldest] = 0;
  return oldest;
}

RankClass& RankIndex::ClassFor(const Resources& request) {
  ++clock_;
  for (Live& live : live_) {
    if (live.ranks->request() != request) continue;
    live.used = clock_;
    live.ranks->Refresh();
    return *live.ranks;
  }
  if (live_.size() >= kMaxRankClasses) {
    live_.erase(std::min_element(live_.begin(), live_.end(),
                                 [](const Live& left, const Live& right) { return left.used < right.used; }));
  }
  live_.push_back({std::make_unique<RankClass>(request, nodes_, strategy_), clock_});
  return *live_.back().ranks;
}

void RankIndex::Note(Slot slot) {
  for (const Live& live : live_) live.ranks->Note(slot);
}

void RankIndex::Remove(Slot slot, Position position) {
  for (const Live& live : live_) live.ranks->Remove(slot, position);
}

void RankIndex::Move(Slot slot, Position from, Position to) {
  for (const Live& live : live_) live.ranks->Move(slot, from, to);
}

}  // namespace swarm
