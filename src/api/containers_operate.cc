#include <utility>

#include "api/handlers.h"
#include "api/relayed_ports.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "async/await.h"
#include "base/text.h"
#include "model/names.h"
#include "swarmlib/status.h"
#include "wire/create.h"
#include "wire/json.h"

namespace swarm {
namespace {

using Verb = ContainerOperation::Verb;

constexpr ApiVersion kNoBodyOnStart{1, 24};
// "{}" and the like; engines look at the length alone.
constexpr std::size_t kLongestEmptyObject = 7;

// What clients of old send for what was not asked.
bool IsNothing(JsonValue field) {
  using Kind = JsonDocument::Kind;
  if (field.absent() || field.is(Kind::kFalse)) return true;
  if (field.is(Kind::kArray)) return field.elements().empty();
  if (field.is(Kind::kString)) {
    const std::string text = field.text();
    return text.empty() || text == "default" || text == "bridge" || text == "no";
  }
  if (!field.is(Kind::kObject)) return false;
  if (const JsonValue name = field.Find("Name")) return IsNothing(name);  // a restart policy
  return field.members().empty();
}

absl::StatusOr<ContainerOperation> OperationOf(const Context& context, const ApiExchange& exchange,
                                               Verb verb) {
  absl::StatusOr<ContainerPointer> entry = FindContainer(context, exchange.name);
  if (!entry.ok()) return entry.status();
  ContainerOperation operation;
  operation.verb = verb;
  operation.entry = *std::move(entry);
  operation.query = FormatQuery(exchange.query);
  operation.api_version = ApiVersionText(exchange.version);
  return operation;
}

Task<Result> CarryOut(ContextPointer context, ApiVersion client, ContainerOperation operation) {
  const ApiVersion spoken = SpokenTo(*operation.entry->node, client);
  const ContainerPointer entry = operation.entry;
  // Ports are relayed to where they were found.
  operation.may_be_read_later = context->options().relayed == nullptr;
  Result answer = co_await Operate(context, std::move(operation));
  if (!answer.ok()) co_return answer.status();
  if (IsRelayed(*context, *entry)) co_await SettleRelay(context);
  Reply reply = *std::move(answer);
  Result settled = co_await SettleError(std::move(reply), client, spoken);
  co_return settled;
}

// The first of the settings of a start that a container without them would miss; empty without any.
std::string FirstWish(std::string_view body) {
  JsonDocument document;
  if (!document.Parse(body).ok()) return {};
  for (const char* key : {"Binds", "Links", "PortBindings", "VolumesFrom", "PublishAllPorts",
                          "Privileged", "NetworkMode", "RestartPolicy"}) {
    const absl::StatusOr<JsonValue> field = FindField(document.root(), key);
    if (!field.ok()) return key;
    if (!IsNothing(*field)) return key;
  }
  return {};
}

// The verbs that are told by their query alone.
Task<Result> Simply(ContextPointer context, ApiExchange exchange, Verb verb) {
  absl::StatusOr<ContainerOperation> operation = OperationOf(*context, exchange, verb);
  if (!operation.ok()) co_return operation.status();
  Result answer = co_await CarryOut(std::move(context), exchange.version, *std::move(operation));
  co_return answer;
}

}  // namespace

Task<Result> StartContainer(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<ContainerOperation> operation = OperationOf(*context, exchange, Verb::kStart);
  if (!operation.ok()) co_return operation.status();
  absl::StatusOr<std::string> body = co_await WholeBody(
      exchange.memory, std::move(exchange.request.body), std::move(exchange.request.body_stream),
      exchange.request.body_length, kMostJsonBody);
  if (!body.ok()) co_return body.status();
  if (body->size() > kLongestEmptyObject) {
    if (exchange.version >= kNoBodyOnStart) {
      co_return InvalidArgument(
          "starting container with non-empty request body was deprecated since API v1.22 and "
          "removed in v1.24");
    }
    // Engines that still read it get it; newer ones would refuse the whole start.
    const Node& node = *operation->entry->node;
    if (SpokenTo(node, exchange.version) < kNoBodyOnStart) {
      operation->body = *std::move(body);
      operation->headers.emplace_back("Content-Type", "application/json");
    } else if (const std::string field = FirstWish(*body); !field.empty()) {
      co_return InvalidArgument("the engine on node " + node.name +
                                " takes no settings when a container is started any more, and \"" +
                                field +
                                "\" would be lost: give it in HostConfig when the "
                                "container is created");
    }
  }
  Result answer = co_await CarryOut(std::move(context), exchange.version, *std::move(operation));
  co_return answer;
}

Task<Result> StopContainer(ContextPointer context, ApiExchange exchange) {
  return Simply(std::move(context), std::move(exchange), Verb::kStop);
}

Task<Result> RestartContainer(ContextPointer context, ApiExchange exchange) {
  return Simply(std::move(context), std::move(exchange), Verb::kRestart);
}

Task<Result> KillContainer(ContextPointer context, ApiExchange exchange) {
  return Simply(std::move(context), std::move(exchange), Verb::kKill);
}

Task<Result> PauseContainer(ContextPointer context, ApiExchange exchange) {
  return Simply(std::move(context), std::move(exchange), Verb::kPause);
}

Task<Result> UnpauseContainer(ContextPointer context, ApiExchange exchange) {
  return Simply(std::move(context), std::move(exchange), Verb::kUnpause);
}

Task<Result> RemoveContainer(ContextPointer context, ApiExchange exchange) {
  return Simply(std::move(context), std::move(exchange), Verb::kRemove);
}

Task<Result> UpdateContainer(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<ContainerOperation> operation = OperationOf(*context, exchange, Verb::kUpdate);
  if (!operation.ok()) co_return operation.status();
  absl::StatusOr<std::string> body =
      co_await JsonBody(exchange.memory, exchange.request.headers, std::move(exchange.request.body),
                        std::move(exchange.request.body_stream), exchange.request.body_length);
  if (!body.ok()) co_return body.status();
  absl::StatusOr<Resources> update = ParseUpdate(*body, context->options().rules);
  if (!update.ok()) co_return update.status();
  operation->update = *update;
  operation->body = *std::move(body);
  if (context->options().rules.cpu_shares_as_cores)
    operation->body = WithSharesOfCores(operation->body, *operation->entry->node);
  operation->headers.emplace_back("Content-Type", "application/json");
  Result answer = co_await CarryOut(std::move(context), exchange.version, *std::move(operation));
  co_return answer;
}

Task<Result> RenameContainer(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<ContainerOperation> operation = OperationOf(*context, exchange, Verb::kRename);
  if (!operation.ok()) co_return operation.status();
  const std::string* given = FindQuery(exchange.query, "name");
  std::string_view name = given == nullptr ? std::string_view() : *given;
  if (name.starts_with('/')) name.remove_prefix(1);
  if (name.empty()) co_return InvalidArgument("Neither old nor new names may be empty");
  const std::string& owner = operation->entry->node->name;
  if (name.size() > owner.size() && name.starts_with(owner) && name[owner.size()] == '/') {
    name.remove_prefix(owner.size() + 1);
  }
  if (!IsContainerName(name)) {
    co_return InvalidArgument("Error when allocating new name: Invalid container name (/" +
                              std::string(name) + "), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
  }
  operation->new_name = name;
  Query query;
  query.emplace_back("name", operation->new_name);
  operation->query = FormatQuery(query);
  Result answer = co_await CarryOut(std::move(context), exchange.version, *std::move(operation));
  co_return answer;
}

}  // namespace swarm
