// What is asked of many engines at once, each in its own words.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "api/context.h"
#include "api/upstream.h"

namespace swarm {

// A change may mean much work for an engine; it ends before when the client goes or the node stops
// being healthy.
inline constexpr Duration kPatientChange = std::chrono::minutes(10);

// What one of the engines is asked.
struct NodeRequest {
  NodePointer node;
  std::string method;
  std::string path;  // without version; built from known names only
  Query query;
  std::string body;  // JSON, or empty
};

// How long and for whom.
struct EachOptions {
  ApiVersion client;
  Duration timeout = kShortCall;            // of each engine
  std::size_t max_body = kMostInspectBody;  // of each answer
  std::stop_token stop;                     // of the client's request
};

// Sends them, at most kMostAtOnce at a time; answers of any status in the order of the requests. A
// call ends early when its node stops being healthy (503) or the client goes (Cancelled).
Task<std::vector<NodeAnswer>> AskEach(ContextPointer context, std::vector<NodeRequest> requests,
                                      EachOptions options);

// The same with the options' own bounds.
Task<std::vector<NodeAnswer>> AskEach(ContextPointer context, std::vector<NodeRequest> requests,
                                      ApiVersion client, std::stop_token stop);

// One of them.
Task<Result> AskOne(ContextPointer context, NodeRequest request, ApiVersion client,
                    std::stop_token stop, Duration timeout = kShortCall);
// The same with an error body in the shape of the client's version: to be the client's answer.
Task<Result> AskForClient(ContextPointer context, NodeRequest request, ApiVersion client,
                          std::stop_token stop);

// Starts `ask` for each number below `count`, kMostAtOnce at a time, and comes back with what each
// gave, in order.
using AskNumber = std::function<Task<Result>(std::size_t)>;
Task<std::vector<Result>> AskNumbers(std::size_t count, AskNumber ask);

// One engine's answer, with its node.
struct NodeReply {
  NodePointer node;
  Reply reply;
};
// Which of the nodes that have something counts as the first.
struct FirstRule {
  Enough is_known = nullptr;  // enough has been said to tell; null = all have to say
  // Whether an answer (200) goes before those of nodes whose names come first; null = none does.
  bool (*is_preferred)(const Reply& reply) = nullptr;
};
// The first healthy node by name that has it.
FirstRule FirstByName();
// The client's GET for `path` at the node `only`, or, when that is null, at the first healthy one
// that has it. Of any status but 404, an error in the shape of the client's version; `unknown` when
// none has it.
Task<absl::StatusOr<NodeReply>> AskFirst(ContextPointer context, ApiExchange exchange,
                                         NodePointer only, std::string path, absl::Status unknown,
                                         FirstRule rule = FirstByName());

// AskEach for changes of images, each within kPatientChange. When an engine has carried its out
// (2xx), its images are read again before.
Task<std::vector<NodeAnswer>> ChangeImages(ContextPointer context,
                                           std::vector<NodeRequest> requests, ApiVersion client,
                                           std::stop_token stop);

// The healthy nodes that the filter `node` (a name with *, or an ID) of a query leaves, and the
// query without it. InvalidArgument in the engine's words when the filters cannot be read.
struct NodeSelection {
  std::vector<NodePointer> nodes;
  Query query;
};
absl::StatusOr<NodeSelection> SelectNodes(const Context& context, const Query& query);

// Names the nodes that are unhealthy, and `silent` behind them, in X-Swarmd-Unreachable, if there
// are any.
void NoteUnreachable(const Context& context, const std::vector<std::string>& silent, Reply& reply);

}  // namespace swarm
