// One request to many engines whose answers take as long as they take.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "api/upstream.h"

namespace swarm {

// The nodes that the filter `node` (names, globs or ids) leaves, and the query without it.
struct NodeSelection {
  std::vector<NodePointer> nodes;
  Query query;
};

// Of the healthy nodes. InvalidArgument with the engine's words for filters that cannot be read.
absl::StatusOr<NodeSelection> SelectNodes(const Context& context, const Query& query);

// Names of all nodes that are unhealthy, with `silent` behind them, for X-Swarmd-Unreachable.
// Empty: there are none.
std::string NamesOfUnreachable(const Context& context, const std::vector<std::string>& silent);

struct Broadcast {
  std::string method;
  std::string path;  // without version
  Query query;
  std::vector<Query> queries;  // instead of `query`, one for each node, unless empty
  ApiVersion client;
  Duration timeout = kShortCall;  // of each engine
  std::size_t max_body = kMostInspectBody;
  std::stop_token stop;  // of the client's request
};

// Sends it, without a body, to every node, at most kMostAtOnce at a time; answers in the order of
// `nodes`. A call ends early when its node stops being healthy (503) or the client goes
// (Cancelled).
Task<std::vector<NodeAnswer>> AskAll(ContextPointer context, std::vector<NodePointer> nodes,
                                     Broadcast broadcast);

// Runs the tasks on the current loop until the last has ended.
Task<void> AwaitAll(std::vector<Task<void>> tasks);

}  // namespace swarm
