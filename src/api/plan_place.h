// Where something would go, asked on a loop.
#pragma once

#include "absl/status/statusor.h"
#include "api/context.h"
#include "async/task.h"
#include "swarmlib/cluster.h"

namespace swarm {

// As Cluster::Plan, and waits for the filters of the embedding program without holding up the loop.
Task<absl::StatusOr<Explanation>> PlanPlace(ContextPointer context, ContainerSpec spec);

}  // namespace swarm
