// From a spec to a node.
#pragma once

#include "absl/status/statusor.h"
#include "swarmlib/model.h"

namespace swarm {

// Decides over one state of the cluster. Used under the state's lock: not thread-safe.
class Scheduler {
 public:
  virtual ~Scheduler() = default;

  // The node to take. InvalidArgument: an expression cannot be read. FailedPrecondition (HTTP 409):
  // no node fits; the message is the peer's first line, then the reason of every node (20 at most,
  // then counts).
  virtual absl::StatusOr<Placement> Choose(const ContainerSpec& spec) = 0;

  // The same as data, by the slow path. Draws nothing and changes nothing.
  virtual absl::StatusOr<Explanation> Explain(const ContainerSpec& spec) const = 0;
};

}  // namespace swarm
