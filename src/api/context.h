// What every handler of the API room works with.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/api.h"
#include "api/build_sessions.h"
#include "api/event_pump.h"
#include "api/fresh_volumes.h"
#include "api/kept_rows.h"
#include "api/list_cache.h"
#include "api/name_locks.h"
#include "api/offer.h"
#include "api/replay_turns.h"
#include "async/one_a_turn.h"
#include "async/per_loop.h"
#include "async/task.h"
#include "base/memory_budget.h"
#include "base/metrics.h"
#include "swarmlib/backend.h"
#include "swarmlib/cluster.h"
#include "swarmlib/random.h"
#include "wire/api_version.h"
#include "wire/filters.h"

namespace swarm {

// Bounds of the API room.
inline constexpr std::size_t kMostJsonBody = 4U << 20U;      // bytes of a JSON request body
inline constexpr std::size_t kMostErrorBody = 1U << 20U;     // bytes of an engine's error answer
inline constexpr std::size_t kMostInspectBody = 16U << 20U;  // bytes of an engine's inspect answer
inline constexpr Duration kShortCall = std::chrono::seconds(30);
// After its start the manager lets requests wait this long for the first reading of the engines. An
// engine that hangs does not hold them up for longer.
inline constexpr Duration kFirstReading = std::chrono::seconds(10);
inline constexpr Duration kLongCall = std::chrono::hours(24 * 30);  // wait, uploads, pulls

// Shared by all requests of one Api. Thread-safe; what is not const guards itself.
class Context {
 public:
  Context(Cluster& cluster, ApiOptions options);

  Cluster& cluster() const { return cluster_; }
  const ApiOptions& options() const { return options_; }
  Clock& clock() const { return clock_; }
  Metrics& metrics() const { return *metrics_; }
  VersionOffer& offer() { return offer_; }
  // Shared with the timers that empty it.
  const std::shared_ptr<ListCache>& lists() const { return lists_; }
  KeptRows& rows() { return rows_; }
  NameLocks& locks() { return locks_; }
  FreshVolumes& fresh_volumes() { return fresh_volumes_; }
  PerLoop<EventPump>& event_pumps() { return event_pumps_; }
  // Where the pieces of long lists are made.
  PerLoop<OneATurn>& list_turns() { return list_turns_; }
  ReplayTurns& replay_turns() { return *replay_turns_; }
  ReplayTurns& gather_turns() { return *gather_turns_; }
  // Of request bodies and of answers that are not read yet. Never null.
  const std::shared_ptr<MemoryBudget>& budget() const { return budget_; }
  // Shared with what is open of the builds.
  const std::shared_ptr<BuildSessions>& build_sessions() const { return build_sessions_; }

  // When requests wait no longer for the first reading.
  TimePoint first_reading_end() const { return first_reading_end_; }

  // 64 hexadecimal digits for the label com.docker.swarm.id.
  std::string NewSwarmId();

  std::atomic<int> event_listeners{0};

 private:
  Cluster& cluster_;
  const ApiOptions options_;
  Clock& clock_;
  const TimePoint first_reading_end_;
  std::unique_ptr<Metrics> own_metrics_;
  Metrics* metrics_;
  VersionOffer offer_;
  const std::shared_ptr<MemoryBudget> budget_;
  const std::shared_ptr<ListCache> lists_ = std::make_shared<ListCache>();
  KeptRows rows_;
  NameLocks locks_;  // of networks, volumes and compose projects
  FreshVolumes fresh_volumes_;
  PerLoop<EventPump> event_pumps_;
  PerLoop<OneATurn> list_turns_;
  const std::shared_ptr<ReplayTurns> replay_turns_ =
      std::make_shared<ReplayTurns>(ReplayTurns::kMaxAtOnce);
  const std::shared_ptr<ReplayTurns> gather_turns_ =
      std::make_shared<ReplayTurns>(ReplayTurns::kMaxGathering);
  const std::shared_ptr<BuildSessions> build_sessions_;
  std::mutex random_mutex_;
  Random random_;
};

using ContextPointer = std::shared_ptr<Context>;

// One request on its way through its handler.
struct ApiExchange {
  Request request;
  std::string name;    // what stands for {} in the route's pattern, decoded
  std::string second;  // the second {}, if there is one
  Query query;
  ApiVersion version;  // of the client
  // What the request's body takes, until its reply begins; null for a request of our own.
  std::shared_ptr<MemoryShare> memory;
};

// A handler's answer; an error becomes a reply in the client's version.
using Result = absl::StatusOr<Reply>;

using Handler = Task<Result> (*)(ContextPointer context, ApiExchange exchange);

}  // namespace swarm
