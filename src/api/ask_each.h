// Requests of our own to several engines at once, each its own.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "api/upstream.h"

namespace swarm {

// One request to one engine. A body is JSON.
struct NodeRequest {
  NodePointer node;
  std::string method;
  std::string path;  // without version; built from checked parts only
  Query query;
  std::string body;
};

// Starts `ask` for each number below `count`, kMostAtOnce at a time, and comes back with what each
// gave, in order.
using AskNumber = std::function<Task<Result>(std::size_t)>;
Task<std::vector<Result>> AskNumbers(std::size_t count, AskNumber ask);

// Sends them, kMostAtOnce at a time, and comes back with the answers in the order of the requests:
// of any status, or why there is none. Each waits kShortCall at most; `stop` ends all.
Task<std::vector<NodeAnswer>> AskEach(ContextPointer context, std::vector<NodeRequest> requests,
                                      ApiVersion client, std::stop_token stop);

// The same for one.
Task<Result> AskOne(ContextPointer context, NodeRequest request, ApiVersion client,
                    std::stop_token stop);
// The same with an error body in the shape of the client's version: to be the client's answer.
Task<Result> AskForClient(ContextPointer context, NodeRequest request, ApiVersion client,
                          std::stop_token stop);

// Why an answer is no success, naming the node; OK for a status below 400.
absl::Status FailureOf(const NodeAnswer& said);

// OK when each is a success or a 404. Else all failures with the status of the first, and then
// `done` and the names of the nodes where it went well.
absl::Status FirstFailure(const std::vector<NodeAnswer>& answers, std::string_view done);

// The header X-Swarmd-Unreachable with these names, when there are any.
void NoteUnreachable(Reply& reply, const std::vector<std::string>& names);

// Names of the nodes that are not healthy.
std::vector<std::string> DownNodes(const Context& context);

}  // namespace swarm
