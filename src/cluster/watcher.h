// Watches one engine for as long as it is in the cluster.
#pragma once

#include <memory>
#include <stop_token>

#include "absl/status/status.h"
#include "async/task.h"
#include "cluster/engine.h"

namespace swarm {

// Pause before a failed health or state call of a healthy engine is tried again; up to half more by
// jitter.
inline constexpr Duration kRetryPause = std::chrono::seconds(1);
// Longest pause between two tries to reach an engine that is not healthy; up to a quarter more by
// jitter.
inline constexpr Duration kLongestProbePause = std::chrono::seconds(8);

// Runs on the engine's home loop until Engine::Stop.
Task<void> Watch(std::shared_ptr<Engine> engine);

// Reads everything the engine holds and publishes it as healthy. `inspect_all`: also what looks
// unchanged. `changed` becomes the number of containers that did not look as they were known; it
// outlives the call.
Task<absl::Status> Sync(std::shared_ptr<Engine> engine, bool inspect_all, std::size_t* changed,
                        std::stop_token stop);

}  // namespace swarm
