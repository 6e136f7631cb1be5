// POST /containers/create on the cluster.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "async/task.h"
#include "cluster/hub.h"
#include "swarmlib/cluster.h"

namespace swarm {

// Until an engine has answered a create.
inline constexpr Duration kCreateTimeout = std::chrono::minutes(2);
// How often a create whose answer was lost is looked for, and the pause before each further time.
inline constexpr int kLookUps = 3;
inline constexpr Duration kLookUpPause = std::chrono::seconds(1);
// How long after its answer was lost an engine may still carry a create out. Before that no reading
// without the container gives its place back.
inline constexpr Duration kDoubtMargin = kCreateTimeout;

// As Cluster::CreateContainer. Runs to its end whatever becomes of the caller.
Task<absl::StatusOr<CreateResult>> Create(std::shared_ptr<Hub> hub, CreateRequest request);

}  // namespace swarm
