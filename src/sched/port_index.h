// Which nodes hold a host port.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sched/ports.h"
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
  // For protocols without a number of their own too only a superset of the clashing nodes is found.
  std::unordered_map<PortKey, PositionSet> holders_;
};

}  // namespace swarm
