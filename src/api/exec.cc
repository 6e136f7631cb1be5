#include <algorithm>
#include <utility>

#include "api/handlers.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "async/await.h"
#include "model/names.h"
#include "swarmlib/status.h"
#include "wire/create.h"

namespace swarm {
namespace {

using Way = EngineCall::Way;

Task<absl::StatusOr<std::string>> FindExecNode(ContextPointer context, std::string id) {
  auto start = [context, id = std::move(id)](ResultCallback<std::string> done) mutable {
    context->cluster().FindExec(std::move(id), std::move(done));
  };
  return AwaitCallback<absl::StatusOr<std::string>>(std::move(start));
}

// Engines resolve exec ids only as the whole 64 digits.
Task<Result> ProxyExec(ContextPointer context, ApiExchange exchange, std::string verb, Way way,
                       bool pass_body) {
  const std::string id = exchange.name;
  const absl::Status unknown = NotFound("No such exec instance: " + id);
  if (!IsFullId(id)) co_return unknown;
  const absl::StatusOr<std::string> address = co_await FindExecNode(context, id);
  if (absl::IsNotFound(address.status())) co_return unknown;
  if (!address.ok()) co_return address.status();
  EngineCall call;
  call.node = context->cluster().FindNode(*address);
  if (!call.node) co_return unknown;
  call.path = "/exec/" + id + "/" + verb;
  call.way = way;
  call.pass_body = pass_body;
  Result answer = co_await CallEngine(std::move(context), std::move(exchange), std::move(call));
  co_return answer;
}

}  // namespace

Task<Result> CreateExec(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<ContainerPointer> entry = FindContainer(*context, exchange.name);
  if (!entry.ok()) co_return entry.status();
  absl::StatusOr<std::string> body =
      co_await JsonBody(exchange.memory, exchange.request.headers, std::move(exchange.request.body),
                        std::move(exchange.request.body_stream), exchange.request.body_length);
  if (!body.ok()) co_return body.status();
  exchange.request.body = *std::move(body);
  EngineCall call;
  call.node = (*entry)->node;
  call.path = "/containers/" + (*entry)->container.id + "/exec";
  call.pass_body = true;
  Result answer = co_await CallEngine(context, std::move(exchange), std::move(call));
  if (!answer.ok() || answer->status >= 300) co_return answer;
  const absl::StatusOr<std::string> id = CreatedId(answer->body);
  if (!id.ok() || !IsFullId(*id)) co_return answer;
  context->cluster().RememberExec(*id, *entry);
  const absl::StatusOr<std::string> holder = co_await FindExecNode(context, *id);
  if (!holder.ok() || *holder == (*entry)->container.node) co_return answer;
  co_return HttpError(502, "node " + (*entry)->node->name + " answered with the exec id of " +
                               "another node's exec: " + *id);
}

Task<Result> StartExec(ContextPointer context, ApiExchange exchange) {
  // Whether it is a tunnel (attached) or a plain answer (Detach) is the engine's to say.
  absl::StatusOr<std::string> body = co_await WholeBody(
      exchange.memory, std::move(exchange.request.body), std::move(exchange.request.body_stream),
      exchange.request.body_length, kMostJsonBody);
  if (!body.ok()) co_return body.status();
  exchange.request.body = *std::move(body);
  Result answer =
      co_await ProxyExec(std::move(context), std::move(exchange), "start", Way::kTunnel, true);
  co_return answer;
}

Task<Result> ResizeExec(ContextPointer context, ApiExchange exchange) {
  return ProxyExec(std::move(context), std::move(exchange), "resize", Way::kWhole, false);
}

Task<Result> InspectExec(ContextPointer context, ApiExchange exchange) {
  return ProxyExec(std::move(context), std::move(exchange), "json", Way::kWhole, false);
}

}  // namespace swarm
