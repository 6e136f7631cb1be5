// Checkpoints, an experimental part of engines: one that does not offer them says so itself.
#include <utility>

#include "api/handlers.h"
#include "api/upstream.h"
#include "base/text.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

absl::StatusOr<EngineCall> CallOf(const Context& context, const ApiExchange& exchange) {
  const absl::StatusOr<ContainerPointer> entry = FindContainer(context, exchange.name);
  if (!entry.ok()) return entry.status();
  EngineCall call;
  call.node = (*entry)->node;
  call.path = "/containers/" + (*entry)->container.id + "/checkpoints";
  call.timeout = kShortCall;
  return call;
}

}  // namespace

Task<Result> ContainerCheckpoints(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<EngineCall> call = CallOf(*context, exchange);
  if (!call.ok()) co_return call.status();
  if (exchange.request.method == "POST") {
    absl::StatusOr<std::string> body = co_await JsonBody(
        exchange.memory, exchange.request.headers, std::move(exchange.request.body),
        std::move(exchange.request.body_stream), exchange.request.body_length);
    if (!body.ok()) co_return body.status();
    exchange.request.body = *std::move(body);
    exchange.request.body_length.reset();
    call->pass_body = true;
    call->timeout = kLongCall;  // all of the container's memory is written
  }
  Result answer = co_await CallEngine(std::move(context), std::move(exchange), *std::move(call));
  co_return answer;
}

Task<Result> RemoveCheckpoint(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<EngineCall> call = CallOf(*context, exchange);
  if (!call.ok()) co_return call.status();
  const std::string& name = exchange.second;
  if (name.empty() || name.front() == '.' || name.find_first_of("/\\") != std::string::npos)
    co_return NotFound("checkpoint " + name + " does not exist for container " + exchange.name);
  call->path += "/" + PercentEncode(name);
  Result answer = co_await CallEngine(std::move(context), std::move(exchange), *std::move(call));
  co_return answer;
}

}  // namespace swarm
