// What the cluster asks its engines, as coroutines. All of them go past the guard, take part in no
// counting, and have a deadline: EngineClusterOptions::engine_timeout.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "async/task.h"
#include "cluster/engine.h"
#include "wire/api_version.h"

namespace swarm {

// Bytes of one answer that are taken.
inline constexpr std::size_t kMostListBytes = 256U << 20U;
inline constexpr std::size_t kMostInspectBytes = 16U << 20U;
inline constexpr std::size_t kMostPingBytes = 64U << 10U;

// For a ping beside a call that failed.
inline constexpr Duration kPingPatience = std::chrono::seconds(1);

// The newest API that the cluster itself speaks.
inline constexpr ApiVersion kSpokenVersion{1, 51};

// "/v1.41": the version to speak to this node for a client that speaks `client` (empty: for the
// cluster itself).
std::string VersionPrefix(const Node& node, std::string_view client);

// A request with that method and target, and Host.
Request MakeRequest(std::string_view method, std::string target);

// The node as published now; with the address alone when it left.
Node NodeNow(const Engine& engine);

// Ok for a 200. Otherwise what went wrong with `what`, as the engine's failure: Cancelled,
// Unavailable and DeadlineExceeded as they are, NotFound for a 404, everything else Internal.
absl::Status CheckAnswer(const absl::StatusOr<Reply>& reply, std::string_view what);

// The body of a 200 answer, or CheckAnswer's error.
Task<absl::StatusOr<std::string>> Get(std::shared_ptr<Engine> engine, std::string target,
                                      std::size_t most, std::stop_token stop);

// The same, with a deadline of `patience` if that is shorter.
Task<absl::StatusOr<std::string>> GetWithin(std::shared_ptr<Engine> engine, std::string target,
                                            std::size_t most, Duration patience,
                                            std::stop_token stop);
// Whether the engine answers a ping within `patience`.
Task<bool> AnswersPing(std::shared_ptr<Engine> engine, Duration patience, std::stop_token stop);
// Whose fault `failure` is, a call's to this engine. Ok: not the engine's, which answers a ping.
Task<absl::Status> FaultOfEngine(std::shared_ptr<Engine> engine, absl::Status failure,
                                 std::stop_token stop);

// The id of the container that this create made: by its label com.docker.swarm.id, or by name when
// `swarm_id` is empty. Empty: there is none.
Task<absl::StatusOr<std::string>> FetchCreated(std::shared_ptr<Engine> engine, std::string swarm_id,
                                               std::string name, std::stop_token stop);
// The records of an engine's list, a piece in each turn of the loop until `stop`. Rows without a
// container's id are left out, with a log line.
Task<absl::StatusOr<std::vector<ContainerRecord>>> ReadContainers(std::shared_ptr<Engine> engine,
                                                                  NodePointer node,
                                                                  std::string body,
                                                                  std::stop_token stop);
// Logs that these were left out, if any were.
void LogSkipped(const Engine& engine, const std::vector<std::string>& ids);
// "/v1.41/containers/json?all=1&filters=...": the rows that have one of `values` for `key`.
std::string ListTarget(const Engine& engine, std::string_view key, std::vector<std::string> values);
// images and image_rows of the result. Asked twice unless there is no answer at all: an engine may
// fail because an image is removed meanwhile.
Task<absl::StatusOr<EngineContents>> FetchImages(std::shared_ptr<Engine> engine,
                                                 std::stop_token stop);

// Reads the images again and publishes what was found. Failures count against the engine unless it
// answers a ping.
Task<absl::Status> RereadImages(std::shared_ptr<Engine> engine, std::stop_token stop);

}  // namespace swarm
