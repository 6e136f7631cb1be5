// Published ports that the manager carries to their node, as clients are told of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace swarm {

// One published port of one container.
struct RelayedPort {
  std::string port;     // inside the container, "80/tcp"
  std::string node_ip;  // where the container's node has it
  std::uint16_t node_port = 0;
  std::vector<std::string> ips;  // of the manager, in digits; empty when it is not relayed
  std::uint16_t manager_port = 0;
  std::string error;  // why it is not; empty when it is

  friend bool operator==(const RelayedPort&, const RelayedPort&) = default;
};

// An inspect answer in whose NetworkSettings.Ports the relayed ports are the manager's, and with a
// member PortRelay that says of each where it is and where it is carried to, or why it is not
// relayed.
absl::StatusOr<std::string> WithRelayedPorts(std::string_view inspect,
                                             const std::vector<RelayedPort>& relayed);

}  // namespace swarm
