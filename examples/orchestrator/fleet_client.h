// A machine of the fleet as libswarm sees an engine: requests of Docker's API, answered by calls to
// the fleet. A real orchestrator would speak its own protocol here.
#pragma once

#include <memory>
#include <string>

#include "fleet.h"
#include "swarmlib/backend.h"

namespace fleet {

// For Config::backend. `fleet` must outlive the client.
std::unique_ptr<swarm::BackendClient> MakeFleetClient(Fleet& fleet, const std::string& machine);

}  // namespace fleet
