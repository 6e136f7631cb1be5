// The IP of an engine's host name.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "async/task.h"
#include "cluster/engine.h"

namespace swarm {

// Until a name without a known address is given up, and one whose last good address can be kept.
inline constexpr Duration kLookUpDeadline = std::chrono::seconds(5);
inline constexpr Duration kLookUpAgainDeadline = std::chrono::seconds(1);

// The IP that the engine's host stands for now: the host itself when it is one or when the cluster
// has no resolver, the last good one when the look-up fails or is late. On the engine's home loop.
Task<absl::StatusOr<std::string>> ResolveHost(std::shared_ptr<Engine> engine, std::stop_token stop);

}  // namespace swarm
