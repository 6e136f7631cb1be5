#include "cluster/watcher.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "async/await.h"
#include "base/log.h"
#include "cluster/engine_calls.h"
#include "cluster/hub.h"
#include "cluster/look_up.h"
#include "cluster/session.h"
#include "swarmlib/status.h"
#include "wire/engine.h"

namespace swarm {
namespace {

constexpr std::size_t kMostInfoBytes = 4U << 20U;
constexpr int kMostDoublings = 4;

Duration Jitter(Engine& engine, Duration most) {
  if (most <= Duration::zero()) return Duration::zero();
  return Duration(engine.random().Below(static_cast<std::uint64_t>(most.count())));
}

// Before a session is tried again.
Duration NextPause(Engine& engine, int short_sessions) {
  const int tries = std::max(engine.attempts(), short_sessions);
  if (tries == 0)
    return std::chrono::milliseconds(50) + Jitter(engine, std::chrono::milliseconds(200));
  Duration pause = std::chrono::milliseconds(500);
  for (int i = 1; i < std::min(tries, kMostDoublings + 1); ++i) pause *= 2;
  pause = std::min({pause, kLongestProbePause, engine.hub().options.refresh_max});
  return pause + Jitter(engine, pause / 4);
}

Duration NextRefresh(Engine& engine) {
  const EngineClusterOptions& options = engine.hub().options;
  return options.refresh_min + Jitter(engine, options.refresh_max - options.refresh_min);
}

// True when the engine has moved here from `holder`, where nobody answers any more.
bool TakesOver(Engine& engine, const std::string& holder, const std::string& id) {
  const std::shared_ptr<Engine> before = engine.hub().membership.Find(holder);
  if (!before || !engine.hub().state.TakeOverId(engine.member(), id)) return false;
  absl::Status moved = FailedPrecondition("the engine with the ID " + id + " answers at " +
                                          engine.address() + " now");
  before->home()->Post([before, moved = std::move(moved)] { before->Refuse(moved); });
  return true;
}

// Asks the engine who it is. FailedPrecondition: it is not to be used, for the reason given.
Task<absl::Status> Describe(std::shared_ptr<Engine> engine, std::shared_ptr<SeenEvents> seen,
                            std::stop_token stop) {
  Node node;
  node.address = engine->address();
  absl::StatusOr<std::string> ip = co_await ResolveHost(engine, stop);
  if (!ip.ok()) co_return ip.status();
  node.ip = *std::move(ip);
  Gate& gate = engine->hub().GatesOf(engine->home()).described;
  const bool entered = co_await gate.Enter(engine->home(), stop);
  if (!entered) co_return Cancelled("the engine left");
  const GatePass pass(gate);
  const WallTime asked = engine->hub().WallNow();
  const absl::StatusOr<std::string> info = co_await Get(engine, "/info", kMostInfoBytes, stop);
  if (!info.ok()) co_return info.status();
  const WallTime answered = engine->hub().WallNow();
  const WallTime between = asked + (answered - asked) / 2;
  std::vector<std::string> dropped_labels;
  const absl::Status applied = ApplyInfo(*info, between, node, &dropped_labels);
  if (!applied.ok()) co_return applied;
  engine->NoteDroppedLabels(std::move(dropped_labels));
  if (const auto clock = EngineClock(*info)) seen->BeginAt(*clock);
  const absl::StatusOr<std::string> version =
      co_await Get(engine, "/version", kMostInfoBytes, stop);
  if (!version.ok()) co_return version.status();
  if (absl::Status read = ApplyVersion(*version, node); !read.ok()) co_return read;
  if (engine->stopping()) co_return Cancelled("the engine left");
  const std::string& before = engine->node().id;
  if (!before.empty() && before != node.id) {
    co_return FailedPrecondition("the engine's ID changed from " + before + " to " + node.id +
                                 ": another engine answers at " + node.address + " now");
  }
  const std::string holder = engine->hub().state.ClaimId(engine->member(), node.id);
  if (!holder.empty() && !TakesOver(*engine, holder, node.id)) {
    co_return FailedPrecondition("ID duplicated. " + node.id + " is shared by this node " +
                                 node.address + " and another node " + holder +
                                 "; give one of the engines a new ID");
  }
  engine->Describe(std::move(node));
  co_return absl::OkStatus();
}

Task<absl::Status> Ping(std::shared_ptr<Engine> engine, std::stop_token stop) {
  constexpr std::size_t kMostPingBytes = 64U << 10U;
  const absl::StatusOr<std::string> answer =
      co_await Get(engine, "/_ping", kMostPingBytes, std::move(stop));
  co_return answer.status();
}

Task<absl::Status> Refresh(std::shared_ptr<Session> session) {
  session->resync = false;
  const std::stop_token stop = session->stop.get_token();
  absl::Status described = co_await Describe(session->engine, session->seen, stop);
  // Engines do not tell who they are while their containerd is silent. The session's stream still
  // comes from the one that was described.
  if (absl::IsDeadlineExceeded(described))
    described = co_await FaultOfEngine(session->engine, described, stop);
  if (!described.ok()) co_return described;
  const bool inspect_all = false;
  const bool was_silent = std::exchange(session->silent, true);
  std::size_t changed = 0;
  const absl::Status synced = co_await Sync(session->engine, inspect_all, &changed, stop);
  // Something happened and the stream did not tell: it is dead without a word. A new one replays.
  if (synced.ok() && was_silent && session->silent && changed > 0) session->End();
  co_return synced;
}

// Pings, and reads everything anew now and then.
Task<void> Tick(std::shared_ptr<Session> session) {
  const std::shared_ptr<Engine> engine = session->engine;
  Clock& clock = engine->home()->clock();
  TimePoint refresh_at = clock.Now() + NextRefresh(*engine);
  while (!session->over) {
    const bool failing = engine->node().failures > 0;
    const Duration wait =
        failing ? kRetryPause + Jitter(*engine, kRetryPause / 2) : engine->hub().PingInterval();
    co_await session->tick_pause.For(engine->home(), wait);
    if (session->over) co_return;
    const TimePoint began = clock.Now();
    const bool is_reading = !failing && (session->resync || began >= refresh_at);
    absl::Status status;
    if (is_reading) {
      status = co_await Refresh(session);
      refresh_at = clock.Now() + NextRefresh(*engine);
    } else {
      status = co_await Ping(engine, session->stop.get_token());
    }
    if (session->over) co_return;
    if (status.ok()) engine->NoteSuccess();
    if (absl::IsFailedPrecondition(status)) {
      engine->Refuse(status);
    } else if (is_reading && absl::IsDeadlineExceeded(status)) {
      // It may be a single container that is not described.
      engine->NoteOutcome(status, began);
    } else {
      engine->NoteFailure(status, began);
    }
    if (!engine->healthy()) session->End();
  }
}

// The first reading, then what keeps it fresh.
Task<void> Drive(std::shared_ptr<Session> session, absl::Status* outcome) {
  const bool inspect_all = true;
  std::size_t changed = 0;
  *outcome = co_await Sync(session->engine, inspect_all, &changed, session->stop.get_token());
  if (!outcome->ok()) {
    session->End();
    // They count as seen. The next reading of everything shows what they did.
    ForwardWaiting(*session);
    co_return;
  }
  session->engine->NoteAttempt();
  NoteLoss(*session);
  std::vector<Task<void>> parts;
  parts.push_back(ApplyEvents(session));
  parts.push_back(Tick(session));
  co_await RunAll(std::move(parts));
}

// Ends the session when the engine is stopped.
struct EndSession {
  std::weak_ptr<Session> session;
  void operator()() const {
    if (const std::shared_ptr<Session> living = session.lock()) living->End();
  }
};

Task<absl::Status> RunSession(std::shared_ptr<Engine> engine, std::shared_ptr<SeenEvents> seen) {
  const absl::Status described = co_await Describe(engine, seen, engine->stop_token());
  if (!described.ok()) co_return described;
  auto session = std::make_shared<Session>();
  session->engine = engine;
  session->seen = std::move(seen);
  const absl::Status opened = co_await OpenEvents(session);
  if (!opened.ok()) co_return opened;
  const std::stop_callback<EndSession> on_stop(engine->stop_token(), EndSession{session});
  absl::Status outcome;
  std::vector<Task<void>> parts;
  parts.push_back(ReadEvents(session));
  parts.push_back(Drive(session, &outcome));
  co_await RunAll(std::move(parts));
  co_return outcome;
}

}  // namespace

Task<void> Watch(std::shared_ptr<Engine> engine) {
  Clock& clock = engine->home()->clock();
  auto seen = std::make_shared<SeenEvents>();
  int short_sessions = 0;
  while (!engine->stopping()) {
    const TimePoint began = clock.Now();
    const absl::Status status = co_await RunSession(engine, seen);
    if (engine->stopping()) co_return;
    if (absl::IsFailedPrecondition(status)) {
      engine->Refuse(status);
      *seen = SeenEvents();
    } else if (absl::IsCancelled(status)) {
      // The stream broke while everything was being read.
    } else {
      engine->NoteFailure(status, began);
    }
    engine->NoteAttempt();
    const bool was_short = clock.Now() - began < engine->hub().options.refresh_min;
    short_sessions = was_short ? short_sessions + 1 : 0;
    const Duration pause = NextPause(*engine, short_sessions - 1);
    co_await engine->pause().For(engine->home(), pause);
  }
}

}  // namespace swarm
