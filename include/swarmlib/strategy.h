// How the nodes that fit are ranked.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "swarmlib/model.h"
#include "swarmlib/random.h"
#include "swarmlib/registry.h"

namespace swarm {

// What a strategy may know of a node: small numbers only, so that equal nodes share one rank.
struct NodeUsage {
  Resources reserved;         // by containers of every state and by creates under way
  Resources total;            // with overcommit
  std::int64_t health = 100;  // 100 - failures * 100 / failure_retry; 0 when not healthy
  std::int64_t containers = 0;
};

// Stateless, so any thread may call it. Called while the cluster's state is locked: it is quick,
// waits for nothing and calls no manager.
class Strategy {
 public:
  virtual ~Strategy() = default;

  // The word used in `--strategy`; lower case, never changes once released.
  virtual std::string_view name() const = 0;

  // The rank of a node for a request; the lowest is taken. Empty = does not fit. Equal ranks are
  // settled by the node's name, then its address, in byte order.
  virtual std::optional<std::int64_t> Rank(const NodeUsage& usage,
                                           const Resources& request) const = 0;

  // True when the scheduler shall draw among the nodes that fit instead of ranking them.
  virtual bool draws() const { return false; }
};

using StrategyMaker = std::function<std::unique_ptr<Strategy>()>;
using StrategyRegistry = Registry<StrategyMaker>;

// spread (balanced), binpack (binpacking), random.
StrategyRegistry BuiltinStrategies();

}  // namespace swarm
