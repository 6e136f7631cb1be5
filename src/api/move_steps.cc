#include "api/move_steps.h"

#include <algorithm>
#include <utility>

#include "api/upstream.h"
#include "swarmlib/status.h"
#include "wire/errors.h"

namespace swarm {
namespace {

// Said by the manager, which then has asked nobody.
bool IsRefusedHere(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsAlreadyExists(status) ||
         absl::IsInvalidArgument(status);
}

}  // namespace

Task<StepOutcome> TakeStep(ContextPointer context, ContainerPointer entry,
                           ContainerOperation::Verb verb, std::string query, std::string new_name) {
  ContainerOperation operation;
  operation.verb = verb;
  operation.entry = std::move(entry);
  operation.query = std::move(query);
  operation.new_name = std::move(new_name);
  operation.api_version = ApiVersionText(OwnNewestApi());
  const Result answer = co_await Operate(std::move(context), std::move(operation));
  StepOutcome outcome;
  if (!answer.ok()) {
    outcome.status = answer.status();
    outcome.is_known = IsRefusedHere(outcome.status);
    co_return outcome;
  }
  outcome.http = answer->status;
  if (answer->status >= 400) {
    outcome.status = HttpError(std::min(answer->status, 599), EngineMessage(answer->body));
  }
  co_return outcome;
}

Task<absl::StatusOr<std::optional<Recreation>>> LookAt(ContextPointer context,
                                                       ContainerPointer entry) {
  Request request;
  request.method = "GET";
  request.target = EngineTarget(SpokenTo(*entry->node, OwnNewestApi()),
                                "/containers/" + entry->container.id + "/json", {});
  CallOptions options;
  options.timeout = kShortCall;
  options.max_body = kMostInspectBody;
  const Result answer = co_await SendToEngine(context, entry->node, std::move(request),
                                              EngineCall::Way::kWhole, std::move(options));
  if (!answer.ok()) co_return answer.status();
  std::optional<Recreation> seen;
  if (answer->status == 404) co_return seen;
  if (answer->status != 200) {
    const std::string said = EngineMessage(answer->body);
    co_return HttpError(std::clamp(answer->status, 400, 599), said);
  }
  absl::StatusOr<Recreation> read = ReadRecreation(answer->body, entry->node->name);
  if (!read.ok()) co_return read.status();
  seen = *std::move(read);
  co_return seen;
}

std::string NameOfContainer(const ContainerEntry& entry) {
  return entry.container.names.empty() ? entry.container.id : entry.container.names.front();
}

ContainerPointer FindSuccessor(const Context& context, const std::string& id,
                               const std::string& but) {
  for (const auto& group : context.cluster().ContainersInGroups()) {
    for (const ContainerPointer& entry : *group) {
      const Container& container = entry->container;
      const auto from = container.labels.find(kMovedFromLabel);
      if (from != container.labels.end() && from->second == id && container.id != but) return entry;
    }
  }
  return nullptr;
}

absl::Status CheckNameIsIts(const Context& context, const std::string& name,
                            const std::string& id) {
  const absl::StatusOr<ContainerPointer> found = context.cluster().FindContainer(name);
  if (absl::IsAlreadyExists(found.status()))
    return FailedPrecondition("another container has its name on another node: rename one of them");
  if (!found.ok() || (*found)->container.id == id) return absl::OkStatus();
  const std::vector<std::string>& names = (*found)->container.names;
  if (std::find(names.begin(), names.end(), name) == names.end()) return absl::OkStatus();
  return FailedPrecondition("another container has its name on " + (*found)->node->name +
                            ": rename one of them");
}

}  // namespace swarm
