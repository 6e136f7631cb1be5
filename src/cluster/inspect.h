// What a list of containers does not tell: the inspect of each, and whose fault it is when one
// fails.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "async/task.h"
#include "cluster/engine.h"
#include "swarmlib/clock.h"

namespace swarm {

// So long the inspect of one container may keep others waiting.
inline constexpr Duration kInspectPatience = std::chrono::seconds(2);

// What came of an inspect by an engine that answers.
struct Inspected {
  bool gone = false;    // the engine does not have the container
  absl::Status unread;  // otherwise: why it could not be read
};

// Adds the inspect of one container on `node` to its list row, which stays as it is when the
// container cannot be read; what is known from before of what a list does not tell is kept. An
// error is the engine's, which does not answer a ping either. `record` outlives the call.
Task<absl::StatusOr<Inspected>> Inspect(std::shared_ptr<Engine> engine, NodePointer node,
                                        ContainerRecord* record, Duration patience,
                                        std::stop_token stop);

// Adds to a list row what is known of its container and a list does not tell.
void KeepKnown(const Engine& engine, ContainerRecord& record);

// To be called when the row of a container that could not be read is published: it is read again
// later. Logged once until it was read.
void MarkUnread(const std::shared_ptr<Engine>& engine, const std::string& id,
                const absl::Status& why);

struct Fetched {
  std::optional<ContainerRecord> record;  // empty: the engine does not have the container
  absl::Status unread;                    // why `record` is its list row alone
};

// One container, list row and inspect, which is left out when `row_only`.
Task<absl::StatusOr<Fetched>> FetchContainer(std::shared_ptr<Engine> engine, std::string id,
                                             bool row_only, std::stop_token stop);

// Reads one container again and publishes what was found; of one that is marked its row, and the
// rest as soon as that can be had. Failures count against the engine.
Task<absl::Status> Reread(std::shared_ptr<Engine> engine, std::string id, std::stop_token stop);
// The same for several, marked or not, each inspect within `patience`; those that the engine does
// not have are gone.
Task<absl::Status> RereadSeveral(std::shared_ptr<Engine> engine, std::vector<std::string> ids,
                                 Duration patience, std::stop_token stop);

}  // namespace swarm
