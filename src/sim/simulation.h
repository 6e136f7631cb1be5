// Many simulated engines: discovery and backend of `sim://N`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "sim/sim_engine.h"
#include "swarmlib/backend.h"
#include "swarmlib/discovery.h"

namespace swarm {

inline constexpr int kMostSimEngines = 100'000;

struct SimulationOptions {
  int engines = 3;
  std::uint64_t seed = 1;
  Duration latency{};  // of each call
  // Of the first engine, of the second, ...; behind the last one they begin anew. Empty = as
  // Simulation says.
  std::vector<Labels> labels;
};

// "3", "1000?seed=7&latency=2ms" (ns, us, ms, s), "4?labels=zone%3Deast,disk%3Dssd;zone%3Dwest".
// InvalidArgument says what is wrong.
absl::StatusOr<SimulationOptions> ParseSimulation(std::string_view rest);

// The engines "sim-0001:2375" ... of one process. Unless the options say otherwise odd ones have
// the labels zone=external and storage=ssd, even ones zone=internal and storage=disk. Thread-safe.
class Simulation {
 public:
  // `clock` outlives this and every client of it.
  Simulation(SimulationOptions options, const Clock& clock);
  // No engines yet: the first `sim://` URL tells how many.
  explicit Simulation(const Clock& clock);

  // Makes the engines unless there are some already.
  void Populate(const SimulationOptions& options);
  // One more engine; its address is "NAME:2375". Watchers are told.
  std::shared_ptr<SimulatedEngine> Add(SimEngineOptions options);
  // The engine leaves discovery; clients that hold it still reach it.
  void Remove(std::string_view address);

  std::vector<std::string> addresses() const;  // in order
  // By address; null when unknown.
  std::shared_ptr<SimulatedEngine> engine(std::string_view address) const;
  // The engine at that place of addresses(); null behind the last.
  std::shared_ptr<SimulatedEngine> engine_at(std::size_t index) const;
  Duration latency() const;
  // For Config::backend. An unknown address gives a client that says Unavailable.
  std::unique_ptr<BackendClient> Client(const std::string& address) const;

  // `changed` is called on `loop` with the addresses after each change until the returned function
  // is called.
  std::function<void()> Watch(Loop& loop, std::function<void(std::vector<std::string>)> changed);

 private:
  struct Engine {
    std::string address;
    std::shared_ptr<SimulatedEngine> engine;
  };
  struct Watcher {
    std::uint64_t id;
    Loop* loop;
    std::shared_ptr<std::function<void(std::vector<std::string>)>> changed;
  };
  std::shared_ptr<SimulatedEngine> AddLocked(SimEngineOptions options);
  std::vector<std::string> AddressesLocked() const;
  void TellWatchers();

  const Clock& clock_;
  mutable std::mutex mutex_;
  SimulationOptions options_;
  std::vector<Engine> engines_;  // by address
  std::vector<Watcher> watchers_;
  std::uint64_t last_watcher_ = 0;
  std::uint64_t made_ = 0;
};

// Adds the scheme sim, whose URLs populate `simulation`. AlreadyExists when the registry has one.
absl::Status AddSimulation(DiscoveryRegistry& registry, std::shared_ptr<Simulation> simulation);

// For Config::backend.
std::function<std::unique_ptr<BackendClient>(const std::string&)> SimulationBackend(
    std::shared_ptr<Simulation> simulation);

}  // namespace swarm
