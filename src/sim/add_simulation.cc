#include "base/check.h"
#include "sim/simulation.h"
#include "swarmlib/simulation.h"

namespace swarm {

void AddSimulation(Config& config) {
  Clock& clock = config.clock == nullptr ? SystemClock() : *config.clock;
  auto simulation = std::make_shared<Simulation>(clock);
  const absl::Status added = AddSimulation(config.discovery_registry, simulation);
  SWARM_CHECK(added.ok(), "the scheme sim is added once");
  if (config.discovery.starts_with("sim://"))
    config.backend = SimulationBackend(std::move(simulation));
}

}  // namespace swarm
