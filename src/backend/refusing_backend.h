// Stands for an engine that cannot be reached at all.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "swarmlib/backend.h"

namespace swarm {

// Every call ends with `why`, posted on the calling Loop. From any Loop.
std::unique_ptr<BackendClient> MakeRefusingBackend(absl::Status why);

}  // namespace swarm
