// What a request waits for that looks at more than one container.
#pragma once

#include "api/context.h"
#include "async/task.h"
#include "swarmlib/callback.h"
#include "swarmlib/clock.h"
#include "swarmlib/cluster.h"

namespace swarm {

// An engine that does not tell in time what was put off is left: what its creates told is shown.
inline constexpr Duration kMostUnread = std::chrono::milliseconds(500);

// Until the cluster calls back, but not longer than `most`.
Task<void> AwaitAtMost(ContextPointer context, Duration most,
                       void (*when)(Cluster& cluster, Callback<> done));

// Until all that was put off is read; kMostUnread at most.
Task<void> AwaitReadings(ContextPointer context);

}  // namespace swarm
