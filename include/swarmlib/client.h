// One request to a manager that runs elsewhere, from a program without a loop of its own.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "swarmlib/backend.h"
#include "swarmlib/manager.h"

namespace swarm {

// Sends `request` to "tcp://HOST:PORT", "HOST:PORT" or "unix:///PATH" and waits for the whole
// answer, of any status; the errors are those of BackendClient. With `tls` on, our certificate is
// shown, and with verify the server's must be of the CA and name its host; unix sockets go without.
// InvalidArgument: the address or a file of `tls` is wrong. Blocks the calling thread, at most for
// options.timeout; not on a Loop.
absl::StatusOr<Reply> CallOnce(const std::string& address, const TlsConfig& tls, Request request,
                               CallOptions options);

}  // namespace swarm
