// Events of the past: what is kept, and what only engines still know.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "api/context.h"
#include "async/task.h"
#include "swarmlib/cluster.h"
#include "swarmlib/event.h"

namespace swarm {

// An engine that answered a ping and then takes longer to tell its old events is left out.
inline constexpr Duration kReplayPatience = std::chrono::seconds(10);
// Events that an engine keeps to tell them again. One that tells as many may have forgotten older.
inline constexpr std::size_t kKeptByEngines = 256;

// What healthy nodes tell of [since, until] from the time from which `kept` does not hold all of
// theirs. Where some may be missing stands an `events_lost` of that node. Takes a second and
// kReplayPatience at the most.
Task<std::vector<std::shared_ptr<const ClusterEvent>>> ToldOfPast(ContextPointer context,
                                                                  KeptEvents kept,
                                                                  std::int64_t since,
                                                                  std::int64_t until,
                                                                  ApiVersion client);

// What an engine told this long ago may still be on its way through the manager, which reads what
// events tell of before it hands them on.
inline constexpr Duration kEventDelay = std::chrono::seconds(2);

// What healthy nodes tell at once of [since, until], within a second.
Task<std::vector<std::shared_ptr<const ClusterEvent>>> LatestTold(ContextPointer context,
                                                                  std::int64_t since,
                                                                  std::int64_t until,
                                                                  ApiVersion client);

// Puts what engines told in the order of KeptEvents, each once, without those that are kept.
void LeaveOutKept(const Context& context, std::vector<std::shared_ptr<const ClusterEvent>>& told);

}  // namespace swarm
