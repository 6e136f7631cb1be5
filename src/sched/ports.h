// When demands for host ports clash.
//
// A specific address clashes with itself and with the wildcards ("", 0.0.0.0, ::); protocols are
// apart. A range needs one port of its own, whichever; which one is the engine's choice, so ranges
// that are held but not yet bound count as demands that must still find a port each.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

// The same without saying why. `held` in any order.
bool PortsFit(const std::vector<PortBinding>& asked, const std::vector<PortBinding>& held);

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
