// Clusters without Docker: simulated engines that speak the real API.
#pragma once

#include "swarmlib/manager.h"

namespace swarm {

// Adds the discovery scheme `sim` ("sim://3", "sim://1000?seed=7") to `config` and, when
// Config::discovery names it, the way to its engines. Call it once, after Config::discovery and
// Config::clock are set.
void AddSimulation(Config& config);

}  // namespace swarm
