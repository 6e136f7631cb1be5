// start, stop and the like on the cluster.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "async/task.h"
#include "cluster/hub.h"
#include "swarmlib/cluster.h"

namespace swarm {

// Until an engine has answered: what takes no time of its own; what waits for a container to stop
// without saying how long; what is added to the `t` of a request; and the longest.
inline constexpr Duration kOperationTimeout = std::chrono::minutes(2);
inline constexpr Duration kStopTimeout = std::chrono::minutes(10);
inline constexpr Duration kStopMargin = std::chrono::seconds(30);
inline constexpr Duration kLongestStop = std::chrono::hours(24);

// How long the engine's answer is waited for.
Duration OperationTimeout(const ContainerOperation& operation);

// As Cluster::Operate. Runs to its end whatever becomes of the caller.
Task<absl::StatusOr<Reply>> RunOperation(std::shared_ptr<Hub> hub, ContainerOperation operation);

}  // namespace swarm
