// The node and the containers of the tests of SharedState, which have one engine.
#pragma once

#include <string>

#include "swarmlib/cluster.h"
#include "swarmlib/model.h"

namespace swarm {

inline constexpr char kOneAddress[] = "10.0.0.1:2375";

inline Node OneNode(NodeState state) {
  Node node;
  node.address = kOneAddress;
  node.id = "ID1";
  node.name = "n1";
  node.state = state;
  node.total = {4'000'000'000, 1 << 30};
  return node;
}

inline ContainerRecord RecordOf(const std::string& id, ContainerState state,
                                const std::string& swarm_id = {}) {
  ContainerRecord record;
  record.container.id = id;
  record.container.node = kOneAddress;
  record.container.names = {"name" + id};
  record.container.state = state;
  record.container.swarm_id = swarm_id;
  return record;
}

}  // namespace swarm
