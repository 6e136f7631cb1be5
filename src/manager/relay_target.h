// Where a published port may be carried to. What an engine says of its containers is not believed:
// its words must not make the manager connect to itself, or to what is no node.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swarm {

struct RelayTarget {
  std::string host;       // in digits, as one address is always written
  std::string hindrance;  // why nothing is carried there; empty when it may be
};

// Of a port published on `host_ip` of the node at `node_ip`. None, and the unspecified address,
// mean the node's own. Any other must be in digits, no IPv4 address in IPv6's clothes, neither
// loopback, link-local, multicast nor reserved, and none of `own`, the addresses of the manager's
// host; but the node's own address always may be.
RelayTarget RelayTargetOf(std::string_view host_ip, const std::string& node_ip,
                          const std::vector<std::string>& own);

// The addresses of this host's interfaces, in digits, each once.
std::vector<std::string> AddressesOfThisHost();

}  // namespace swarm
