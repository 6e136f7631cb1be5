// Opening connections to engines.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "net/address.h"
#include "net/transport.h"
#include "swarmlib/callback.h"

namespace swarm::net {

class TlsContext;

// Gives the addresses of a host name, in digits, the one to try first in front. Calls back at most
// once, on any thread.
using ResolveName = std::function<void(std::string host, ResultCallback<std::vector<std::string>>)>;

// Where an engine listens.
struct Endpoint {
  Address address;
  std::shared_ptr<TlsContext> tls;  // null = plain; never used on unix sockets
  // Null = the loop's own resolver, where a name server that hangs delays the loop's other names.
  ResolveName resolve;

  // What stands in Host: "host:port", or "docker" for unix sockets.
  std::string HostField() const;
  // For messages: "10.0.0.9:2375".
  std::string name() const { return address.text(); }
};

// Resolves the name if it is one (never blocking the loop), tries its addresses in turn, and makes
// the TLS handshake if there is a context. Errors name the endpoint: Unavailable when it was not
// reached, ResourceExhausted when this side has no socket left. Bounded by kConnectDeadline and
// kHandshakeDeadline on the loop's clock. On the loop.
void Connect(Loop& loop, std::shared_ptr<const Endpoint> endpoint,
             ResultCallback<std::unique_ptr<Transport>> done);

}  // namespace swarm::net
