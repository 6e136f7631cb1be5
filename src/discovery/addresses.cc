#include "discovery/addresses.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/text.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr std::size_t kLongestHost = 253;
constexpr std::size_t kMostQuoted = 80;
constexpr std::uint64_t kHighestPort = 65'535;

struct Range {
  std::string_view before;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::string_view after;
};

// The first "[A:B]" of two whole numbers. "[::1]" is an address, not a range.
std::optional<Range> FindRange(std::string_view item) {
  std::size_t open = item.find('[');
  while (open != std::string_view::npos) {
    const std::size_t close = item.find(']', open);
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view inside = item.substr(open + 1, close - open - 1);
    const std::size_t colon = inside.find(':');
    if (colon != std::string_view::npos) {
      const auto first = ParseUnsigned(inside.substr(0, colon));
      const auto last = ParseUnsigned(inside.substr(colon + 1));
      if (first && last) return Range{item.substr(0, open), *first, *last, item.substr(close + 1)};
    }
    open = item.find('[', open + 1);
  }
  return std::nullopt;
}

bool IsNameCharacter(char letter) {
  return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
         (letter >= 'A' && letter <= 'Z') || letter == '.' || letter == '-' || letter == '_';
}

bool IsHost(std::string_view host) {
  if (host.empty() || host.size() > kLongestHost) return false;
  if (host.front() != '[') return std::all_of(host.begin(), host.end(), IsNameCharacter);
  if (host.size() < 4 || host.back() != ']') return false;
  const std::string_view inside = host.substr(1, host.size() - 2);
  return inside.find(':') != std::string_view::npos &&
         inside.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

absl::Status CheckAddress(std::string_view address) {
  if (address.find("://") != std::string_view::npos) {
    return InvalidArgument(Quoted(address) +
                           " has a scheme where host:port is wanted, as in \"10.0.0.1:2375\"");
  }
  const std::size_t colon = address.rfind(':');
  const std::size_t bracket = address.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (!has_port) {
    return InvalidArgument(
        Quoted(address) +
        " has no port: write host:port, as in \"swarmd manage nodes://host:2375,...\"");
  }
  const std::optional<std::uint64_t> port = ParseUnsigned(address.substr(colon + 1));
  if (!port || *port == 0 || *port > kHighestPort) {
    return InvalidArgument(Quoted(address) + " has no port from 1 to 65535 after its last colon");
  }
  if (!IsHost(address.substr(0, colon))) {
    return InvalidArgument(Quoted(address) + " does not begin with a host name or an IP address");
  }
  return absl::OkStatus();
}

absl::Status TooMany() {
  return ResourceExhausted("more than " + std::to_string(kMostAddresses) + " addresses");
}

}  // namespace

absl::Status AppendAddresses(std::string_view item, std::vector<std::string>& addresses) {
  const std::size_t before = addresses.size();
  const std::optional<Range> range = FindRange(item);
  if (!range) {
    if (absl::Status checked = CheckAddress(item); !checked.ok()) return checked;
    if (before >= kMostAddresses) return TooMany();
    addresses.emplace_back(item);
    return absl::OkStatus();
  }
  if (range->first > range->last) return absl::OkStatus();
  if (range->last - range->first >= kMostAddresses - std::min(before, kMostAddresses))
    return TooMany();
  for (std::uint64_t number = range->first; number <= range->last; ++number) {
    std::string address(range->before);
    address.append(std::to_string(number)).append(range->after);
    if (absl::Status checked = CheckAddress(address); !checked.ok()) {
      addresses.resize(before);
      return checked;
    }
    addresses.push_back(std::move(address));
  }
  return absl::OkStatus();
}

void SortAddresses(std::vector<std::string>& addresses) {
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char letter : text.substr(0, kMostQuoted)) {
    quoted.push_back(letter >= ' ' && letter <= '~' ? letter : '?');
  }
  quoted.append(text.size() > kMostQuoted ? "...\"" : "\"");
  return quoted;
}

}  // namespace swarm
