#include "cluster/aside.h"

#include "async/await.h"

namespace swarm {

absl::Status TooManyWaitForFilters() {
  return ResourceExhausted(
      "too many placements wait for the filters of this program; try again when some of them have "
      "answered");
}

Task<absl::StatusOr<HeldPlace>> PlaceAside(std::shared_ptr<Hub> hub, ContainerSpec spec) {
  if (!hub->state.has_own_filters()) co_return hub->state.Place(spec);
  auto start = [hub, spec = std::move(spec)](ResultCallback<HeldPlace> done) {
    RunAside<HeldPlace>(
        hub, [hub, spec] { return hub->state.Place(spec); }, std::move(done));
  };
  absl::StatusOr<HeldPlace> place =
      co_await AwaitCallback<absl::StatusOr<HeldPlace>>(std::move(start));
  co_return place;
}

}  // namespace swarm
