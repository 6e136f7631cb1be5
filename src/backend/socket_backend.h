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
// pool of connections for each. Every loop that used it must outlive it, or CloseOnThisLoop is
// called there. `resolve` finds the addresses of a host name; null as Endpoint says.
absl::StatusOr<std::unique_ptr<BackendClient>> MakeSocketBackend(
    std::string_view endpoint, std::shared_ptr<net::TlsContext> tls = nullptr,
    net::ResolveName resolve = nullptr);

// The calling loop's client beneath a backend of MakeSocketBackend, for relays; null for other
// kinds and after CloseOnThisLoop. It may be kept longer than the backend, and is then closed.
std::shared_ptr<net::Client> ClientOfThisLoop(BackendClient& backend);

// Cancels the calls that a backend of MakeSocketBackend makes on the calling loop, closes that
// loop's connections, and refuses calls from loops that have none (Cancelled). Closed on each of
// its loops, a backend needs none of them any more: it may outlive them. Other kinds are left
// alone.
void CloseOnThisLoop(BackendClient& backend);

}  // namespace swarm
