// Nodes by rank, once for each amount of resources that is asked for again and again.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "sched/node_table.h"
#include "sched/position_set.h"
#include "swarmlib/model.h"
#include "swarmlib/strategy.h"

namespace swarm {

inline constexpr std::size_t kMaxRankClasses = 16;  // live requests; the one unused longest goes first
inline constexpr std::size_t kHintsPerClass = 16;   // queries of a class that remember where they stopped
inline constexpr std::size_t kNoHint = SIZE_MAX;

// The nodes of one rank. hints[h]: before this position no node of the bucket satisfies query h.
struct RankBucket {
  std::int64_t rank = 0;
  PositionSet nodes;
  std::array<Position, kHintsPerClass> hints{};
};

// The candidates of one request, in buckets of equal rank. Changes are noted when they happen and carried out when
// the class is next used, so that a class costs nothing while nobody asks for it.
class RankClass {
 public:
  RankClass(const Resources& request, const NodeTable& nodes, const Strategy& strategy);

  const Resources& request() const { return request_; }

  // The node's usage, or what a query may see of it, has changed.
  void Note(Slot slot);
  // The node is no candidate any more; it still has its position.
  void Remove(Slot slot, Position position);
  void Move(Slot slot, Position from, Position to);

  // Carries out what was noted.
  void Refresh();

  // Lowest rank first. Valid until the next Refresh.
  std::map<std::int64_t, RankBucket>& buckets() { return buckets_; }
  // Null when the request does not fit there.
  const RankBucket* BucketOf(Slot slot) const { return bucket_of_[slot]; }

  // The hint of query `owner`, taken from the query that used its own longest ago if none is free.
  std::size_t HintFor(std::uint64_t owner);

 private:
  void Place(Slot slot);

  const Resources request_;
  const NodeTable& nodes_;
  const Strategy& strategy_;
  std::map<std::int64_t, RankBucket> buckets_;
  std::vector<RankBucket*> bucket_of_;  // by slot
  std::vector<char> noted_;             // by slot
  std::vector<Slot> notes_;
  struct HintOwner {
    std::uint64_t query = 0;
    std::uint64_t used = 0;
  };
  std::array<HintOwner, kHintsPerClass> owners_;
  std::uint64_t clock_ = 0;
};

// The live classes of one strategy.
class RankIndex {
 public:
  // Both outlive this.
  RankIndex(const NodeTable& nodes, const Strategy& strategy) : nodes_(nodes), strategy_(strategy) {}

  // The class of a request, up to date. Made at the cost of one look at each node when it is not live.
  RankClass& ClassFor(const Resources& request);

  void Note(Slot slot);
  void Remove(Slot slot, Position position);
  void Move(Slot slot, Position from, Position to);

 private:
  struct Live {
    std::unique_ptr<RankClass> ranks;
    std::uint64_t used = 0;
  };

  const NodeTable& nodes_;
  const Strategy& strategy_;
  std::vector<Live> live_;
  std::uint64_t clock_ = 0;
};

}  // namespace swarm
