// swarmd node: looks at and steers the nodes of a manager that runs elsewhere.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "swarmlib/clock.h"
#include "swarmlib/manager.h"

namespace swarmd {

struct NodeCommand {
  std::string verb;                                    // ls, inspect, cordon, uncordon, drain
  std::string node;                                    // name, id or address; empty for ls
  std::string manager;                                 // where it listens
  swarm::TlsConfig tls;                                // towards it
  swarm::Duration timeout = std::chrono::seconds(10);  // of everything but a drain that stops
  std::string policy;                                  // of a drain: stop, leave
  bool plan = false;                                   // of a drain: only says what would be done
  std::string stop_time;  // seconds that a container gets to stop; empty = its own
};

// Asks the manager and prints its answer. 0; 1 when it refused, did not answer, or something could
// not be drained; 2 for a wrong address or file.
int RunNode(const NodeCommand& command);

// What is printed for an answer of the manager (JSON). InvalidArgument: it is none of a manager's.
absl::StatusOr<std::string> NodeText(const NodeCommand& command, const std::string& answer);

}  // namespace swarmd
