#include "cluster/aside.h"

#include "async/await.h"

namespace swarm {

absl::Status TooManyPlacementsWait() {
  return ResourceExhausted(
      "too many placements wait for filters of this program or for patterns over many containers; "
      "try again when some of them are decided");
}

Task<absl::StatusOr<HeldPlace>> PlaceAside(std::shared_ptr<Hub> hub, ContainerSpec spec) {
  if (!hub->state.TakesSteps(spec)) co_return hub->state.Place(spec);
  auto start = [hub, spec = std::move(spec)](ResultCallback<HeldPlace> done) {
    RunAside<HeldPlace>(
        hub, spec, [hub, spec] { return hub->state.Place(spec); }, std::move(done));
  };
  absl::StatusOr<HeldPlace> place =
      co_await AwaitCallback<absl::StatusOr<HeldPlace>>(std::move(start));
  co_return place;
}

}  // namespace swarm
