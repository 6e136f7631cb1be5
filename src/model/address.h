// IP addresses as texts.
#pragma once

#include <string>
#include <string_view>

namespace swarm {

// One spelling for each IP address: IPv6 in lower case as short as it goes, an IPv4 address in IPv6
// (::ffff:1.2.3.4) as that IPv4 address. What is no address stays as it is.
std::string CanonicalAddress(std::string_view text);

}  // namespace swarm
