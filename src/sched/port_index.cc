#include "sched/port_index.h"

namespace swarm {

void PortIndex::Insert(Position position, const PortBinding& port) {
  holders_[KeyOfPort(port)].Insert(position);
}

void PortIndex::Erase(Position position, const PortBinding& port) {
  const auto found = holders_.find(KeyOfPort(port));
  if (found == holders_.end()) return;
  found->second.Erase(position);
  if (found->second.empty()) holders_.erase(found);
}

const PositionSet* PortIndex::Holders(const PortBinding& port) const {
  const auto found = holders_.find(KeyOfPort(port));
  return found == holders_.end() ? nullptr : &found->second;
}

}  // namespace swarm
