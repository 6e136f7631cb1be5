// What a request waits for that looks at more than one container.
#pragma once

#include "api/context.h"
#include "async/task.h"
#include "swarmlib/callback.h"
#include "swarmlib/clock.h"
#include "swarmlib/cluster.h"

namespace swarm {

// So long a request waits at most for what an engine has not told yet; a container whose inspect
// takes longer is shown by its list row, and not waited for again until it was read.
inline constexpr Duration kMaxUnread = std::chrono::seconds(2);

// Until the cluster calls back, but not longer than `most`.
Task<void> AwaitAtMost(ContextPointer context, Duration most,
                       void (*when)(Cluster& cluster, Callback<> done));

// Until all that was put off is read; kMaxUnread at most.
Task<void> AwaitReadings(ContextPointer context);

}  // namespace swarm
