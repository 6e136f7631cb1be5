// The way to a simulated engine inside the process.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "sim/sim_engine.h"
#include "swarmlib/backend.h"

namespace swarm {

inline constexpr std::size_t kMostSimRequestBytes = 64U << 20U;

// A client of `engine` that obeys its faults: an answer comes `latency` after the call, on the Loop
// of the caller. Bodies of requests are taken whole, kMostSimRequestBytes at most.
std::unique_ptr<BackendClient> MakeSimBackend(std::shared_ptr<SimulatedEngine> engine,
                                              Duration latency);

// What happens to this call of the engine, counted now.
std::optional<Fault> NextSimFault(SimulatedEngine& engine, const Request& request);
// The answer of Fault::Kind::kError.
Reply SimulatedFailure(int status);

}  // namespace swarm
