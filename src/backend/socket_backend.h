// Engines over TCP, TLS and unix sockets.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "net/client.h"
#include "net/tls.h"
#include "swarmlib/backend.h"

namespace swarm {

// The client of the engine at "tcp://HOST:PORT", "HOST:PORT" or "unix:///PATH"; with `tls`
// (MakeClientContext) over TLS, but for unix sockets. It may be called from any Loop and keeps a
// pool of connections for each. Every loop that used it must outlive it.
absl::StatusOr<std::unique_ptr<BackendClient>> MakeSocketBackend(
    std::string_view endpoint, std::shared_ptr<net::TlsContext> tls = nullptr);

// The calling loop's client beneath a backend of MakeSocketBackend, for relays; null for other
// kinds. It may be kept longer than the backend, and is then closed.
std::shared_ptr<net::Client> ClientOfThisLoop(BackendClient& backend);

}  // namespace swarm
