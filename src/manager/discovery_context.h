// What a Discovery may use, on a loop.
#pragma once

#include "async/loop.h"
#include "swarmlib/discovery.h"

namespace swarm {

// The loop's clock, timers, log and descriptor readiness. `loop` must outlive the context and what
// was made with it.
DiscoveryContext MakeDiscoveryContext(Loop& loop, Duration heartbeat);

}  // namespace swarm
