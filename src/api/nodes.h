// What the handlers of /swarmd/v1/nodes share.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/context.h"

namespace swarm {

// The node with that address, name or id. NotFound; AlreadyExists (409) when several have the name.
absl::StatusOr<NodePointer> FindOneNode(const Context& context, std::string_view reference);

// Comes back when placements respect it.
Task<absl::Status> SetCordon(ContextPointer context, std::string address, bool cordoned);

}  // namespace swarm
