// A whole cluster in one thread on virtual time: simulated engines, the engines driver, the API.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "api/api.h"
#include "async/await.h"
#include "async/loop.h"
#include "cluster/engine_cluster.h"
#include "sim/simulation.h"
#include "swarmlib/clock.h"
#include "swarmlib/manager.h"

namespace swarm {

class World {
 public:
  World(int engines, std::uint64_t seed)
      : loop_(clock_, [this](const LogRecord& record) { Note("log " + record.message); }),
        simulation_(SimulationOptions{engines, seed, std::chrono::milliseconds(1)}, clock_) {
    EngineClusterOptions options;
    options.loops = {&loop_};
    options.log = loop_.log();
    options.seed = seed;
    for (const std::string& name : BuiltinFilters().Names()) {
      options.filters.push_back((*BuiltinFilters().Find(name))());
    }
    const StrategyRegistry strategies = BuiltinStrategies();
    options.strategy = (*strategies.Find("spread"))();
    options.backend = [this](const std::string& address) { return simulation_.Client(address); };
    cluster_ = std::make_unique<EngineCluster>(std::move(options));
    ApiOptions api;
    api.clock = &clock_;
    api.seed = seed;
    api.id = "manager";
    api.host_name = "manager";
    api_ = std::make_unique<Api>(*cluster_, std::move(api));
  }

  ~World() {
    cluster_->Stop();
    loop_.RunReady();
  }

  ManualClock& clock() { return clock_; }
  Loop& loop() { return loop_; }
  Simulation& simulation() { return simulation_; }
  EngineCluster& cluster() { return *cluster_; }
  Api& api() { return *api_; }

  // One line of the transcript, with the virtual time.
  void Note(const std::string& line) {
    transcript_ += std::to_string(clock_.Now().time_since_epoch().count()) + " " + line + "\n";
  }
  const std::string& transcript() const { return transcript_; }

  // Runs until `done` says so, moving time whenever nothing is ready; false when `limit` of virtual time passed.
  template <typename Condition>
  bool RunUntil(Condition done, Duration limit = std::chrono::hours(1)) {
    const TimePoint end = clock_.Now() + limit;
    while (!done()) {
      if (loop_.RunReady() > 0) continue;
      if (clock_.Now() >= end || !loop_.StepTime(clock_)) return done();
    }
    return true;
  }

  // Joins the simulated engines and waits until all were tried.
  bool Start() {
    loop_.Post([this] { cluster_->SetAddresses(simulation_.addresses()); });
    return RunUntil([this] { return cluster_->Ready(); });
  }

  // Runs a coroutine to its end.
  bool Finish(Task<void> task) {
    bool finished = false;
    loop_.Spawn(Flagged(std::move(task), &finished));
    return RunUntil([&finished] { return finished; });
  }

 private:
  static Task<void> Flagged(Task<void> task, bool* finished) {
    co_await std::move(task);
    *finished = true;
  }

  ManualClock clock_;
  std::string transcript_;
  Loop loop_;
  Simulation simulation_;
  std::unique_ptr<EngineCluster> cluster_;
  std::unique_ptr<Api> api_;
};

}  // namespace swarm
