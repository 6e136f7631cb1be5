// Requests that no transport has read.
#pragma once

#include "absl/status/status.h"
#include "swarmlib/backend.h"

namespace swarm {

// Holds a request of the embedding program to what a server lets through, and makes of it what a
// server hands on: hop-by-hop fields are taken out, wants_upgrade and peer are set. InvalidArgument
// when the method, the target or a field could not stand in a request. Any thread.
absl::Status CompleteRequest(Request& request);

}  // namespace swarm
