// Which nodes hold containers that affinities speak of.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/text.h"
#include "model/expression.h"
#include "sched/column.h"
#include "sched/node_order.h"
#include "swarmlib/model.h"

namespace swarm {

inline constexpr std::size_t kMaxLiveHolderKeys = 32;      // label keys asked for by exact value
inline constexpr std::size_t kMaxLiveHolderPatterns = 64;  // globs and regular expressions

// Nothing is kept until it is asked for. What was asked for is found once by a look at every
// container, and then follows the containers that come and go; the key or pattern unused longest
// goes first.
class HolderIndex {
 public:
  // Calls back with every container of a candidate node and the node's slot.
  using Visitor = std::function<void(Slot, const Container&)>;
  using EveryContainer = std::function<void(const Visitor&)>;
  using PositionOf = std::function<Position(Slot)>;

  explicit HolderIndex(PositionOf position_of) : position_of_(std::move(position_of)) {}

  // The nodes with a container that matches the pattern of the expression, whose operator says
  // nothing here. Not for exact values of the key "container": those are a look-up. Valid until the
  // next change.
  const PositionSet* Find(const Expression& expression, const EveryContainer& every);

  void Add(Slot slot, const Container& container);
  void Remove(Slot slot, const Container& container);
  void Move(Position from, Position to);
  // The node is no candidate any more; its containers have not been removed.
  void RemoveNode(Slot slot, Position position);
  // It is one (again), and has these containers.
  void AddNode(Slot slot, const std::vector<const Container*>& containers);

 private:
  // The nodes of one label value or pattern, with the number of containers on each.
  struct Holders {
    std::unordered_map<Slot, std::int32_t> count_of;
    PositionSet nodes;
  };
  struct LiveKey {
    std::string key;
    StringMap<Holders> by_value;
    std::uint64_t used = 0;
  };
  struct LivePattern {
    Expression expression;
    PatternMatcher matcher;
    Holders holders;
    std::uint64_t used = 0;
  };

  void Count(Holders& holders, Slot slot, int by);
  void CountInKey(LiveKey& key, Slot slot, const Container& container, int by);
  void CountInPattern(LivePattern& pattern, Slot slot, const Container& container, int by);
  const PositionSet* FindExact(const Expression& expression, const EveryContainer& every);
  const PositionSet* FindPattern(const Expression& expression, const EveryContainer& every);

  PositionOf position_of_;
  std::vector<std::unique_ptr<LiveKey>> keys_;
  std::vector<std::unique_ptr<LivePattern>> patterns_;
  std::uint64_t clock_ = 0;
};

}  // namespace swarm
