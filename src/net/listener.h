// Bound and listening sockets.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "net/descriptor.h"

namespace swarm::net {

// One listening socket for one loop.
struct Listener {
  Descriptor socket;    // non-blocking, listening
  std::string address;  // as bound: "tcp://127.0.0.1:49153" or "unix:///run/swarm.sock"
  // Removes the file of a unix socket once the last listener of it is gone; null for TCP.
  std::shared_ptr<void> file;
};

// Binds `address` ("tcp://HOST:PORT", "unix:///PATH") and makes `count` (> 0) listeners of it, one
// a loop. TCP: one socket each with SO_REUSEPORT, after an exclusive bind has shown that the port
// is free, so "in use" stays an error (AlreadyExists). Port 0: all share the port that the kernel
// chose. Unix: one socket, its descriptor duplicated; a socket file to which nobody listens is
// replaced. May ask the resolver: not on a running loop.
absl::StatusOr<std::vector<Listener>> BindListeners(std::string_view address, std::size_t count);

}  // namespace swarm::net
