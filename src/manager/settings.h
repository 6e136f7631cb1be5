// A Config checked and taken apart.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "base/metrics.h"
#include "cluster/engine_cluster.h"
#include "net/connection_room.h"
#include "swarmlib/manager.h"

namespace swarm {

// Refuses addresses beyond loopback without TLS verification unless Config::insecure says so; the
// message names the flag. Addresses without a scheme, port or path are refused too.
absl::Status CheckListen(const Config& config);

// Every other field that can be wrong, the first one found.
absl::Status CheckConfig(const Config& config);

// The room of all servers of a manager, as Config::max_connections says; it counts into `metrics`.
std::shared_ptr<net::ConnectionRoom> MakeConnectionRoom(const Config& config, Metrics& metrics);

// The filters named, in that order, or all that are registered in the peer's order, own ones last.
absl::StatusOr<std::vector<std::unique_ptr<Filter>>> MakeFilters(const Config& config);

// InvalidArgument names the strategies there are.
absl::StatusOr<std::unique_ptr<Strategy>> MakeStrategy(const Config& config);

// What the Config says of the cluster. Left to the caller: loops, seed, and how engines are reached
// when the Config has no `backend`.
absl::StatusOr<EngineClusterOptions> MakeClusterOptions(const Config& config);

}  // namespace swarm
