// A container made again on another node, in place of the one that is there.
#pragma once

#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "api/context.h"

namespace swarm {

// "com.docker.swarm.movable=true"; the reschedule policy on-node-failure says the same.
inline constexpr std::string_view kMovableLabel = "com.docker.swarm.movable";

bool IsDeclaredMovable(const Container& container);

// FailedPrecondition says why it cannot be moved as it is.
Task<absl::Status> CheckMovable(ContextPointer context, ContainerPointer entry);

// Makes it anew wherever its placement allows, under a name of its own; stops the old one, starts
// the new one if the old one ran, removes the old one and gives the new one its name. The name of
// the node that has it now. When the new one cannot be made or does not start, the new one is
// removed and the old one is as it was before; every error says what was done. `gone` asks to give
// up, which is heeded until the old one is stopped.
Task<absl::StatusOr<std::string>> MoveContainer(ContextPointer context, ContainerPointer entry,
                                                std::string stop_query, std::stop_token gone);

}  // namespace swarm
