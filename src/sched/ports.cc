#include "sched/ports.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/check.h"

namespace swarm {
namespace {

bool AddressesOverlap(std::string_view left, std::string_view right) {
  return left == right || IsWildcardAddress(left) || IsWildcardAddress(right);
}

// What is taken on one node while ranges are served: ports that are held or asked for, which are
// not copied, and those that were given to ranges.
class TakenPorts {
 public:
  explicit TakenPorts(const HeldPorts& held, const HeldPorts* asked = nullptr)
      : held_(held), asked_(asked) {}

  // The lowest free port of the range is taken; false when there is none.
  bool TakeFor(const PortBinding& range) {
    // Ports are only taken, never given back: what was found taken on an address is passed over.
    Passed& passed = passed_[{range.protocol, range.host_ip}];
    PortBinding chosen = range;
    for (int port = passed.From(range.host_first); port <= range.host_last;
         port = passed.From(port)) {
      chosen.host_first = chosen.host_last = static_cast<std::uint16_t>(port);
      const bool is_free = !held_.Clashes(chosen) && !given_.Clashes(chosen) &&
                           (asked_ == nullptr || !asked_->Clashes(chosen));
      passed.Pass(port);
      if (!is_free) continue;
      given_.Insert(chosen);
      return true;
    }
    return false;
  }

 private:
  // Finds the first port at or behind another that was not passed.
  class Passed {
   public:
    int From(int port) {
      int end = port;
      for (auto next = next_.find(end); next != next_.end(); next = next_.find(end))
        end = next->second;
      // Who comes this way again takes one step.
      while (port != end) {
        int& next = next_[port];
        port = std::exchange(next, end);
      }
      return end;
    }
    void Pass(int port) { next_[port] = port + 1; }

   private:
    std::unordered_map<int, int> next_;
  };

  const HeldPorts& held_;
  const HeldPorts* const asked_;
  HeldPorts given_;
  std::map<std::pair<std::string_view, std::string_view>, Passed> passed_;
};

// How many of `ranges` can get no port of their own beside `taken`. Taking ranges by their last
// port and giving each its lowest free port serves as many as can be served on one address. Where
// specific addresses and wildcards meet, the order of ranges that end alike decides; it must not be
// the order in which they came to be held.
std::size_t UnservedRanges(std::vector<PortBinding> ranges, TakenPorts taken) {
  std::sort(ranges.begin(), ranges.end(), [](const PortBinding& left, const PortBinding& right) {
    return std::tie(left.host_last, left.host_first, left.protocol, left.host_ip) <
           std::tie(right.host_last, right.host_first, right.protocol, right.host_ip);
  });
  return static_cast<std::size_t>(
      std::count_if(ranges.begin(), ranges.end(),
                    [&taken](const PortBinding& range) { return !taken.TakeFor(range); }));
}

// True when the ranges among both find ports as well as the held ones did alone.
bool RangesFit(const HeldPorts& asked, const HeldPorts& held) {
  std::vector<PortBinding> all = held.ranges();
  all.insert(all.end(), asked.ranges().begin(), asked.ranges().end());
  if (all.empty()) return true;
  const std::size_t before =
      held.ranges().empty() ? 0 : UnservedRanges(held.ranges(), TakenPorts(held));
  return UnservedRanges(std::move(all), TakenPorts(held, &asked)) <= before;
}

bool SinglesClash(const HeldPorts& few, const HeldPorts& many) {
  bool clash = false;
  few.ForEachSingle([&](const PortBinding& port) { clash = clash || many.Clashes(port); });
  return clash;
}

// Who holds single ports, by number and protocol.
class HoldersByPort {
 public:
  explicit HoldersByPort(const std::vector<PortHold>& held) {
    for (const PortHold& hold : held) {
      if (!IsRange(hold.port)) holds_.emplace_back(KeyOfPort(hold.port), &hold);
    }
    std::sort(holds_.begin(), holds_.end(),
              [](const auto& left, const auto& right) { return left.first < right.first; });
  }

  // The one that comes first by name among those that clash, so that the same one is always named.
  const PortHold* FirstClashing(const PortBinding& port) const {
    const PortHold* first = nullptr;
    const PortKey key = KeyOfPort(port);
    for (auto at =
             std::lower_bound(holds_.begin(), holds_.end(), key,
                              [](const auto&hold, PortKey wanted) { return hold.first < wanted; });
         at != holds_.end() && at->first == key; ++at) {
      const PortHold* const hold = at->second;
      if (!PortsClash(port, hold->port)) continue;
      if (first == nullptr || hold->holder < first->holder) first = hold;
    }
    return first;
  }

 private:
  std::vector<std::pair<PortKey, const PortHold*>> holds_;
};

// The holder of a range that the port is one of; the first by name.
const PortHold* FirstRangeWith(const PortBinding& port, const std::vector<PortHold>& ranges) {
  const PortHold* first = nullptr;
  for (const PortHold& hold : ranges) {
    const PortBinding& range = hold.port;
    const bool is_in_it = range.protocol == port.protocol && range.host_first <= port.host_first &&
                          port.host_first <= range.host_last;
    if (is_in_it && (first == nullptr || hold.holder < first->holder)) first = &hold;
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

PortKey KeyOfPort(const PortBinding& port) {
  PortKey protocol = 3;
  if (port.protocol == "tcp") protocol = 0;
  if (port.protocol == "udp") protocol = 1;
  if (port.protocol == "sctp") protocol = 2;
  return protocol << 16 | port.host_first;
}

HeldPorts::HeldPorts(const std::vector<PortBinding>& ports) {
  for (const PortBinding& port : ports) Insert(port);
}

void HeldPorts::Insert(const PortBinding& port) {
  if (IsRange(port)) {
    ranges_.push_back(port);
  } else {
    singles_.emplace(KeyOfPort(port), port);
  }
}

void HeldPorts::Erase(const PortBinding& port) {
  if (IsRange(port)) {
    const auto held = std::find(ranges_.begin(), ranges_.end(), port);
    SWARM_CHECK(held != ranges_.end(), "only held ports are given back");
    ranges_.erase(held);
    return;
  }
  const auto [first, last] = singles_.equal_range(KeyOfPort(port));
  const auto held =
      std::find_if(first, last, [&port](const auto& entry) { return entry.second == port; });
  SWARM_CHECK(held != last, "only held ports are given back");
  singles_.erase(held);
}

bool HeldPorts::Clashes(const PortBinding& port) const {
  const auto [first, last] = singles_.equal_range(KeyOfPort(port));
  return std::any_of(first, last,
                     [&port](const auto& entry) { return PortsClash(port, entry.second); });
}

std::optional<PortConflict> FindPortConflict(const std::vector<PortBinding>& asked,
                                             const std::vector<PortHold>& held) {
  const HoldersByPort holders(held);
  for (const PortBinding& port : asked) {
    const PortHold* const holder = IsRange(port) ? nullptr : holders.FirstClashing(port);
    if (holder != nullptr) return PortConflict{port, holder->holder};
  }
  std::vector<PortHold> ranges;
  for (const PortHold& hold : held) {
    if (IsRange(hold.port)) ranges.push_back(hold);
  }
  const auto asked_range = std::find_if(asked.begin(), asked.end(), IsRange);
  if (ranges.empty() && asked_range == asked.end()) return std::nullopt;
  HeldPorts ports;
  for (const PortHold& hold : held) ports.Insert(hold.port);
  if (RangesFit(HeldPorts(asked), ports)) return std::nullopt;
  if (asked_range != asked.end()) return PortConflict{*asked_range, ""};
  // A single port was asked that is the last one of a held range.
  for (const PortBinding& port : asked) {
    const PortHold* const holder = FirstRangeWith(port, ranges);
    if (holder != nullptr) return PortConflict{port, holder->holder};
  }
  return PortConflict{asked.front(), ""};
}

bool PortsFit(const std::vector<PortBinding>& asked, const HeldPorts& held) {
  return AskedPortsFit(HeldPorts(asked), held);
}

bool AskedPortsFit(const HeldPorts& asked, const HeldPorts& held) {
  const bool fewer = asked.singles() < held.singles();
  if (fewer ? SinglesClash(asked, held) : SinglesClash(held, asked)) return false;
  return RangesFit(asked, held);
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
