// What the indexed scheduler keeps of each node.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sched/column.h"
#include "sched/node_order.h"
#include "sched/ports.h"
#include "sched/usage.h"
#include "swarmlib/cluster.h"
#include "swarmlib/strategy.h"

namespace swarm {

struct IndexedNode {
  NodePointer node;  // null = the slot is free
  NodeUsage usage;
  Position position =
      kNoPosition;  // kNoPosition = not a candidate: nothing below but ports is indexed
  std::int64_t slot_limit = -1;  // of the label containerslots; -1 = none
  std::vector<std::pair<Column*, Column::Value>> labels;
  std::vector<Column::Value> names;   // in the column "node"
  std::vector<Column::Value> images;  // in the column of images
  std::vector<Column::Value> platform;
  std::vector<std::string> image_texts;
  HeldPorts ports;
  ResourceSum reserved;  // of which usage has the value
};

using NodeTable = std::vector<IndexedNode>;  // by slot

}  // namespace swarm
