#include "manager/relay_target.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace swarm {
namespace {

// One address in digits. What inet_pton takes has one meaning: no octal, no missing parts.
struct NumericAddress {
  bool is_v6 = false;
  in_addr v4{};
  in6_addr v6{};

  std::string text() const {
    char digits[INET6_ADDRSTRLEN] = "";
    if (is_v6) {
      inet_ntop(AF_INET6, &v6, digits, sizeof digits);
    } else {
      inet_ntop(AF_INET, &v4, digits, sizeof digits);
    }
    return digits;
  }
};

std::optional<NumericAddress> ReadNumeric(std::string_view text) {
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return std::nullopt;
  NumericAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), &address.v4) == 1) return address;
  address.is_v6 = true;
  if (inet_pton(AF_INET6, terminated.c_str(), &address.v6) == 1) return address;
  return std::nullopt;
}

bool IsUnspecified(const NumericAddress& address) {
  if (!address.is_v6) return address.v4.s_addr == htonl(INADDR_ANY);
  const bool mapped = IN6_IS_ADDR_V4MAPPED(&address.v6);
  const std::uint8_t* const bytes = address.v6.s6_addr;
  return IN6_IS_ADDR_UNSPECIFIED(&address.v6) ||
         (mapped && std::all_of(bytes + 12, bytes + 16, [](std::uint8_t b) { return b == 0; }));
}

std::string HindranceOfV4(const in_addr& address) {
  const std::uint32_t number = ntohl(address.s_addr);
  const std::uint32_t first = number >> 24U;
  if (first == 127) return "of its node alone";
  if ((number >> 16U) == 0xA9FE) return "a link-local address";
  if (first >= 224 && first < 240) return "a multicast address";
  if (first == 0 || first >= 240) return "a reserved address";
  return {};
}

std::string HindranceOfV6(const in6_addr& address) {
  if (IN6_IS_ADDR_LOOPBACK(&address)) return "of its node alone";
  if (IN6_IS_ADDR_V4MAPPED(&address) || IN6_IS_ADDR_V4COMPAT(&address))
    return "an IPv4 address in the form of an IPv6 one";
  if (IN6_IS_ADDR_LINKLOCAL(&address)) return "a link-local address";
  if (IN6_IS_ADDR_MULTICAST(&address)) return "a multicast address";
  return {};
}

bool Holds(const std::vector<std::string>& own, const NumericAddress& address) {
  return std::any_of(own.begin(), own.end(), [&address](const std::string& text) {
    const std::optional<NumericAddress> candidate = ReadNumeric(text);
    return candidate && candidate->text() == address.text();
  });
}

}  // namespace

RelayTarget RelayTargetOf(std::string_view host_ip, const std::string& node_ip,
                          const std::vector<std::string>& own) {
  if (host_ip.empty())
    return {node_ip, node_ip.empty() ? "the address of its node is not known" : ""};
  RelayTarget target{std::string(host_ip), {}};
  const std::optional<NumericAddress> address = ReadNumeric(host_ip);
  const std::string published = "it is published on " + target.host;
  if (!address) {
    target.hindrance = published + ", which is no address in digits";
    return target;
  }
  if (IsUnspecified(*address)) return RelayTargetOf("", node_ip, own);
  target.host = address->text();
  const std::string wrong =
      address->is_v6 ? HindranceOfV6(address->v6) : HindranceOfV4(address->v4);
  if (wrong.starts_with("of ")) {
    target.hindrance = published + " " + wrong;
  } else if (!wrong.empty()) {
    target.hindrance = published + ", " + wrong;
  } else if (const auto node = ReadNumeric(node_ip); node && node->text() == target.host) {
    // Also where the node is on the manager's host.
  } else if (Holds(own, *address)) {
    target.hindrance = published + ", which is one of the manager's own addresses";
  }
  return target;
}

std::vector<std::string> AddressesOfThisHost() {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> all(first, freeifaddrs);
  std::vector<std::string> addresses;
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    NumericAddress address;
    if (one->ifa_addr->sa_family == AF_INET) {
      address.v4 = reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr;
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      address.is_v6 = true;
      address.v6 = reinterpret_cast<const sockaddr_in6*>(one->ifa_addr)->sin6_addr;
    } else {
      continue;
    }
    addresses.push_back(address.text());
  }
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

}  // namespace swarm
