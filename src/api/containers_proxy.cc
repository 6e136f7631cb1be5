#include <utility>

#include "api/handlers.h"
#include "api/relayed_ports.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "swarmlib/status.h"
#include "wire/containers.h"

namespace swarm {
namespace {

using Way = EngineCall::Way;

// The call of `verb` on the container that the exchange names.
absl::StatusOr<EngineCall> CallOf(const Context& context, const ApiExchange& exchange,
                                  std::string_view verb, Way way, Duration timeout) {
  const absl::StatusOr<ContainerPointer> entry = FindContainer(context, exchange.name);
  if (!entry.ok()) return entry.status();
  EngineCall call;
  call.node = (*entry)->node;
  call.path = "/containers/" + (*entry)->container.id + "/" + std::string(verb);
  call.way = way;
  call.timeout = timeout;
  return call;
}

Task<Result> Proxy(ContextPointer context, ApiExchange exchange, absl::StatusOr<EngineCall> call) {
  if (!call.ok()) co_return call.status();
  Result answer = co_await CallEngine(std::move(context), std::move(exchange), *std::move(call));
  co_return answer;
}

}  // namespace

Task<Result> InspectContainer(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<EngineCall> call = CallOf(*context, exchange, "json", Way::kWhole, kShortCall);
  if (!call.ok()) co_return call.status();
  const NodePointer node = call->node;
  const absl::StatusOr<ContainerPointer> entry = FindContainer(*context, exchange.name);
  Result answer = co_await CallEngine(context, std::move(exchange), *std::move(call));
  if (!answer.ok() || answer->status != 200) co_return answer;
  absl::StatusOr<std::string> body = InspectForClient(answer->body, *node);
  if (body.ok() && entry.ok() && IsRelayed(*context, **entry)) {
    std::string plain = *std::move(body);
    body = co_await TellRelayed(context, *entry, std::move(plain));
  }
  if (!body.ok()) {
    co_return HttpError(502, "node " + node->name + " (" + node->address +
                                 ") answered an inspection with something else: " +
                                 std::string(MessageOf(body.status())));
  }
  answer->body = *std::move(body);
  co_return answer;
}

Task<Result> TopContainer(ContextPointer context, ApiExchange exchange) {
  auto call = CallOf(*context, exchange, "top", Way::kStream, kShortCall);
  return Proxy(std::move(context), std::move(exchange), std::move(call));
}

Task<Result> ContainerLogs(ContextPointer context, ApiExchange exchange) {
  auto call = CallOf(*context, exchange, "logs", Way::kStream, kShortCall);
  return Proxy(std::move(context), std::move(exchange), std::move(call));
}

Task<Result> ContainerStats(ContextPointer context, ApiExchange exchange) {
  auto call = CallOf(*context, exchange, "stats", Way::kStream, kShortCall);
  return Proxy(std::move(context), std::move(exchange), std::move(call));
}

Task<Result> ContainerChanges(ContextPointer context, ApiExchange exchange) {
  auto call = CallOf(*context, exchange, "changes", Way::kStream, kShortCall);
  return Proxy(std::move(context), std::move(exchange), std::move(call));
}

Task<Result> ExportContainer(ContextPointer context, ApiExchange exchange) {
  auto call = CallOf(*context, exchange, "export", Way::kStream, kLongCall);
  return Proxy(std::move(context), std::move(exchange), std::move(call));
}

Task<Result> ContainerArchive(ContextPointer context, ApiExchange exchange) {
  // An engine answers an upload only when all of it has arrived.
  auto call = CallOf(*context, exchange, "archive", Way::kStream, kLongCall);
  if (call.ok()) {
    call->pass_body = exchange.request.method == "PUT";
    if (exchange.request.method == "HEAD") {
      call->way = Way::kWhole;
      call->timeout = kShortCall;
    }
  }
  return Proxy(std::move(context), std::move(exchange), std::move(call));
}

Task<Result> ResizeContainer(ContextPointer context, ApiExchange exchange) {
  auto call = CallOf(*context, exchange, "resize", Way::kWhole, kShortCall);
  return Proxy(std::move(context), std::move(exchange), std::move(call));
}

Task<Result> AttachContainer(ContextPointer context, ApiExchange exchange) {
  // Some clients repeat the query in a body. Engines do not look at it; what comes after it is the
  // container's input.
  const absl::StatusOr<std::string> body = co_await WholeBody(
      exchange.memory, std::move(exchange.request.body), std::move(exchange.request.body_stream),
      exchange.request.body_length, kMostJsonBody);
  if (!body.ok()) co_return body.status();
  auto call = CallOf(*context, exchange, "attach", Way::kTunnel, kShortCall);
  Result answer = co_await Proxy(std::move(context), std::move(exchange), std::move(call));
  co_return answer;
}

Task<Result> AttachWebsocket(ContextPointer context, ApiExchange exchange) {
  auto call = CallOf(*context, exchange, "attach/ws", Way::kTunnel, kShortCall);
  return Proxy(std::move(context), std::move(exchange), std::move(call));
}

}  // namespace swarm
