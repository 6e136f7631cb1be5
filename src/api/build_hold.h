// The place of a build on its node, held as that of a container.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "api/build_place.h"
#include "api/context.h"
#include "async/loop.h"
#include "swarmlib/callback.h"

namespace swarm {

// Memory, processors and a slot of a node, counted as reserved until this is destroyed. On one
// loop.
class BuildReservation {
 public:
  BuildReservation(Loop& loop, Callback<absl::Status> end) : loop_(loop), end_(std::move(end)) {}
  ~BuildReservation();
  BuildReservation(const BuildReservation&) = delete;
  BuildReservation& operator=(const BuildReservation&) = delete;

 private:
  Loop& loop_;
  Callback<absl::Status> end_;
};

// Where a build runs.
struct BuildPlace {
  NodePointer node;
  std::shared_ptr<BuildReservation> hold;  // null when the build asks for no resources
};

// As PlaceBuild, and holds there what the build asks for. When another request has taken what was
// left since the node was chosen, a node is chosen again: up to 8 tries in all, then the refusal of
// the last one.
Task<absl::StatusOr<BuildPlace>> HoldBuild(ContextPointer context, ContainerSpec spec,
                                           BuildWishes wishes);

}  // namespace swarm
