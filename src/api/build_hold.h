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
class PlaceHold {
 public:
  PlaceHold(Loop& loop, Callback<absl::Status> end) : loop_(loop), end_(std::move(end)) {}
  ~PlaceHold();
  PlaceHold(const PlaceHold&) = delete;
  PlaceHold& operator=(const PlaceHold&) = delete;

 private:
  Loop& loop_;
  Callback<absl::Status> end_;
};

// Where a build runs.
struct BuildPlace {
  NodePointer node;
  std::shared_ptr<PlaceHold> hold;  // null when the build asks for no resources
};

// As PlaceBuild, and holds there what the build asks for. Nothing can come between the two: when
// another takes what was left, the next best node is chosen.
Task<absl::StatusOr<BuildPlace>> HoldBuild(ContextPointer context, ContainerSpec spec,
                                           BuildWishes wishes);

}  // namespace swarm
