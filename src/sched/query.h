// A search for the best node: sets that it must be in, sets that it must not be in, and what is left to ask.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include "sched/node_order.h"
#include "sched/node_table.h"
#include "sched/position_set.h"
#include "sched/rank_index.h"

namespace swarm {

// Filled by the scheduler, used once. The sets outlive it.
class Query {
 public:
  using Check = std::function<bool(Slot)>;

  Query(const NodeOrder& order) : order_(order) {}

  void Clear();
  void Add(const NodeSelection& selection);
  // A set made for this query; owned by it until Clear.
  PositionSet& NewSet();
  // Asked last, only of the nodes left. Many cheap indexed terms are better.
  void AddCheck(Check check) { checks_.push_back(std::move(check)); }

  // The best node, by rank, then position; kNoSlot when none fits. `hint` is kNoHint or the query's own number in
  // the class.
  Slot First(RankClass& ranks, std::size_t hint) const;

  // How many fit, and the one at `index` of these in the order of names.
  std::size_t CountFitting(RankClass& ranks);
  Slot FittingAt(RankClass& ranks, std::size_t index) const;

 private:
  bool Passes(Position position) const;      // every set and check
  bool PassesRest(Position position) const;  // what the dense sets do not say
  std::uint64_t WordAt(const PositionSet& nodes, std::size_t word) const;
  Position FirstIn(const PositionSet& nodes, Position from) const;
  const PositionSet* SmallestList() const;
  std::size_t CountWords(const PositionSet& nodes) const;

  const NodeOrder& order_;
  bool impossible_ = false;
  std::vector<const PositionSet*> inside_dense_;
  std::vector<const PositionSet*> inside_lists_;
  std::vector<const PositionSet*> outside_dense_;
  std::vector<const PositionSet*> outside_lists_;
  std::vector<Check> checks_;
  std::deque<PositionSet> own_;
  std::size_t own_used_ = 0;
  std::vector<Position> fitting_;  // of the last CountFitting, unless it counted words
};

}  // namespace swarm
