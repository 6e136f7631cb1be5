// Placing that may take its time, for filters of the embedding program or for patterns over many
// containers: off the loops.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "async/task.h"
#include "cluster/hub.h"
#include "swarmlib/callback.h"
#include "swarmlib/status.h"

namespace swarm {

absl::Status TooManyPlacementsWait();

// Runs `work` for `spec` on a thread for what takes its time, or at once when it takes none. `done`
// comes on the thread that ran it. ResourceExhausted: too many wait for such a thread.
template <typename Value>
void RunAside(const std::shared_ptr<Hub>& hub, const ContainerSpec& spec,
              std::function<absl::StatusOr<Value>()> work, ResultCallback<Value> done) {
  WorkerPool* const pool = hub->options.foreign;
  if (pool == nullptr || !hub->state.TakesSteps(spec)) return done(work());
  const auto shared = std::make_shared<ResultCallback<Value>>(std::move(done));
  const bool taken = pool->Run([work = std::move(work), shared](bool runs) {
    (*shared)(runs ? work() : absl::StatusOr<Value>(Cancelled("the manager is closed")));
  });
  if (!taken) (*shared)(TooManyPlacementsWait());
}

// As SharedState::Place.
Task<absl::StatusOr<HeldPlace>> PlaceAside(std::shared_ptr<Hub> hub, ContainerSpec spec);

}  // namespace swarm
