// Clusters without Docker: simulated engines that speak the real API.
#pragma once

#include "swarmlib/manager.h"

namespace swarm {

// Adds the discovery scheme `sim` ("sim://3", "sim://1000?seed=7") and the way to its engines to `config`. Engines
// of other schemes are reached as before. The simulated engines live as long as the copies of config.backend.
void AddSimulation(Config& config);

}  // namespace swarm
