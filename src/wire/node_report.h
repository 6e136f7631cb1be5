// Nodes and drains as /swarmd/v1 shows them.
#pragma once

#include <string>
#include <vector>

#include "swarmlib/cluster.h"
#include "swarmlib/model.h"

namespace swarm {

// One JSON object. docs/api.md has the fields.
std::string FormatNode(const Node& node, const NodeTotals& totals);

// What is to be done with one container of a node that is drained, and what came of it.
struct DrainedContainer {
  std::string id;
  std::string name;
  std::string state;    // before
  std::string action;   // stop, move, leave
  std::string outcome;  // stopped, moved, left, failed; empty in a plan
  std::string reason;   // why it is left or has failed, where it is now
};

struct DrainReport {
  std::string policy;  // stop, move, leave
  bool is_plan = false;
  std::vector<DrainedContainer> containers;
};

// {"Node":{...},"Policy":...,"Plan":...,"Stopped":N,"Moved":N,"Left":N,"Failed":N,"Containers":[...]}
std::string FormatDrain(const DrainReport& report, const Node& node, const NodeTotals& totals);

}  // namespace swarm
