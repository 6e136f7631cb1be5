#include "api/image_upload.h"

#include <utility>

#include "api/upstream.h"
#include "base/text.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

std::shared_ptr<NodeRun> NewRun(const ContextPointer& context, NodePointer node) {
  auto run = std::make_shared<NodeRun>();
  run->node = std::move(node);
  run->moved = context->clock().Now();
  return run;
}

}  // namespace

Request UploadTo(const std::shared_ptr<NodeRun>& run, const std::shared_ptr<Spool>& spool,
                 const ContextPointer& context, std::string target, Headers headers) {
  Request request;
  request.method = "POST";
  request.target = std::move(target);
  request.headers = std::move(headers);
  SetHeader(request.headers, "Content-Type", "application/x-tar");
  run->patience = kMostUploadPause;
  const std::weak_ptr<NodeRun> weak = run;
  request.body_stream = spool->Reader(*Loop::Current(), [weak, context](std::uint64_t left) {
    const std::shared_ptr<NodeRun> run = weak.lock();
    if (!run) return;
    run->moved = context->clock().Now();
    if (left == 0) run->patience = kMostUnpacking;
  });
  request.body_length = spool->size();
  return request;
}

std::shared_ptr<NodeWork> LoadingWork(Loop& loop, ContextPointer context,
                                      std::shared_ptr<Spool> spool, Query query,
                                      ApiVersion client) {
  auto work = std::make_shared<NodeWork>();
  work->output = std::make_shared<Output>(loop, kMostProgress);
  work->client = client;
  work->request = [context, spool = std::move(spool), query = std::move(query),
                   client](const std::shared_ptr<NodeRun>& run) {
    std::string target = EngineTarget(SpokenTo(*run->node, client), "/images/load", query);
    return UploadTo(run, spool, context, std::move(target), Headers());
  };
  work->context = std::move(context);
  return work;
}

std::string WhereItWent(const NodeWork& work) {
  const std::size_t all = work.succeeded.size() + work.failed.size();
  return std::to_string(work.succeeded.size()) + " of " + std::to_string(all) + " nodes" +
         (work.succeeded.empty() ? "" : " (" + Join(work.succeeded, ", ") + ")") + ": " +
         Join(work.failed, "; ");
}

absl::Status NobodyTakes(std::string_view what) {
  return Unavailable("no healthy node can " + std::string(what) +
                     ": \"docker info\" shows the state of each");
}

// Posted: the stop may come from any thread.
void ClientRun::Gone::operator()() const {
  loop->Post([run = run] {
    const std::shared_ptr<NodeRun> held = run.lock();
    if (held) CutRun(*held, Cancelled("the client went away"));
  });
}

ClientRun::ClientRun(Loop& loop, const ContextPointer& context, NodePointer node,
                     std::stop_token client)
    : run_(NewRun(context, std::move(node))), on_stop_(std::move(client), Gone{&loop, run_}) {
  WatchRun(loop, context, run_);
}

}  // namespace swarm
