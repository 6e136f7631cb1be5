// Looking for an exec on every engine.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "async/task.h"
#include "cluster/hub.h"

namespace swarm {

// Engines asked at the same time.
inline constexpr std::size_t kMostProbes = 256;

// As Cluster::FindExec.
Task<absl::StatusOr<std::string>> FindExecNode(std::shared_ptr<Hub> hub, std::string exec_id);

}  // namespace swarm
