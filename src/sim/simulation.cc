#include "sim/simulation.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "backend/refusing_backend.h"
#include "base/check.h"
#include "base/text.h"
#include "sim/sim_backend.h"
#include "swarmlib/status.h"
#include "wire/filters.h"

namespace swarm {
namespace {

absl::Status BadUrl(std::string_view rest, std::string_view why) {
  return InvalidArgument(
      "sim://" + std::string(rest) + " cannot be read: " + std::string(why) +
      "; wanted is sim://NUMBER[?seed=NUMBER&latency=5ms&labels=zone%3Deast;zone%3Dwest]");
}

std::optional<Duration> ParseDuration(std::string_view text) {
  static constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}};
  constexpr std::uint64_t kMost = 1'000'000;
  for (const auto& [unit, nanoseconds] : kUnits) {
    if (!text.ends_with(unit)) continue;
    const auto number = ParseUnsigned(text.substr(0, text.size() - unit.size()));
    if (number && *number <= kMost)
      return Duration(static_cast<std::int64_t>(*number) * nanoseconds);
  }
  return std::nullopt;
}

// "zone=east,disk=ssd;zone=west": engines are parted by ";".
std::optional<std::vector<Labels>> ParseLabels(std::string_view text) {
  std::vector<Labels> all;
  for (const std::string_view engine : Split(text, ';')) {
    Labels labels;
    for (const std::string_view label : Split(engine, ',')) {
      if (label.empty()) continue;
      const std::size_t equals = label.find('=');
      if (equals == 0 || equals == std::string_view::npos) return std::nullopt;
      labels[std::string(label.substr(0, equals))] = std::string(label.substr(equals + 1));
    }
    all.push_back(std::move(labels));
  }
  return all;
}

class SimDiscovery final : public Discovery {
 public:
  explicit SimDiscovery(std::shared_ptr<Simulation> simulation)
      : simulation_(std::move(simulation)) {}
  ~SimDiscovery() override {
    if (stop_) stop_();
  }

  void Watch(std::function<void(absl::StatusOr<std::vector<std::string>>)> changed) override {
    Loop* loop = Loop::Current();
    SWARM_CHECK(loop != nullptr, "discovery is watched on a Loop");
    stop_ = simulation_->Watch(
        *loop, [changed](std::vector<std::string> addresses) { changed(std::move(addresses)); });
    changed(simulation_->addresses());
  }

 private:
  std::shared_ptr<Simulation> simulation_;
  std::function<void()> stop_;
};

}  // namespace

absl::StatusOr<SimulationOptions> ParseSimulation(std::string_view rest) {
  SimulationOptions options;
  const std::size_t mark = rest.find('?');
  const auto engines = ParseUnsigned(rest.substr(0, mark));
  if (!engines || *engines == 0 || *engines > kMostSimEngines) {
    return BadUrl(rest,
                  "the number of engines must be from 1 to " + std::to_string(kMostSimEngines));
  }
  options.engines = static_cast<int>(*engines);
  if (mark == std::string_view::npos) return options;
  for (const auto& [key, value] : ParseQuery(rest.substr(mark + 1))) {
    if (key == "seed") {
      const auto seed = ParseUnsigned(value);
      if (!seed) return BadUrl(rest, "the seed must be a number");
      options.seed = *seed;
    } else if (key == "latency") {
      const auto latency = ParseDuration(value);
      if (!latency) return BadUrl(rest, "the latency must be a time such as 5ms");
      options.latency = *latency;
    } else if (key == "labels") {
      auto labels = ParseLabels(value);
      if (!labels) return BadUrl(rest, "each label must be KEY=VALUE");
      options.labels = *std::move(labels);
    } else {
      return BadUrl(rest, "unknown option \"" + key + "\"");
    }
  }
  return options;
}

Simulation::Simulation(SimulationOptions options, const Clock& clock) : clock_(clock) {
  Populate(options);
}

Simulation::Simulation(const Clock& clock) : clock_(clock) {}

void Simulation::Populate(const SimulationOptions& options) {
  const std::lock_guard lock(mutex_);
  if (!engines_.empty()) return;
  options_ = options;
  for (int number = 1; number <= options.engines; ++number) {
    char name[24];
    std::snprintf(name, sizeof name, "sim-%04d", number);
    const bool is_odd = number % 2 == 1;
    SimEngineOptions engine;
    engine.name = name;
    if (options.labels.empty()) {
      engine.labels = {{"storage", is_odd ? "ssd" : "disk"},
                       {"zone", is_odd ? "external" : "internal"}};
    } else {
      engine.labels = options.labels[static_cast<std::size_t>(number - 1) % options.labels.size()];
    }
    AddLocked(std::move(engine));
  }
}

std::shared_ptr<SimulatedEngine> Simulation::AddLocked(SimEngineOptions options) {
  const std::string address = options.name + ":2375";
  // Neighbouring seeds would draw neighbouring numbers in a weaker generator; here the number alone
  // is enough.
  const std::uint64_t seed = options_.seed * 1'000'003 + ++made_;
  auto engine = std::make_shared<SimulatedEngine>(std::move(options), clock_, seed);
  const auto place = std::lower_bound(
      engines_.begin(), engines_.end(), address,
      [](const Engine& one, const std::string& text) { return one.address < text; });
  engines_.insert(place, {address, engine});
  return engine;
}

std::shared_ptr<SimulatedEngine> Simulation::Add(SimEngineOptions options) {
  const std::lock_guard lock(mutex_);
  auto engine = AddLocked(std::move(options));
  TellWatchers();
  return engine;
}

void Simulation::Remove(std::string_view address) {
  const std::lock_guard lock(mutex_);
  std::erase_if(engines_, [address](const Engine& one) { return one.address == address; });
  TellWatchers();
}

std::vector<std::string> Simulation::AddressesLocked() const {
  std::vector<std::string> addresses;
  addresses.reserve(engines_.size());
  for (const Engine& one : engines_) addresses.push_back(one.address);
  return addresses;
}

std::vector<std::string> Simulation::addresses() const {
  const std::lock_guard lock(mutex_);
  return AddressesLocked();
}

std::shared_ptr<SimulatedEngine> Simulation::engine(std::string_view address) const {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::lower_bound(engines_.begin(), engines_.end(), address,
                       [](const Engine& one, std::string_view text) { return one.address < text; });
  return found != engines_.end() && found->address == address ? found->engine : nullptr;
}

std::shared_ptr<SimulatedEngine> Simulation::engine_at(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  return index < engines_.size() ? engines_[index].engine : nullptr;
}

Duration Simulation::latency() const {
  const std::lock_guard lock(mutex_);
  return options_.latency;
}

std::unique_ptr<BackendClient> Simulation::Client(const std::string& address) const {
  auto found = engine(address);
  if (!found) {
    return MakeRefusingBackend(
        Unavailable("cannot connect to " + address + ": no simulated engine has this address"));
  }
  return MakeSimBackend(std::move(found), latency());
}

std::function<void()> Simulation::Watch(Loop& loop,
                                        std::function<void(std::vector<std::string>)> changed) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t id = ++last_watcher_;
  auto shared = std::make_shared<std::function<void(std::vector<std::string>)>>(std::move(changed));
  watchers_.push_back({id, &loop, shared});
  return [this, id, shared] {
    const std::lock_guard guard(mutex_);
    // What is posted already finds nothing to call.
    *shared = nullptr;
    std::erase_if(watchers_, [id](const Watcher& watcher) { return watcher.id == id; });
  };
}

void Simulation::TellWatchers() {
  for (const Watcher& watcher : watchers_) {
    watcher.loop->Post([changed = watcher.changed, addresses = AddressesLocked()]() mutable {
      if (*changed) (*changed)(std::move(addresses));
    });
  }
}

absl::Status AddSimulation(DiscoveryRegistry& registry, std::shared_ptr<Simulation> simulation) {
  return registry.Add("sim",
                      [simulation = std::move(simulation)](
                          std::string_view rest,
                          const DiscoveryContext&) -> absl::StatusOr<std::unique_ptr<Discovery>> {
                        const absl::StatusOr<SimulationOptions> options = ParseSimulation(rest);
                        if (!options.ok()) return options.status();
                        simulation->Populate(*options);
                        return std::make_unique<SimDiscovery>(simulation);
                      });
}

std::function<std::unique_ptr<BackendClient>(const std::string&)> SimulationBackend(
    std::shared_ptr<Simulation> simulation) {
  return [simulation = std::move(simulation)](const std::string& address) {
    return simulation->Client(address);
  };
}

}  // namespace swarm
