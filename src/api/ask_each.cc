#include "api/ask_each.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "async/await.h"
#include "async/loop.h"
#include "base/check.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/errors.h"

namespace swarm {
namespace {

// On one loop; its workers share it, nobody else holds it.
struct Batch {
  AskNumber ask;
  std::vector<Result> answers;
  std::size_t next = 0;     // the number that nobody has asked yet
  std::size_t workers = 0;  // under way
  Callback<std::vector<Result>> done;
};

// Asks one number after the other until none is left.
Task<void> Work(std::shared_ptr<Batch> batch) {
  while (batch->next < batch->answers.size()) {
    const std::size_t at = batch->next++;
    Result answer = co_await batch->ask(at);
    batch->answers[at] = std::move(answer);
  }
  if (--batch->workers == 0) batch->done(std::move(batch->answers));
}

}  // namespace

Task<std::vector<Result>> AskNumbers(std::size_t count, AskNumber ask) {
  if (count == 0) co_return std::vector<Result>();
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  auto batch = std::make_shared<Batch>();
  batch->ask = std::move(ask);
  batch->answers.resize(count);
  auto start = [loop, batch = std::move(batch)](Callback<std::vector<Result>> done) mutable {
    batch->done = std::move(done);
    batch->workers = std::min(batch->answers.size(), kMostAtOnce);
    const std::size_t workers = batch->workers;
    for (std::size_t worker = 0; worker < workers; ++worker) loop->Spawn(Work(batch));
    batch.reset();
  };
  std::vector<Result> answers = co_await AwaitCallback<std::vector<Result>>(std::move(start));
  co_return answers;
}

Task<std::vector<NodeAnswer>> AskEach(ContextPointer context, std::vector<NodeRequest> requests,
                                      ApiVersion client, std::stop_token stop) {
  std::vector<NodePointer> nodes;
  for (const NodeRequest& request : requests) nodes.push_back(request.node);
  AskNumber ask = [context, requests = std::move(requests), client, stop](std::size_t at) {
    return AskOne(context, requests[at], client, stop);
  };
  std::vector<Result> results = co_await AskNumbers(nodes.size(), std::move(ask));
  std::vector<NodeAnswer> answers(nodes.size());
  for (std::size_t at = 0; at < nodes.size(); ++at) {
    answers[at].node = std::move(nodes[at]);
    answers[at].answer = std::move(results[at]);
    answers[at].answered = true;
  }
  co_return answers;
}

Task<Result> AskOne(ContextPointer context, NodeRequest request, ApiVersion client,
                    std::stop_token stop) {
  Request message;
  message.method = std::move(request.method);
  message.target = EngineTarget(SpokenTo(*request.node, client), request.path, request.query);
  message.body = std::move(request.body);
  if (!message.body.empty()) message.headers.emplace_back("Content-Type", "application/json");
  CallOptions options;
  options.timeout = kShortCall;
  options.max_body = kMostInspectBody;
  options.stop = std::move(stop);
  return SendToEngine(std::move(context), std::move(request.node), std::move(message),
                      EngineCall::Way::kWhole, std::move(options));
}

Task<Result> AskForClient(ContextPointer context, NodeRequest request, ApiVersion client,
                          std::stop_token stop) {
  const ApiVersion spoken = SpokenTo(*request.node, client);
  Result answer = co_await AskOne(std::move(context), std::move(request), client, std::move(stop));
  if (!answer.ok()) co_return answer.status();
  Reply reply = *std::move(answer);
  Result settled = co_await SettleError(std::move(reply), client, spoken);
  co_return settled;
}

absl::Status FailureOf(const NodeAnswer& said) {
  if (!said.answer.ok()) return Annotate(said.answer.status(), "node " + said.node->name);
  if (said.answer->status < 400) return absl::OkStatus();
  return HttpError(std::min(said.answer->status, 599),
                   EngineMessage(said.answer->body) + " (node " + said.node->name + ")");
}

absl::Status FirstFailure(const std::vector<NodeAnswer>& answers, std::string_view done) {
  int status = 0;
  std::string message;
  std::vector<std::string> well;
  for (const NodeAnswer& said : answers) {
    const absl::Status failure = FailureOf(said);
    if (failure.ok()) {
      well.push_back(said.node->name);
      continue;
    }
    if (said.answer.ok() && said.answer->status == 404) continue;
    if (status == 0) status = HttpStatusOf(failure);
    if (!message.empty()) message += "; ";
    message += MessageOf(failure);
  }
  if (status == 0) return absl::OkStatus();
  if (!well.empty()) message.append("; ").append(done).append(Join(well, ", "));
  return HttpError(status, message);
}

void NoteUnreachable(Reply& reply, const std::vector<std::string>& names) {
  if (!names.empty()) reply.headers.emplace_back("X-Swarmd-Unreachable", Join(names, ", "));
}

std::vector<std::string> DownNodes(const Context& context) {
  std::vector<std::string> names;
  for (const NodePointer& node : context.cluster().Nodes()) {
    if (node->state == NodeState::kHealthy) continue;
    names.push_back(node->name.empty() ? node->address : node->name);
  }
  return names;
}

}  // namespace swarm
