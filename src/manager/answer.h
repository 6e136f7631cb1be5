// Requests of clients on their way through the Api.
#pragma once

#include <atomic>
#include <memory>

#include "api/api.h"
#include "async/task.h"
#include "manager/running_requests.h"
#include "swarmlib/backend.h"

namespace swarm {

// `api` outlives what runs.
Task<void> Answer(Api* api, Request request, ResultCallback<Reply> done, RunningRequest running);

// The same for a client of a server. Answers that end only when their client has enough (events,
// logs that are followed, streamed statistics) are counted in `followed` while they are open: Close
// does not wait for them.
Task<void> AnswerServed(Api* api, Request request, ResultCallback<Reply> done,
                        RunningRequest running, std::shared_ptr<std::atomic<int>> followed);

}  // namespace swarm
