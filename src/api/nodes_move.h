// A container made again on another node, in place of the one that is there.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "api/container_needs.h"
#include "api/context.h"

namespace swarm {

// "com.docker.swarm.movable=true"; the reschedule policy on-node-failure says the same.
inline constexpr std::string_view kMovableLabel = "com.docker.swarm.movable";

bool IsDeclaredMovable(const Container& container);

// What is to be moved, and what is known of it.
struct MoveOrder {
  ContainerPointer entry;
  std::shared_ptr<const ContainerNeeds> needs;  // of its node
  std::string stop_query;                       // "t=30"
  std::stop_token gone;  // asks to give up, which is heeded until the old one is stopped
};

struct MoveOutcome {
  enum class What { kMoved, kLeft, kFailed };
  What what = What::kFailed;
  std::string reason;  // of kMoved: where it is now
};

// FailedPrecondition says why it cannot be moved as it is.
Task<absl::Status> CheckMovable(ContextPointer context, MoveOrder order);

// Makes it anew wherever its placement allows, under a name of its own; stops the old one, starts
// the new one if the old one ran, removes the old one and gives the new one its name. kLeft: it
// cannot be moved as it is, or is being moved already, and was not touched. When the new one cannot
// be made or does not stay up, the new one is removed and the old one is as it was before; every
// reason says what was done.
Task<MoveOutcome> MoveContainer(ContextPointer context, MoveOrder order);

}  // namespace swarm
