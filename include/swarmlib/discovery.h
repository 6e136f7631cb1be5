// Where the addresses of the engines come from.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "swarmlib/callback.h"
#include "swarmlib/clock.h"
#include "swarmlib/log.h"
#include "swarmlib/registry.h"

namespace swarm {

// Finds the engines of one cluster. Used on one loop.
class Discovery {
 public:
  virtual ~Discovery() = default;

  // Calls `changed` with the whole set ("host:port", sorted, no doubles) at once and after each
  // change, or with an error when the source cannot be read: the set known so far then stays. Ends
  // when the Discovery is destroyed. Called at most once. `changed` is called on that loop only
  // (CallerLoop of caller_loop.h brings other threads there), from inside Watch or later.
  virtual void Watch(std::function<void(absl::StatusOr<std::vector<std::string>>)> changed) = 0;
};

// What a maker may use.
struct DiscoveryContext {
  Clock* clock = nullptr;
  Duration heartbeat = std::chrono::seconds(60);
  LogSink log;
  // Calls back once on the owner's loop after `delay`.
  std::function<void(Duration delay, Callback<> then)> after;
  // Calls back on the owner's loop each time that the descriptor is readable, until the returned
  // function is called. Absent in simulations.
  std::function<std::function<void()>(int descriptor, std::function<void()> readable)>
      watch_descriptor;
};

// `rest` is what follows "scheme://". InvalidArgument if it cannot be read.
using DiscoveryMaker = std::function<absl::StatusOr<std::unique_ptr<Discovery>>(
    std::string_view rest, const DiscoveryContext& context)>;
using DiscoveryRegistry = Registry<DiscoveryMaker>;

// nodes, file. (sim is added by the program that wants it: AddSimulation of the sim room.)
DiscoveryRegistry BuiltinDiscovery();

// Splits "scheme://rest" (no scheme = nodes) and makes the Discovery. An empty or unknown URL is an
// InvalidArgument that names the schemes there are.
absl::StatusOr<std::unique_ptr<Discovery>> MakeDiscovery(const DiscoveryRegistry& registry,
                                                         std::string_view url,
                                                         const DiscoveryContext& context);

// Waits for the first answer of a source and returns it. DeadlineExceeded after `timeout`. Blocks;
// runs its own loop, so it may be called from any thread that has none.
absl::StatusOr<std::vector<std::string>> ListOnce(const DiscoveryRegistry& registry,
                                                  std::string_view url, Duration timeout);

}  // namespace swarm
