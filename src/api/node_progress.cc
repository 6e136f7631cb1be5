#include "api/node_progress.h"

#include <algorithm>
#include <utility>

#include "api/image_holders.h"
#include "api/upstream.h"
#include "async/await.h"
#include "swarmlib/status.h"
#include "wire/errors.h"
#include "wire/events.h"
#include "wire/json.h"
#include "wire/progress.h"

namespace swarm {
namespace {

constexpr std::size_t kMostNodesAtOnce = 64;
constexpr std::size_t kMostNodesWithLayers = 4;  // with more nodes the layers would drown the list
constexpr std::size_t kEnoughProgress =
    256U << 10U;  // beyond it engines' lines are left out, those of the nodes' outcomes are not
constexpr std::size_t kMostProgressObject = 1U << 20U;
constexpr Duration kBarPause = std::chrono::milliseconds(200);  // between two bars of one layer
constexpr std::size_t kMostBars = 4'096;
constexpr Duration kWatchPause = std::chrono::seconds(1);  // between two looks at a node

// Engines of Docker 29 and newer give the numbers alone, older ones the drawn bar too. Other lines
// have a `progressDetail` without members.
bool IsBar(JsonValue object) {
  return !object.Find("progress").absent() ||
         !object.Find("progressDetail").Find("current").absent();
}

// The bars of a download come many times a second; one in kBarPause is enough.
bool IsTooSoon(NodeWork& work, const std::string& node, std::string_view object) {
  JsonDocument document;
  if (!document.Parse(object).ok() || !IsBar(document.root())) return false;
  const std::string key = node + "/" + document.root().Find("id").text();
  const TimePoint now = work.context->clock().Now();
  const auto found = work.bars.find(key);
  if (found != work.bars.end()) {
    if (now - found->second < kBarPause) return true;
    found->second = now;
  } else if (work.bars.size() < kMostBars) {
    work.bars.emplace(key, now);
  }
  return false;
}

// A stream whose head has come is not ended by the node's health, nor by any time-out.
absl::Status WhatIsWrong(const Context& context, const NodeRun& run) {
  const NodePointer now = context.cluster().FindNode(run.node->address);
  if (now == nullptr) return HttpError(503, "the node has left the cluster");
  if (now->state != NodeState::kHealthy) {
    return HttpError(503, "the node is " + std::string(NodeStateName(now->state)) +
                              (now->error.empty() ? "" : " (" + now->error + ")"));
  }
  const Duration still = context.clock().Now() - run.moved;
  if (run.patience == Duration::zero() || still < run.patience) return absl::OkStatus();
  return DeadlineExceeded(
      "nothing moved for " +
      std::to_string(std::chrono::duration_cast<std::chrono::seconds>(still).count()) + " s");
}

// Gives on one node's progress until its end. The error that the stream told, or the one of the
// stream itself.
Task<absl::Status> RelayProgress(ContextPointer context, std::shared_ptr<NodeRun> run,
                                 std::unique_ptr<Stream> body, TellProgress tell) {
  ObjectSplitter splitter(kMostProgressObject);
  std::vector<char> buffer(16U << 10U);
  absl::Status told;
  for (;;) {
    const std::span<char> into(buffer);
    Stream& stream = *body;
    const absl::StatusOr<std::size_t> got = co_await Read(stream, into);
    if (!got.ok()) co_return got.status();
    if (*got == 0) co_return told;
    run->moved = context->clock().Now();
    std::vector<std::string> objects;
    const absl::Status split = splitter.Feed(std::string_view(buffer.data(), *got), objects);
    if (!split.ok()) co_return split;
    for (const std::string& object : objects) {
      const std::string error = ProgressError(object);
      if (!error.empty()) {
        told = Internal(error);
      } else if (tell) {
        tell(object);
      }
    }
  }
}

Task<absl::Status> WorkOn(std::shared_ptr<NodeWork> work, NodePointer node) {
  auto run = std::make_shared<NodeRun>();
  run->node = node;
  run->moved = work->context->clock().Now();
  work->runs[node->address] = run;
  WatchRun(*Loop::Current(), work->context, run);
  Request request = work->request(run);
  TellProgress tell = [work, run](const std::string& object) {
    work->tell(*work, *run->node, object);
  };
  absl::Status status = co_await FollowProgress(work->context, run, std::move(request),
                                                work->client, std::move(tell));
  work->runs.erase(node->address);
  if (!run->cut.ok()) co_return run->cut;
  if (!status.ok()) co_return status;
  const absl::Status reread = co_await RereadImages(work->context, node->address);
  // The image is there all the same; the node's next refresh reads the list again.
  (void)reread;
  co_return absl::OkStatus();
}

void Sum(NodeWork& work) {
  for (const NodePointer& node : work.nodes) {
    const auto outcome = work.outcomes.find(node->address);
    if (outcome == work.outcomes.end()) continue;
    const absl::Status& status = outcome->second;
    const std::string text = NameOf(*node) + ": " + std::string(MessageOf(status));
    if (status.ok()) {
      work.succeeded.push_back(NameOf(*node));
    } else if (work.is_no_concern && work.is_no_concern(status)) {
      work.skipped.push_back(text);
    } else {
      work.failed.push_back(text);
    }
  }
}

// Takes one node after the other until none is left.
Task<void> Worker(std::shared_ptr<NodeWork> work) {
  while (work->next < work->nodes.size() && !work->output->gone()) {
    const NodePointer node = work->nodes[work->next++];
    const std::string name = NameOf(*node);
    if (!work->doing.empty()) work->output->Write(ProgressLine(name, work->doing));
    absl::Status status = co_await WorkOn(work, node);
    if (!work->doing.empty()) {
      const std::string outcome = status.ok() ? work->done : std::string(MessageOf(status));
      work->output->Write(ProgressLine(name, work->doing + " : " + outcome));
    }
    work->outcomes[node->address] = std::move(status);
  }
  if (--work->workers > 0 || work->output->gone()) co_return;
  Sum(*work);
  work->conclude(*work);
}

}  // namespace

Task<absl::Status> FollowProgress(ContextPointer context, std::shared_ptr<NodeRun> run,
                                  Request request, ApiVersion client, TellProgress tell) {
  CallOptions options;
  options.timeout = kLongCall;
  options.stop = run->stop.get_token();
  Result answer = co_await SendToEngine(context, run->node, std::move(request),
                                        EngineCall::Way::kStream, std::move(options));
  if (!answer.ok()) co_return answer.status();
  run->moved = context->clock().Now();
  if (answer->status >= 400) {
    Reply reply = *std::move(answer);
    const Result settled = co_await SettleError(std::move(reply), client, client);
    if (!settled.ok()) co_return settled.status();
    co_return HttpError(std::min(settled->status, 599), EngineMessage(settled->body));
  }
  std::unique_ptr<Stream> body = std::move(answer->body_stream);
  if (!body) co_return Internal("the engine's answer has no body");
  if (!run->cut.ok()) co_return run->cut;
  run->answer = body.get();
  absl::Status status = co_await RelayProgress(context, run, std::move(body), std::move(tell));
  run->answer = nullptr;
  co_return status;
}

void CutRun(NodeRun& run, absl::Status why) {
  if (!run.cut.ok()) return;
  run.cut = std::move(why);
  std::stop_source stop = run.stop;  // what stops may destroy the run
  if (run.answer != nullptr) run.answer->Abort();
  stop.request_stop();
}

void WatchRun(Loop& loop, const ContextPointer& context, const std::weak_ptr<NodeRun>& watched) {
  loop.After(kWatchPause, [&loop, context, watched] {
    const std::shared_ptr<NodeRun> run = watched.lock();
    if (!run || !run->cut.ok()) return;
    absl::Status wrong = WhatIsWrong(*context, *run);
    if (!wrong.ok()) return CutRun(*run, std::move(wrong));
    WatchRun(loop, context, watched);
  });
}

void BeginWork(Loop& loop, const std::shared_ptr<NodeWork>& work) {
  const std::weak_ptr<NodeWork> weak = work;
  work->output->OnGone([weak] {
    const std::shared_ptr<NodeWork> work = weak.lock();
    if (!work) return;
    const auto runs = work->runs;  // cutting one changes them
    for (const auto& [address, run] : runs) CutRun(*run, Cancelled("the client went away"));
  });
  work->workers = std::min(work->nodes.size(), kMostNodesAtOnce);
  const std::size_t workers = work->workers;
  for (std::size_t count = 0; count < workers; ++count) loop.Spawn(Worker(work));
}

void TellLayer(NodeWork& work, const Node& node, const std::string& object) {
  if (work.nodes.size() > kMostNodesWithLayers) return;
  if (work.output->held() > kEnoughProgress) return;
  const std::string name = NameOf(node);
  if (!IsTooSoon(work, name, object)) work.output->Write(PrefixProgress(object, name) + "\r\n");
}

std::string NameOf(const Node& node) { return node.name.empty() ? node.address : node.name; }

}  // namespace swarm
