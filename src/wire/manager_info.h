// GET /info and GET /version of the manager.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swarmlib/cluster.h"
#include "wire/api_version.h"

namespace swarm {

// What the answers need besides the cluster's own values. Gathered by the caller: wire has no
// clock, no host.
struct ManagerFacts {
  std::string id;  // stable
  std::string host_name, kernel_version, architecture;
  std::string version;  // "0.1.0"
  bool experimental = false;
  WallTime now{};
  std::string strategy;
  std::vector<std::string> filters;
  std::vector<std::pair<NodePointer, NodeTotals>> nodes;  // by name
  ClusterTotals totals;
  int event_listeners = 0;
  ApiVersion newest, oldest;  // offered to clients now
};

// Role, Strategy, Filters, Nodes and the rows of each node as the peer had them, in `SystemStatus`
// (and `DriverStatus` with the backspace of the posts for clients up to API 1.21).
std::string FormatInfo(const ManagerFacts& facts, ApiVersion client);
std::string FormatVersion(const ManagerFacts& facts);

}  // namespace swarm
