// TLS 1.2 and later: contexts from files, and sessions as Transports with a half-close.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "net/descriptor.h"
#include "net/transport.h"
#include "swarmlib/callback.h"
#include "swarmlib/manager.h"

namespace swarm::net {

// Certificates and rules of one role, shared by the sessions of all loops. Thread-safe.
class TlsContext {
 public:
  virtual ~TlsContext() = default;
  // Handshakes of servers that resumed an earlier session.
  virtual std::uint64_t resumed() const = 0;
};

// One clear line for each wrong file or combination: file flags without --tls, no certificate or
// key,
// --tlsverify without a CA, files that are missing, are no PEM, or do not belong together. OK when
// TLS is off and no file is named.
absl::Status CheckTls(const TlsConfig& config);

// For clients: shows the certificate; with verify they must show one of the CA.
absl::StatusOr<std::shared_ptr<TlsContext>> MakeServerContext(const TlsConfig& config);

// For engines: shows the certificate if asked; with verify the engine's must be of the CA and name
// its host among its subject alternative names. A client's needs none.
absl::StatusOr<std::shared_ptr<TlsContext>> MakeClientContext(const TlsConfig& config);

// The server's handshake, within kHandshakeDeadline. The Transport's peer carries the common name
// of the client's certificate. An error says why the client was refused; Cancelled: it was not, but
// closed the connection before. On the loop.
void AcceptTls(Loop& loop, std::shared_ptr<TlsContext> context, Descriptor socket, Peer peer,
               ResultCallback<std::unique_ptr<Transport>> done);

// The client's handshake with `host` (a name or an address in digits). Errors are Unavailable and
// explain in words what is wrong with the engine's or with our certificate.
void ConnectTls(Loop& loop, std::shared_ptr<TlsContext> context, Descriptor socket, Peer peer,
                std::string_view host, ResultCallback<std::unique_ptr<Transport>> done);

}  // namespace swarm::net
