// Engines over TCP, TLS and unix sockets.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "swarmlib/backend.h"

namespace swarm {

// The client of the engine at "tcp://HOST:PORT", "HOST:PORT" or "unix:///PATH". It may be called from any Loop and
// keeps a pool of connections for each. Every loop that used it must outlive it.
absl::StatusOr<std::unique_ptr<BackendClient>> MakeSocketBackend(std::string_view endpoint);

}  // namespace swarm
