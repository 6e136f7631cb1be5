// Requests to engines: made anew from what was understood, never copied.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/context.h"

namespace swarm {

// From this version on errors are JSON objects; before they were plain text.
inline constexpr ApiVersion kJsonErrors{1, 24};

// The version that the node's engine is spoken to for this client.
ApiVersion SpokenTo(const Node& node, ApiVersion client);

// "/v1.41" + path + "?" + query.
std::string EngineTarget(ApiVersion spoken, std::string_view path, const Query& query);

// The client's fields that an engine may see. Fields of the transport, credentials for us, and
// registry credentials (unless `registry`) stay behind.
Headers EngineHeaders(const Headers& client, bool registry);

// One request to one engine, and in which way its answer is taken.
struct EngineCall {
  enum class Way { kWhole, kStream, kTunnel };

  NodePointer node;
  std::string path;  // without version; built from known ids only
  Way way = Way::kWhole;
  bool pass_body = false;
  bool registry = false;  // X-Registry-Auth goes along
  Duration timeout = kShortCall;
  std::size_t max_body = kMostInspectBody;
};

// Sends the client's request to the engine with the path replaced and the query kept, and gives
// back its answer, of any status, with error bodies in the shape of the client's version. Given up
// when the client goes (Cancelled) or the node stops being healthy (503) before the head is there.
Task<Result> CallEngine(ContextPointer context, ApiExchange exchange, EngineCall call);

// The same for a request of our own.
Task<Result> SendToEngine(ContextPointer context, NodePointer node, Request request,
                          EngineCall::Way way, CallOptions options);

// One operation on a container by its node, settled in the state before the answer.
Task<Result> Operate(ContextPointer context, ContainerOperation operation);

// An error answer whose body is whole, and in the shape of the client's version.
Task<Result> SettleError(Reply reply, ApiVersion client, ApiVersion spoken);

// What one engine said. `node` is never null.
struct NodeAnswer {
  NodePointer node;
  Result answer;
  bool answered = false;  // false when the round was over before
};
// True when no more answers are wanted. Looked at after each of them.
using Enough = bool (*)(const std::vector<NodeAnswer>& answers);

// An engine that says nothing for longer is left out of what is asked of all, so that one that
// hangs does not delay the others' answers for more than a second.
inline constexpr Duration kFanOutPatience = std::chrono::milliseconds(800);
inline constexpr std::size_t kMostAtOnce = 64;

// The same GET on several engines, at most kMostAtOnce at a time; answers in the order of `nodes`,
// DeadlineExceeded for an engine that took longer than kFanOutPatience.
Task<std::vector<NodeAnswer>> AskNodes(ContextPointer context, std::vector<NodePointer> nodes,
                                       std::string path, Query query, ApiVersion client);
// The same until it is `enough`, which may be null, with a patience of its own, at most kShortCall.
Task<std::vector<NodeAnswer>> AskNodesUntil(ContextPointer context, std::vector<NodePointer> nodes,
                                            std::string path, Query query, ApiVersion client,
                                            Duration patience, Enough enough);
// Those of `nodes` that answer a ping in time: worth waiting longer for.
Task<std::vector<NodePointer>> AnsweringNodes(ContextPointer context,
                                              std::vector<NodePointer> nodes, ApiVersion client);

std::vector<NodePointer> HealthyNodes(const Context& context);

// A body that is held whole: the client may pause so long, and sends this much a second behind the
// first pause; else it gets 408.
inline constexpr Duration kJsonBodyPause = std::chrono::seconds(30);
inline constexpr std::size_t kMinJsonBodyRate = 16U << 10U;  // bytes

// The whole request body, its bytes counted in `memory` (ApiExchange::memory; null =
// not at all). 413 beyond `most`
// bytes, 503 when the budget of the clients' memory has no room for it.
Task<absl::StatusOr<std::string>> WholeBody(std::shared_ptr<MemoryShare> memory, std::string body,
                                            std::unique_ptr<Stream> stream,
                                            std::optional<std::uint64_t> length, std::size_t most);
// The same of an exchange, whose body is taken out; 400 when the content is said to be anything but
// JSON.
Task<absl::StatusOr<std::string>> JsonBody(std::shared_ptr<MemoryShare> memory, Headers headers,
                                           std::string body, std::unique_ptr<Stream> stream,
                                           std::optional<std::uint64_t> length);

// By every form of reference, with the engine's words when there is none.
absl::StatusOr<ContainerPointer> FindContainer(const Context& context, std::string_view reference);

}  // namespace swarm
