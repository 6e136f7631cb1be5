// Addresses of servers and engines as text: "tcp://host:port", "unix:///path", or "host:port".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace swarm::net {

struct Address {
  std::string host;  // without brackets; empty = every interface, or the unix form
  std::uint16_t port = 0;
  std::string path;  // of a unix socket; empty = TCP

  bool is_unix() const { return !path.empty(); }
  // "host:port", "[::1]:port" or "unix:///path".
  std::string text() const;
};

// InvalidArgument says what is wrong with `text`. Paths of more than 107 bytes do not fit a unix
// socket.
absl::StatusOr<Address> ParseAddress(std::string_view text);

// True for a name that is an IPv4 or IPv6 address in digits, which needs no resolver.
bool IsNumericHost(std::string_view host);

}  // namespace swarm::net
