#include "sched/port_index.h"

namespace swarm {

std::uint32_t PortIndex::KeyOf(const PortBinding& port) {
  std::uint32_t protocol = 3;
  if (port.protocol == "tcp") protocol = 0;
  if (port.protocol == "udp") protocol = 1;
  if (port.protocol == "sctp") protocol = 2;
  return protocol << 16 | port.host_first;
}

void PortIndex::Insert(Position position, const PortBinding& port) {
  holders_[KeyOf(port)].Insert(position);
}

void PortIndex::Erase(Position position, const PortBinding& port) {
  const auto found = holders_.find(KeyOf(port));
  if (found == holders_.end()) return;
  found->second.Erase(position);
  if (found->second.empty()) holders_.erase(found);
}

const PositionSet* PortIndex::Holders(const PortBinding& port) const {
  const auto found = holders_.find(KeyOf(port));
  return found == holders_.end() ? nullptr : &found->second;
}

}  // namespace swarm
