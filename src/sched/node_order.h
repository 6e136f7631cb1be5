// Gives nodes positions in the order of their names, so that the first set bit is the first by
// name.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "sched/position_set.h"

namespace swarm {

// A node's number in the scheduler, fixed while the node is known.
using Slot = std::uint32_t;
inline constexpr Slot kNoSlot = UINT32_MAX;

// A packed-memory array: positions keep gaps, so that a node which comes between two others moves
// few of its neighbours. Costs the logarithm of the nodes, and a bounded share of moves on average.
class NodeOrder {
 public:
  // Called for each node that has to move to make room: it leaves `from` before anything enters it.
  using Mover = std::function<void(Slot slot, Position from, Position to)>;

  // Puts a node into the order; (name, address) is new. Returns its position.
  Position Insert(std::string_view name, std::string_view address, Slot slot, const Mover& moved);
  void Erase(std::string_view name, std::string_view address);

  // The node at a position, or kNoSlot.
  Slot SlotAt(Position position) const {
    return position < slots_.size() ? slots_[position] : kNoSlot;
  }
  std::size_t size() const { return order_.size(); }

  // Appends the slots of all nodes of that name.
  void AppendNamed(std::string_view name, std::vector<Slot>& slots) const;

 private:
  struct Place {
    Slot slot;
    Position position;
  };
  using Key = std::pair<std::string, std::string>;
  using Order = absl::btree_map<Key, Place>;

  void Put(Place& place, Position position);
  // Spreads the nodes around the key `at` anew, so that there is room before it.
  void MakeRoom(Order::iterator at, const Mover& moved);
  void Spread(Position begin, Position end, const std::vector<Order::iterator>& nodes,
              const Mover& moved);

  Order order_;
  std::vector<Slot> slots_;  // by position
};

}  // namespace swarm
