// Which nodes hold a host port.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sched/position_set.h"
#include "swarmlib/model.h"

namespace swarm {

// Single ports only, whatever their address: a node in Holders() may still have room for a specific
// address.
class PortIndex {
 public:
  // A port of the node at `position` was taken; the same one may be taken several times.
  void Insert(Position position, const PortBinding& port);
  // The node holds nothing of that number and protocol any more.
  void Erase(Position position, const PortBinding& port);

  // Null when no node holds it. Valid until the next change.
  const PositionSet* Holders(const PortBinding& port) const;

 private:
  // The protocols that engines know have numbers; all others share one, so that for them too only a
  // superset of the clashing nodes is found.
  static std::uint32_t KeyOf(const PortBinding& port);

  std::unordered_map<std::uint32_t, PositionSet> holders_;
};

}  // namespace swarm
