// Work that runs filters of the embedding program: off the loops, since a filter may take its time.
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

absl::Status TooManyWaitForFilters();

// Runs `work` on a thread for foreign code, or at once when there is no foreign code. `done` comes
// on the thread that ran it. ResourceExhausted: too many wait for such a thread.
template <typename Value>
void RunAside(const std::shared_ptr<Hub>& hub, std::function<absl::StatusOr<Value>()> work,
              ResultCallback<Value> done) {
  WorkerPool* const pool = hub->options.foreign;
  if (pool == nullptr || !hub->state.has_own_filters()) return done(work());
  const auto shared = std::make_shared<ResultCallback<Value>>(std::move(done));
  const bool taken = pool->Run([work = std::move(work), shared](bool runs) {
    (*shared)(runs ? work() : absl::StatusOr<Value>(Cancelled("the manager is closed")));
  });
  if (!taken) (*shared)(TooManyWaitForFilters());
}

// As SharedState::Place.
Task<absl::StatusOr<HeldPlace>> PlaceAside(std::shared_ptr<Hub> hub, ContainerSpec spec);

}  // namespace swarm
