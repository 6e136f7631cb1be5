// One piece of work on many nodes whose engines tell their progress, given to the client as one
// stream: pull, load, import.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "api/context.h"
#include "api/output.h"
#include "async/loop.h"

namespace swarm {

inline constexpr std::size_t kMostProgress = 4U << 20U;  // bytes that a slow client may be behind

// The work on one node.
struct NodeRun {
  NodePointer node;
  std::stop_source stop;     // of the request
  Stream* answer = nullptr;  // while it is read
  TimePoint moved;           // when bytes of request or answer moved last
  Duration patience{};  // the longest that nothing may move; 0 = as long as the node is healthy
  absl::Status cut;     // why it was ended from here
};

// On one loop; its coroutines share it. The functions are called on that loop.
struct NodeWork : std::enable_shared_from_this<NodeWork> {
  ContextPointer context;
  std::shared_ptr<Output> output;
  std::vector<NodePointer> nodes;
  ApiVersion client;
  std::string doing;  // "Pulling nginx:latest..."; empty = no lines of the nodes' own
  std::string done;   // "downloaded"
  // What one engine is asked. May set the run's patience and say when bytes of its body moved.
  std::function<Request(std::shared_ptr<NodeRun> run)> request;
  // A progress object of an engine that is no error.
  std::function<void(NodeWork& work, const Node& node, const std::string& object)> tell;
  // True for a failure that only means that the node has no part in it. May be null.
  std::function<bool(const absl::Status& status)> is_no_concern;
  // Once, when all nodes are through and the client still reads. Ends the output.
  std::function<void(NodeWork& work)> conclude;

  // What came of it, in the order of `nodes`.
  std::vector<std::string> succeeded;  // names
  std::vector<std::string> failed;     // "name: message"
  std::vector<std::string> skipped;    // "name: message"

  // Private to node_progress.cc.
  std::map<std::string, absl::Status> outcomes;          // by node address
  std::map<std::string, std::shared_ptr<NodeRun>> runs;  // by node address, under way
  std::map<std::string, TimePoint, std::less<>> bars;    // by layer: when the last was shown
  std::size_t next = 0;                                  // the node that nobody works on yet
  std::size_t workers = 0;                               // under way
};

// Begins it. What goes on ends when the client goes, and on a node when that stops being healthy.
// After success the node's images are read again before it counts.
void BeginWork(Loop& loop, const std::shared_ptr<NodeWork>& work);

// Given each progress object of an engine that is no error. May be null.
using TellProgress = std::function<void(const std::string& object)>;

// Sends the request to the run's node, and follows the progress that it answers with. The error
// that the engine told, or that of the exchange, which may be there because the run was cut.
Task<absl::Status> FollowProgress(ContextPointer context, std::shared_ptr<NodeRun> run,
                                  Request request, ApiVersion client, TellProgress tell);

// Ends the run when its node is not healthy any more, or when nothing moves for longer than its
// patience: the stop is asked for, and `answer` aborted. Until nobody holds the run.
void WatchRun(Loop& loop, const ContextPointer& context, const std::weak_ptr<NodeRun>& run);
// The same at once, for the reason given, unless it was ended before.
void CutRun(NodeRun& run, absl::Status why);

// Tells an object under the node's name, "node/LAYER", where few nodes take part; the bars of one
// layer not more often than clients can draw.
void TellLayer(NodeWork& work, const Node& node, const std::string& object);

// The name, or the address of a node whose name is not known yet.
std::string NameOf(const Node& node);

}  // namespace swarm
