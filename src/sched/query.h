// A search for the best node: sets that it must be in, sets that it must not be in, and what is
// left to ask.
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

  explicit Query(const NodeOrder& order) : order_(order) {}

  void Clear();
  void Add(const NodeSelection& selection);
  // A set made for this query; owned by it until Clear.
  PositionSet& NewSet();
  // Asked last, only of the nodes left. Many cheap indexed terms are better.
  void AddCheck(Check check) { checks_.push_back(std::move(check)); }

  // The best node, by rank, then position; kNoSlot when none fits. `hint` is kNoHint or the query's
  // own number in the class.
  Slot First(RankClass& ranks, std::size_t hint);

  // How many fit, and the one at `index` of these in the order of names.
  std::size_t CountFitting(RankClass& ranks);
  Slot FittingAt(std::size_t index) const;

 private:
  bool Passes(Position position) const;      // every set and check
  bool PassesRest(Position position) const;  // what the dense sets do not say
  // A dense set, laid open for the word loops.
  struct Words {
    const std::uint64_t* data;
    std::size_t size;
  };
  static Words WordsOf(const PositionSet& nodes) {
    return {nodes.words().data(), nodes.words().size()};
  }
  // The number of leading words of `nodes` that can hold a node which fits.
  std::size_t Reach(const PositionSet& nodes) const;
  std::uint64_t WordAt(const std::uint64_t* nodes, std::size_t word) const;
  Position FirstIn(const PositionSet& nodes, Position from) const;
  const PositionSet* SmallestList() const;
  void LayOpenLists();

  const NodeOrder& order_;
  bool impossible_ = false;
  std::vector<Words> inside_dense_;
  std::vector<const PositionSet*> inside_lists_;
  std::vector<Words> outside_dense_;
  std::vector<const PositionSet*> outside_lists_;
  std::vector<Check> checks_;
  std::deque<PositionSet> own_;
  std::size_t own_used_ = 0;
  std::vector<std::uint64_t> laid_open_;  // the lists outside, as words
  std::vector<std::uint64_t>
      words_;  // of the last CountFitting: the nodes that fit, when it counted words
  std::vector<Position> fitting_;  // of the last CountFitting otherwise
};

}  // namespace swarm
