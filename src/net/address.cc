#include "net/address.h"

#include <sys/un.h>

#include <boost/asio/ip/address.hpp>

#include "base/text.h"
#include "swarmlib/status.h"

namespace swarm::net {
namespace {

absl::Status Wrong(std::string_view text, std::string_view why) {
  return InvalidArgument("address \"" + std::string(text) + "\": " + std::string(why) +
                         "; write tcp://HOST:PORT or unix:///PATH");
}

bool TakePrefix(std::string_view* text, std::string_view prefix) {
  if (text->substr(0, prefix.size()) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

bool IsHostName(std::string_view host) {
  for (const char letter : host) {
    const bool fits = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                      (letter >= '0' && letter <= '9') || letter == '-' || letter == '.' ||
                      letter == '_' || letter == ':' || letter == '%';
    if (!fits) return false;
  }
  return true;
}

}  // namespace

std::string Address::text() const {
  if (is_unix()) return "unix://" + path;
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

absl::StatusOr<Address> ParseAddress(std::string_view text) {
  Address address;
  std::string_view rest = text;
  if (TakePrefix(&rest, "unix://")) {
    if (rest.empty() || rest.front() != '/') return Wrong(text, "the path must start with /");
    if (rest.size() >= sizeof(sockaddr_un::sun_path)) {
      return Wrong(text, "the path is longer than 107 bytes");
    }
    if (rest.find('\0') != std::string_view::npos) return Wrong(text, "the path holds a zero byte");
    address.path = rest;
    return address;
  }
  if (!TakePrefix(&rest, "tcp://") && rest.find("://") != std::string_view::npos) {
    return Wrong(text, "unknown scheme");
  }
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) return Wrong(text, "no port");
  std::string_view host = rest.substr(0, colon);
  const auto port = ParseUnsigned(rest.substr(colon + 1));
  if (!port || *port > 65535) return Wrong(text, "the port is no number of 0 to 65535");
  if (!host.empty() && host.front() == '[') {
    if (host.back() != ']') return Wrong(text, "[ without ]");
    host = host.substr(1, host.size() - 2);
    if (!IsNumericHost(host)) return Wrong(text, "no IPv6 address between [ and ]");
  } else if (host.find(':') != std::string_view::npos) {
    return Wrong(text, "an IPv6 address stands between [ and ]");
  }
  if (!IsHostName(host)) return Wrong(text, "the host holds an odd character");
  address.host = host;
  address.port = static_cast<std::uint16_t>(*port);
  return address;
}

bool IsNumericHost(std::string_view host) {
  boost::system::error_code error;
  boost::asio::ip::make_address(std::string(host), error);
  return !error;
}

}  // namespace swarm::net
