// The Docker API over a cluster: one request in, one reply out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/memory_budget.h"
#include "base/metrics.h"
#include "swarmlib/backend.h"
#include "swarmlib/clock.h"
#include "swarmlib/cluster.h"
#include "swarmlib/log.h"
#include "swarmlib/manager.h"
#include "wire/create.h"

namespace swarm {

class RelayedPorts;  // relayed_ports.h

// As the default of Config::client_memory.
inline constexpr std::size_t kClientMemory = 64U << 20U;

struct ApiOptions {
  NameStyle names = NameStyle::kBoth;
  CreateRules rules;
  bool pull_on_create = false;      // as Config::pull_on_create
  RelayedPorts* relayed = nullptr;  // null = none are; else it must outlive the Api
  bool cors = false;                // replies may be read by pages of any origin
  bool experimental = false;        // told by /info and /version
  LogSink log;
  Clock* clock = nullptr;                // null = SystemClock()
  Metrics* metrics = nullptr;            // null = metrics of its own; else it must outlive the Api
  std::shared_ptr<MemoryBudget> budget;  // null = one of its own, of kClientMemory bytes
  int event_listeners = 16'384;          // as Config::event_listeners
  std::uint64_t seed = 1;                // of the ids that mark created containers
  // Cluster::Plan for callers on a loop, where nothing that takes its time must run (filters of the
  // embedding program, patterns over many containers); calls back on any thread. Empty =
  // Cluster::Plan itself.
  std::function<void(ContainerSpec spec, ResultCallback<Explanation> done)> plan;
  // Facts of the manager and its host, told by /info and /version.
  std::string id;              // stable over restarts
  std::string host_name;       // "manager1"
  std::string kernel_version;  // "6.1.0"
  std::string architecture;    // as Go says it, "amd64"
  std::string version;         // "0.1.0"; empty = Version()
};

// A request that an engine answers as it is: where it goes and how. The reply gets `reply_headers`,
// which replace fields of the same name.
struct ForwardPlan {
  std::string_view pattern;  // of the route, for ForwardMeter; lives as long as the program
  std::string node_address;
  std::string target;
  Headers reply_headers;
  // Set: a 200 answer is an inspect answer, which InspectForClient completes for this node.
  NodePointer inspected;
};

// Counts replies that engines gave without Handle as Handle counts its own. Of one loop; the Api's
// metrics outlive it.
class ForwardMeter {
 public:
  explicit ForwardMeter(Metrics& metrics) : metrics_(metrics) {}
  // `status` and the time from the request to the head of its reply.
  void Count(std::string_view pattern, int status, Duration took);

 private:
  struct Series {
    std::string_view pattern;
    int status;
    Counter* requests;
    Histogram* seconds;
  };
  Metrics& metrics_;
  std::vector<Series> series_;  // few: routes that are forwarded, times their statuses
};

// Thread-safe: called from several loops at once; a request runs on the loop that calls and calls
// the cluster on it. Streams handed out in replies may outlive the Api, but neither the cluster nor
// their loop.
class Api {
 public:
  // `cluster` must outlive the Api and every reply.
  Api(Cluster& cluster, ApiOptions options);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // Never throws and never fails: every error becomes a reply in the shape of the client's version.
  // On a Loop only.
  Task<Reply> Handle(Request request);

  // The way of a request that needs nothing but a lookup: GET
  // /containers/NAME/{top,changes,logs,export} of a known container on a healthy node, logs without
  // `follow`. Empty for everything else, also where Handle would answer with an error. Any thread.
  std::optional<ForwardPlan> FastForward(std::string_view method, std::string_view target) const;

  // Whether a request ends when its client ends its side of the connection behind it, and not only
  // when the connection breaks: ServerOptions::lives_for_client. Any thread.
  static bool LivesForClient(std::string_view method, std::string_view target);

  // While this stays the same, FastForward answers the same, but for the version that is offered,
  // which may also change with time. Any thread.
  std::uint64_t generation() const;

  Metrics& metrics();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm
