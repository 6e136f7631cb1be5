// Nodes and containers as a caller sees them: borrowed from a list or from a predicate's view.
#pragma once

#include <vector>

#include "bindings/c/handles.h"
#include "swarmlib/cluster.h"
#include "swarmlib/filter.h"
#include "swarmlib/swarm_extend.h"

struct swarm_node {
  const swarm::Node* node;
};

struct swarm_container {
  const swarm::Container* container;
};

struct swarm_nodes {
  std::vector<swarm::NodePointer> kept;
  std::vector<swarm_node> nodes;
};
SWARM_HANDLE(swarm_nodes);
