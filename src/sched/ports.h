// When demands for host ports clash.
//
// A specific address clashes with itself and with the wildcards ("", 0.0.0.0, ::); protocols are
// apart. A range needs one port of its own, whichever; which one is the engine's choice, so ranges
// that are held but not yet bound count as demands that must still find a port each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "swarmlib/filter.h"
#include "swarmlib/model.h"

namespace swarm {

bool IsWildcardAddress(std::string_view host_ip);
bool IsRange(const PortBinding& port);

// True when both are single ports and cannot be held together.
bool PortsClash(const PortBinding& left, const PortBinding& right);

// Everything of `asked` that does not fit beside `held`: the first clash, or nothing.
struct PortConflict {
  PortBinding asked;
  std::string holder;  // empty when no port of a range is left
};
std::optional<PortConflict> FindPortConflict(const std::vector<PortBinding>& asked,
                                             const std::vector<PortHold>& held);

// Number and protocol. The protocols that engines know have numbers; all others share one.
using PortKey = std::uint32_t;
PortKey KeyOfPort(const PortBinding& port);

// The ports that are held on one node, found by number and protocol. Equal ones are kept as often
// as they were put in. Each call costs the logarithm of what is held.
class HeldPorts {
 public:
  HeldPorts() = default;
  explicit HeldPorts(const std::vector<PortBinding>& ports);

  void Insert(const PortBinding& port);
  // One that is held.
  void Erase(const PortBinding& port);

  bool empty() const { return singles_.empty() && ranges_.empty(); }
  std::size_t singles() const { return singles_.size(); }
  const std::vector<PortBinding>& ranges() const { return ranges_; }
  // True when a single port of that number and protocol is held, on whatever address.
  bool HoldsNumber(const PortBinding& port) const { return singles_.contains(KeyOfPort(port)); }
  // True when a held single port clashes with it.
  bool Clashes(const PortBinding& port) const;
  template <typename Visit>
  void ForEachSingle(Visit visit) const {
    for (const auto& [key, port] : singles_) visit(port);
  }

 private:
  absl::btree_multimap<PortKey, PortBinding> singles_;
  std::vector<PortBinding> ranges_;
};

// As FindPortConflict without saying why.
bool PortsFit(const std::vector<PortBinding>& asked, const HeldPorts& held);
// The same for what is asked of many nodes: costs the smaller of both, times a logarithm, and what
// ranges are among them.
bool AskedPortsFit(const HeldPorts& asked, const HeldPorts& held);

// What an exposed port of a container in the host's network takes.
PortBinding HostNetworkPort(const PortBinding& exposed);

// The host ports that a container holds by itself: bound ones while it runs, wanted ones while it
// is created and not yet started, none when it has stopped.
std::vector<PortBinding> PortsHeldBy(const Container& container);

// The host ports that it will take when it is started.
std::vector<PortBinding> PortsWantedBy(const Container& container);

// "8080", "127.0.0.1:8080", "7000-7005"; with the protocol: "8080/tcp".
std::string PortText(const PortBinding& port);
std::string PortTextWithProtocol(const PortBinding& port);

}  // namespace swarm
