// Nodes by rank, once for each amount of resources that is asked for again and again.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "sched/node_table.h"
#include "sched/position_set.h"
#include "swarmlib/model.h"
#include "swarmlib/strategy.h"

namespace swarm {

inline constexpr std::size_t kMaxRankClasses =
    16;  // live requests; the one unused longest goes first
inline constexpr std::size_t kHintsPerClass =
    16;  // queries of a class that remember where they stopped
inline constexpr std::size_t kMaxEmptyBuckets =
    256;  // kept beside those in use, to be filled again
inline constexpr std::size_t kNoHint = SIZE_MAX;

// The nodes of one rank. hints[h]: before this position no node of the bucket satisfies query h.
struct RankBucket {
  std::int64_t rank = 0;
  PositionSet nodes;
  std::array<Position, kHintsPerClass> hints{};
};

// The candidates of one request, in buckets of equal rank. Changes are noted when they happen and
// carried out when the class is next used, so that a class costs nothing while nobody asks for it.
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

  // Lowest rank first; some may be empty. Valid until the next Refresh.
  const std::vector<std::unique_ptr<RankBucket>>& buckets() const { return buckets_; }
  // Null when the request does not fit there.
  const RankBucket* BucketOf(Slot slot) const { return bucket_of_[slot]; }

  // The hint of query `owner`, taken from the query that used its own longest ago if none is free.
  std::size_t HintFor(std::uint64_t owner);

  // The first bucket from number `from` on that may hold a node for the query of that hint;
  // buckets().size() when there is none. Buckets that Exhausted named are passed over until one of
  // their nodes changes.
  std::size_t NextBucket(std::size_t from, std::size_t hint) const;
  RankBucket& bucket(std::size_t number) { return *buckets_[number]; }
  void Exhausted(std::size_t number, std::size_t hint);

 private:
  // For 64 buckets, by hint: which of them may hold a node.
  using OpenWords = std::array<std::uint64_t, kHintsPerClass>;

  void Place(Slot slot);
  std::size_t NumberOf(std::int64_t rank);
  void Touch(RankBucket& bucket, std::size_t number, Position position);
  void DropEmptyBuckets();
  void OpenAll();

  const Resources request_;
  const NodeTable& nodes_;
  const Strategy& strategy_;
  std::vector<std::int64_t> ranks_;                   // of buckets_, for the search
  std::vector<std::unique_ptr<RankBucket>> buckets_;  // by rank
  std::vector<OpenWords> open_;
  std::size_t empty_buckets_ = 0;
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
  RankIndex(const NodeTable& nodes, const Strategy& strategy)
      : nodes_(nodes), strategy_(strategy) {}

  // The class of a request, up to date. Made at the cost of one look at each node when it is not
  // live.
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
