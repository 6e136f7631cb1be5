// What happens in a cluster.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "swarmlib/model.h"

namespace swarm {

// One event of an engine, or of the manager itself (engine_connect, engine_reconnect,
// engine_disconnect). Immutable once published.
struct ClusterEvent {
  std::uint64_t sequence = 0;  // order of arrival in this manager, from 1
  std::string type;            // container, image, network, volume, daemon, node
  std::string action;          // "start", "exec_start: ls", ...
  std::string actor_id;
  Labels attributes;           // of the actor, with node.name, node.id, node.addr, node.ip
  std::string scope;           // local, swarm
  std::int64_t time_nano = 0;  // by the engine's clock, since 1970
  std::string node;            // Node::address
};

}  // namespace swarm
