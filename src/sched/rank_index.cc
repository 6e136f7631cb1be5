#include "sched/rank_index.h"

#include <algorithm>
#include <bit>
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
  if (bucket->nodes.empty()) ++empty_buckets_;
  bucket_of_[slot] = nullptr;
}

void RankClass::Move(Slot slot, Position from, Position to) {
  if (slot >= bucket_of_.size() || bucket_of_[slot] == nullptr) return;
  RankBucket& bucket = *bucket_of_[slot];
  bucket.nodes.Insert(to);
  bucket.nodes.Erase(from);
  Touch(bucket, NumberOf(bucket.rank), to);
}

std::size_t RankClass::NumberOf(std::int64_t rank) {
  const auto at = std::lower_bound(ranks_.begin(), ranks_.end(), rank);
  const auto number = static_cast<std::size_t>(at - ranks_.begin());
  if (at != ranks_.end() && *at == rank) return number;
  auto bucket = std::make_unique<RankBucket>();
  bucket->rank = rank;
  ++empty_buckets_;
  buckets_.insert(buckets_.begin() + (at - ranks_.begin()), std::move(bucket));
  ranks_.insert(at, rank);
  OpenAll();
  return number;
}

void RankClass::Touch(RankBucket& bucket, std::size_t number, Position position) {
  for (Position& hint : bucket.hints) hint = std::min(hint, position);
  const std::uint64_t bit = std::uint64_t{1} << (number % kWordBits);
  for (std::uint64_t& open : open_[number / kWordBits]) open |= bit;
}

void RankClass::OpenAll() {
  OpenWords all;
  all.fill(~std::uint64_t{0});
  open_.assign((buckets_.size() + kWordBits - 1) / kWordBits, all);
}

void RankClass::DropEmptyBuckets() {
  std::erase_if(buckets_, [](const auto& bucket) { return bucket->nodes.empty(); });
  ranks_.clear();
  for (const auto& bucket : buckets_) ranks_.push_back(bucket->rank);
  empty_buckets_ = 0;
  OpenAll();
}

std::size_t RankClass::NextBucket(std::size_t from, std::size_t hint) const {
  std::size_t word = from / kWordBits;
  if (word >= open_.size()) return buckets_.size();
  std::uint64_t bits = open_[word][hint] & (~std::uint64_t{0} << (from % kWordBits));
  while (bits == 0) {
    if (++word == open_.size()) return buckets_.size();
    bits = open_[word][hint];
  }
  return std::min(word * kWordBits + static_cast<std::size_t>(std::countr_zero(bits)),
                  buckets_.size());
}

void RankClass::Exhausted(std::size_t number, std::size_t hint) {
  buckets_[number]->hints[hint] = kNoPosition;
  open_[number / kWordBits][hint] &= ~(std::uint64_t{1} << (number % kWordBits));
}

void RankClass::Place(Slot slot) {
  const IndexedNode& node = nodes_[slot];
  if (node.position == kNoPosition) return;  // Remove was called when it lost its position
  const std::optional<std::int64_t> rank = strategy_.Rank(node.usage, request_);
  RankBucket* bucket = bucket_of_[slot];
  if (!rank || (bucket != nullptr && bucket->rank != *rank)) Remove(slot, node.position);
  if (!rank) return;
  const std::size_t number = NumberOf(*rank);
  bucket = buckets_[number].get();
  if (bucket_of_[slot] == nullptr) {
    if (bucket->nodes.empty()) --empty_buckets_;
    bucket->nodes.Insert(node.position);
    bucket_of_[slot] = bucket;
  }
  // Whatever changed may have made the node fit for a query that had passed it.
  Touch(*bucket, number, node.position);
}

void RankClass::Refresh() {
  for (const Slot slot : notes_) {
    noted_[slot] = 0;
    Place(slot);
  }
  notes_.clear();
  if (empty_buckets_ > kMaxEmptyBuckets && empty_buckets_ > buckets_.size() / 2) DropEmptyBuckets();
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
  for (const auto& bucket : buckets_) bucket->hints[oldest] = 0;
  for (OpenWords& open : open_) open[oldest] = ~std::uint64_t{0};
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
    live_.erase(std::min_element(
        live_.begin(), live_.end(),
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
