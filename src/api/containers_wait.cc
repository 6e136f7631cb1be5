#include <memory>
#include <utility>

#include "api/handlers.h"
#include "api/output.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "async/await.h"
#include "async/loop.h"
#include "base/check.h"
#include "base/log.h"
#include "swarmlib/status.h"
#include "wire/errors.h"
#include "wire/json.h"

namespace swarm {
namespace {

constexpr std::size_t kMostWaitBody = 64U << 10U;
constexpr Duration kMostRefresh = std::chrono::seconds(5);
// Engines below this send nothing before the container has ended.
constexpr ApiVersion kHeadAtOnce{1, 30};
// What clients show for a container that the engine could not wait for.
constexpr int kNoExitCode = 125;

// One wait under way. On one loop.
struct Waiting {
  ContextPointer context;
  ContainerPointer entry;
  std::shared_ptr<Output> output;
  std::unique_ptr<Stream> body;  // of the engine's answer
  std::stop_source stop;         // when the client goes
  bool settled = false;          // the refresh has ended or taken too long
  Callback<> on_settled;
};

void GiveUp(Waiting& waiting) {
  waiting.stop.request_stop();
  if (waiting.body) waiting.body->Abort();
}

// Reads the container again, but does not let a slow engine keep the answer back.
Task<bool> Refresh(std::shared_ptr<Waiting> waiting) {
  Loop* const loop = Loop::Current();
  auto start = [waiting, loop](Callback<bool> done) {
    waiting->on_settled = [done = std::move(done)]() mutable { done(true); };
    const auto settle = [waiting] {
      if (std::exchange(waiting->settled, true)) return;
      waiting->on_settled();
    };
    waiting->context->cluster().RefreshContainer(waiting->entry,
                                                 [settle](absl::Status) { settle(); });
    loop->After(kMostRefresh, settle);
  };
  return AwaitCallback<bool>(std::move(start));
}

// The state is read again before the client learns that the wait is over, so that what it asks next
// is answered with what it waited for.
Task<void> RelayEnd(std::shared_ptr<Waiting> waiting) {
  Stream& body = *waiting->body;
  const absl::StatusOr<std::string> text = co_await ReadAll(body, kMostWaitBody);
  if (waiting->output->gone()) co_return;
  if (!text.ok()) {
    waiting->output->Fail(Annotate(text.status(), "node " + waiting->entry->node->name));
    co_return;
  }
  co_await Refresh(waiting);
  waiting->output->Write(*text);
  waiting->output->End();
}

Task<void> RelayWhole(std::shared_ptr<Waiting> waiting, Request request) {
  CallOptions options;
  options.timeout = kLongCall;
  options.stop = waiting->stop.get_token();
  Result answer = co_await SendToEngine(waiting->context, waiting->entry->node, std::move(request),
                                        EngineCall::Way::kStream, std::move(options));
  if (waiting->output->gone()) co_return;
  if (!answer.ok()) {
    waiting->output->Fail(answer.status());
    co_return;
  }
  if (answer->status >= 400) {
    Reply reply = *std::move(answer);
    const Result refused = co_await SettleError(std::move(reply), kHeadAtOnce, kHeadAtOnce);
    // The client has its 200 already: this is how an engine tells an error after that.
    std::string body = "{\"Error\":{";
    AppendJsonField(body, "Message", EngineMessage(refused->body));
    body.push_back('}');
    AppendJsonField(body, "StatusCode", kNoExitCode);
    waiting->output->Write(body + "}\n");
    waiting->output->End();
    co_return;
  }
  waiting->body = std::move(answer->body_stream);
  co_await RelayEnd(waiting);
}

std::shared_ptr<Waiting> MakeWaiting(ContextPointer context, ContainerPointer entry) {
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  auto waiting = std::make_shared<Waiting>();
  waiting->context = std::move(context);
  waiting->entry = std::move(entry);
  waiting->output = std::make_shared<Output>(*loop, kMostWaitBody);
  const std::weak_ptr<Waiting> weak = waiting;
  waiting->output->OnGone([weak] {
    if (const std::shared_ptr<Waiting> waiting = weak.lock()) GiveUp(*waiting);
  });
  return waiting;
}

}  // namespace

Task<Result> WaitContainer(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<ContainerPointer> entry = FindContainer(*context, exchange.name);
  if (!entry.ok()) co_return entry.status();
  const NodePointer node = (*entry)->node;
  const std::string path = "/containers/" + (*entry)->container.id + "/wait";
  const ApiVersion spoken = SpokenTo(*node, exchange.version);
  if (spoken < kHeadAtOnce) {
    Request request;
    request.method = "POST";
    request.target = EngineTarget(spoken, path, exchange.query);
    const std::shared_ptr<Waiting> waiting = MakeWaiting(context, *std::move(entry));
    Reply reply = JsonReply(200, "");
    reply.body_stream = waiting->output->Reader();
    Loop::Current()->Spawn(RelayWhole(waiting, std::move(request)));
    co_return reply;
  }
  EngineCall call;
  call.node = node;
  call.path = path;
  call.way = EngineCall::Way::kStream;
  Result answer = co_await CallEngine(context, std::move(exchange), std::move(call));
  if (!answer.ok() || answer->status >= 400 || !answer->body_stream) co_return answer;
  const std::shared_ptr<Waiting> waiting = MakeWaiting(context, *std::move(entry));
  waiting->body = std::exchange(answer->body_stream, waiting->output->Reader());
  answer->body_length.reset();
  Loop::Current()->Spawn(RelayEnd(waiting));
  co_return answer;
}

}  // namespace swarm
