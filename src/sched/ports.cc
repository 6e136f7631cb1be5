#include "sched/ports.h"

#include <algorithm>

namespace swarm {
namespace {

bool AddressesOverlap(std::string_view left, std::string_view right) {
  return left == right || IsWildcardAddress(left) || IsWildcardAddress(right);
}

// How many of `ranges` can get no port of their own beside `fixed`. Taking ranges by their last
// port and giving each its lowest free port serves as many as can be served.
std::size_t UnservedRanges(std::vector<PortBinding> ranges, std::vector<PortBinding> fixed) {
  std::stable_sort(ranges.begin(), ranges.end(),
                   [](const PortBinding& left, const PortBinding& right) {
                     return left.host_last < right.host_last;
                   });
  std::size_t unserved = 0;
  std::vector<std::uint16_t> taken;
  for (const PortBinding& range : ranges) {
    taken.clear();
    for (const PortBinding& port : fixed) {
      if (port.protocol == range.protocol && AddressesOverlap(port.host_ip, range.host_ip)) {
        taken.push_back(port.host_first);
      }
    }
    std::sort(taken.begin(), taken.end());
    std::uint32_t free = range.host_first;
    for (auto next = std::lower_bound(taken.begin(), taken.end(), free);
         next != taken.end() && *next <= free; ++next) {
      if (*next == free) ++free;
    }
    if (free > range.host_last) {
      ++unserved;
      continue;
    }
    PortBinding chosen = range;
    chosen.host_first = chosen.host_last = static_cast<std::uint16_t>(free);
    fixed.push_back(chosen);
  }
  return unserved;
}

// True when the ranges among both find ports as well as the held ones did alone.
bool RangesFit(const std::vector<PortBinding>& asked, const std::vector<PortBinding>& held) {
  std::vector<PortBinding> fixed;
  std::vector<PortBinding> ranges;
  for (const PortBinding& port : held) (IsRange(port) ? ranges : fixed).push_back(port);
  const std::size_t held_ranges = ranges.size();
  std::vector<PortBinding> all_fixed = fixed;
  std::vector<PortBinding> all_ranges = ranges;
  for (const PortBinding& port : asked) (IsRange(port) ? all_ranges : all_fixed).push_back(port);
  if (all_ranges.empty()) return true;
  const std::size_t before =
      held_ranges == 0 ? 0 : UnservedRanges(std::move(ranges), std::move(fixed));
  return UnservedRanges(std::move(all_ranges), std::move(all_fixed)) <= before;
}

// The holder that comes first by name among those whose port is such, so that the same one is
// always named.
template <typename Predicate>
const PortHold* FirstHolder(const std::vector<PortHold>& held, const Predicate& is_such) {
  const PortHold* first = nullptr;
  for (const PortHold& hold : held) {
    if (is_such(hold.port) && (first == nullptr || hold.holder < first->holder)) first = &hold;
  }
  return first;
}

}  // namespace

bool IsWildcardAddress(std::string_view host_ip) {
  return host_ip.empty() || host_ip == "0.0.0.0" || host_ip == "::";
}

bool IsRange(const PortBinding& port) { return port.host_last > port.host_first; }

bool PortsClash(const PortBinding& left, const PortBinding& right) {
  return left.host_first == right.host_first && !IsRange(left) && !IsRange(right) &&
         left.protocol == right.protocol && AddressesOverlap(left.host_ip, right.host_ip);
}

std::optional<PortConflict> FindPortConflict(const std::vector<PortBinding>& asked,
                                             const std::vector<PortHold>& held) {
  for (const PortBinding& port : asked) {
    const PortHold* const holder =
        FirstHolder(held, [&port](const PortBinding& other) { return PortsClash(port, other); });
    if (holder != nullptr) return PortConflict{port, holder->holder};
  }
  std::vector<PortBinding> ports;
  for (const PortHold& hold : held) ports.push_back(hold.port);
  if (RangesFit(asked, ports)) return std::nullopt;
  for (const PortBinding& port : asked) {
    if (IsRange(port)) return PortConflict{port, ""};
  }
  // A single port was asked that is the last one of a held range.
  for (const PortBinding& port : asked) {
    const PortHold* const holder = FirstHolder(held, [&port](const PortBinding& other) {
      return IsRange(other) && other.protocol == port.protocol &&
             other.host_first <= port.host_first && port.host_first <= other.host_last;
    });
    if (holder != nullptr) return PortConflict{port, holder->holder};
  }
  return PortConflict{asked.front(), ""};
}

bool PortsFit(const std::vector<PortBinding>& asked, const std::vector<PortBinding>& held) {
  bool ranges = false;
  for (const PortBinding& port : asked) {
    ranges = ranges || IsRange(port);
    for (const PortBinding& hold : held) {
      if (PortsClash(port, hold)) return false;
      ranges = ranges || IsRange(hold);
    }
  }
  return !ranges || RangesFit(asked, held);
}

PortBinding HostNetworkPort(const PortBinding& exposed) {
  PortBinding port = exposed;
  port.host_ip.clear();
  port.host_first = port.host_last = exposed.container_port;
  return port;
}

std::vector<PortBinding> PortsWantedBy(const Container& container) {
  std::vector<PortBinding> ports;
  if (container.network_mode == "host") {
    for (const PortBinding& exposed : container.exposed_ports)
      ports.push_back(HostNetworkPort(exposed));
    return ports;
  }
  for (const PortBinding& port : container.wanted_ports) {
    if (port.host_first != 0) ports.push_back(port);
  }
  return ports;
}

std::vector<PortBinding> PortsHeldBy(const Container& container) {
  switch (container.state) {
    case ContainerState::kCreated: return PortsWantedBy(container);
    case ContainerState::kRunning:
    case ContainerState::kPaused:
    case ContainerState::kRestarting: {
      if (container.network_mode == "host") return PortsWantedBy(container);
      std::vector<PortBinding> ports;
      for (const PortBinding& port : container.bound_ports) {
        if (port.host_first != 0) ports.push_back(port);
      }
      return ports;
    }
    case ContainerState::kRemoving:
    case ContainerState::kExited:
    case ContainerState::kDead: return {};
  }
  return {};
}

std::string PortText(const PortBinding& port) {
  std::string text;
  if (!IsWildcardAddress(port.host_ip)) text = port.host_ip + ":";
  text += std::to_string(port.host_first);
  if (IsRange(port)) text += "-" + std::to_string(port.host_last);
  return text;
}

std::string PortTextWithProtocol(const PortBinding& port) {
  return PortText(port) + "/" + port.protocol;
}

}  // namespace swarm
