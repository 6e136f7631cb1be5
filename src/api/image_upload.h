// Archives of images on their way to nodes.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "api/context.h"
#include "api/node_progress.h"
#include "api/spool.h"

namespace swarm {

// A node that takes nothing of an upload for so long is left behind.
inline constexpr Duration kMostUploadPause = std::chrono::minutes(1);
// An engine that has all of it may unpack for long without a word.
inline constexpr Duration kMostUnpacking = std::chrono::minutes(30);

// The upload of what is in the spool to the run's node. How far it has come is noted in the run.
Request UploadTo(const std::shared_ptr<NodeRun>& run, const std::shared_ptr<Spool>& spool,
                 const ContextPointer& context, std::string target, Headers headers);

// The work of loading what is in the spool; the caller sets nodes, tell and conclude.
std::shared_ptr<NodeWork> LoadingWork(Loop& loop, ContextPointer context,
                                      std::shared_ptr<Spool> spool, Query query, ApiVersion client);

// "2 of 3 nodes (n1, n3): n2: message", of work that failed somewhere.
std::string WhereItWent(const NodeWork& work);

absl::Status NobodyTakes(std::string_view what);

// A run that ends when its node is not healthy any more and when the client goes. On one loop.
class ClientRun {
 public:
  ClientRun(Loop& loop, const ContextPointer& context, NodePointer node, std::stop_token client);
  const std::shared_ptr<NodeRun>& run() const { return run_; }

 private:
  struct Gone {
    Loop* loop;
    std::weak_ptr<NodeRun> run;
    void operator()() const;
  };

  const std::shared_ptr<NodeRun> run_;
  const std::stop_callback<Gone> on_stop_;
};

}  // namespace swarm
