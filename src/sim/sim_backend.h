// The way to a simulated engine inside the process.
#pragma once

#include <cstddef>
#include <memory>

#include "sim/sim_engine.h"
#include "swarmlib/backend.h"

namespace swarm {

inline constexpr std::size_t kMostSimRequestBytes = 64U << 20U;

// A client of `engine` that obeys its faults: an answer comes `latency` after the call, on the Loop of the caller.
// Bodies of requests are taken whole, kMostSimRequestBytes at most.
std::unique_ptr<BackendClient> MakeSimBackend(std::shared_ptr<SimulatedEngine> engine, Duration latency);

}  // namespace swarm
