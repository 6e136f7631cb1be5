// POST /containers/NAME/copy, which clients up to API 1.23 know.
#include <utility>

#include "api/handlers.h"
#include "api/upstream.h"
#include "swarmlib/status.h"
#include "wire/json.h"

namespace swarm {
namespace {

constexpr ApiVersion kFirstWithoutCopy{1, 24};

absl::StatusOr<std::string> ResourceOf(std::string_view body) {
  JsonDocument document;
  if (absl::Status parsed = document.Parse(body); !parsed.ok()) return parsed;
  const absl::StatusOr<JsonValue> field = FindField(document.root(), "Resource");
  if (!field.ok()) return field.status();
  std::string resource = field->text();
  if (resource.empty()) return InvalidArgument("Path cannot be empty");
  return resource;
}

}  // namespace

// Engines of today do not have it any more. What it gave is what GET archive gives.
Task<Result> CopyFromContainer(ContextPointer context, ApiExchange exchange) {
  if (exchange.version >= kFirstWithoutCopy) co_return NotFound("page not found");
  const absl::StatusOr<ContainerPointer> entry = FindContainer(*context, exchange.name);
  if (!entry.ok()) co_return entry.status();
  const absl::StatusOr<std::string> body =
      co_await JsonBody(exchange.memory, exchange.request.headers, std::move(exchange.request.body),
                        std::move(exchange.request.body_stream), exchange.request.body_length);
  if (!body.ok()) co_return body.status();
  absl::StatusOr<std::string> resource = ResourceOf(*body);
  if (!resource.ok()) co_return resource.status();
  EngineCall call;
  call.node = (*entry)->node;
  call.path = "/containers/" + (*entry)->container.id + "/archive";
  call.way = EngineCall::Way::kStream;
  call.timeout = kLongCall;
  exchange.request.method = "GET";
  exchange.query.clear();
  exchange.query.emplace_back("path", *std::move(resource));
  Result answer = co_await CallEngine(std::move(context), std::move(exchange), std::move(call));
  if (answer.ok()) RemoveHeader(answer->headers, "X-Docker-Container-Path-Stat");
  co_return answer;
}

}  // namespace swarm
