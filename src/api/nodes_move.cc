#include "api/nodes_move.h"

#include <algorithm>
#include <utility>

#include "api/handlers.h"
#include "api/upstream.h"
#include "async/await.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/create.h"
#include "wire/errors.h"
#include "wire/json.h"
#include "wire/recreate.h"

namespace swarm {
namespace {

using Verb = ContainerOperation::Verb;

constexpr std::size_t kMovingSuffix = 12;  // digits that make the passing name a new one

bool WasUp(const ContainerEntry& entry) {
  return entry.container.state == ContainerState::kRunning ||
         entry.container.state == ContainerState::kRestarting;
}

std::string NameOfContainer(const ContainerEntry& entry) {
  return entry.container.names.empty() ? entry.container.id : entry.container.names.front();
}

Task<Result> OperateNow(ContextPointer context, ContainerOperation operation) {
  auto start = [context, operation = std::move(operation)](ResultCallback<Reply> done) mutable {
    context->cluster().Operate(std::move(operation), std::move(done));
  };
  return AwaitCallback<Result>(std::move(start));
}

// Ok also when there was nothing left to do.
absl::Status StatusOf(const Result& answer) {
  if (!answer.ok()) return answer.status();
  if (answer->status < 400) return absl::OkStatus();
  return HttpError(std::min(answer->status, 599), EngineMessage(answer->body));
}

Task<absl::Status> Carry(ContextPointer context, ContainerPointer entry, Verb verb,
                         std::string query, std::string new_name) {
  ContainerOperation operation;
  operation.verb = verb;
  operation.entry = std::move(entry);
  operation.query = std::move(query);
  operation.new_name = std::move(new_name);
  operation.api_version = ApiVersionText(OwnNewestApi());
  const Result answer = co_await OperateNow(std::move(context), std::move(operation));
  co_return StatusOf(answer);
}

Task<absl::StatusOr<Recreation>> Describe(ContextPointer context, ContainerPointer entry) {
  Request request;
  request.method = "GET";
  request.target = EngineTarget(SpokenTo(*entry->node, OwnNewestApi()),
                                "/containers/" + entry->container.id + "/json", {});
  CallOptions options;
  options.timeout = kShortCall;
  options.max_body = kMostInspectBody;
  const Result answer = co_await SendToEngine(context, entry->node, std::move(request),
                                              EngineCall::Way::kWhole, std::move(options));
  const absl::Status status = StatusOf(answer);
  if (!status.ok()) co_return status;
  co_return ReadRecreation(answer->body);
}

absl::Status Hindered(const Recreation& made) {
  if (made.hindrances.empty()) return absl::OkStatus();
  return FailedPrecondition(Join(made.hindrances, "; "));
}

// The new container, which does not run yet.
Task<absl::StatusOr<ContainerPointer>> MakeElsewhere(ContextPointer context, Recreation made,
                                                     std::string name, std::stop_token gone) {
  Exchange exchange;
  exchange.request.method = "POST";
  exchange.request.headers.emplace_back("Content-Type", "application/json");
  exchange.request.body = std::move(made.body);
  exchange.request.stop = std::move(gone);
  exchange.query.emplace_back("name", std::move(name));
  if (!made.platform.empty()) exchange.query.emplace_back("platform", made.platform);
  exchange.version = OwnNewestApi();
  const Result answer = co_await CreateContainer(context, std::move(exchange));
  const absl::Status status = StatusOf(answer);
  if (!status.ok()) co_return status;
  const absl::StatusOr<std::string> id = CreatedId(answer->body);
  if (!id.ok()) co_return id.status();
  co_return FindContainer(*context, *id);
}

absl::Status With(const absl::Status& why, const std::string& what) {
  return HttpError(HttpStatusOf(why), what + ": " + std::string(MessageOf(why)));
}

// Of one move, from when the new container is there.
struct Handover {
  ContextPointer context;
  ContainerPointer old_one, new_one;
  std::string name;
  std::string stop_query;
};

Task<absl::Status> TakeBack(Handover handover, absl::Status why, bool restart) {
  const std::string query = "force=1&v=1";
  const absl::Status removed =
      co_await Carry(handover.context, handover.new_one, Verb::kRemove, query, "");
  absl::Status restarted;
  if (restart) restarted = co_await Carry(handover.context, handover.old_one, Verb::kStart, "", "");
  std::string after;
  if (!removed.ok()) {
    after = "; " + NameOfContainer(*handover.new_one) + " on " + handover.new_one->node->name +
            " could not be removed: " + std::string(MessageOf(removed));
  }
  if (!restarted.ok()) {
    after +=
        "; it was stopped, and could not be started again: " + std::string(MessageOf(restarted));
  } else if (restart) {
    after += "; it runs on " + handover.old_one->node->name + " again";
  }
  co_return HttpError(HttpStatusOf(why), std::string(MessageOf(why)) + after);
}

Task<absl::Status> HandOver(Handover handover) {
  const std::string there = " on " + handover.new_one->node->name;
  const bool was_up = WasUp(*handover.old_one);
  if (was_up) {
    const absl::Status stopped =
        co_await Carry(handover.context, handover.old_one, Verb::kStop, handover.stop_query, "");
    if (!stopped.ok()) {
      absl::Status why = With(stopped, "it could not be stopped");
      co_return co_await TakeBack(handover, std::move(why), false);
    }
    const absl::Status started =
        co_await Carry(handover.context, handover.new_one, Verb::kStart, "", "");
    if (!started.ok()) {
      absl::Status why = With(started, "it did not start" + there);
      co_return co_await TakeBack(handover, std::move(why), true);
    }
  }
  const std::string passing = NameOfContainer(*handover.new_one);
  const absl::Status removed =
      co_await Carry(handover.context, handover.old_one, Verb::kRemove, "", "");
  if (!removed.ok()) {
    co_return With(removed, "it is" + there + " as " + passing + ", but could not be removed here");
  }
  Query query;
  query.emplace_back("name", handover.name);
  std::string rename = FormatQuery(query);
  const absl::Status renamed = co_await Carry(handover.context, handover.new_one, Verb::kRename,
                                              std::move(rename), handover.name);
  if (!renamed.ok()) co_return With(renamed, "it is" + there + ", but is still called " + passing);
  co_return absl::OkStatus();
}

}  // namespace

bool IsDeclaredMovable(const Container& container) {
  const auto own = container.labels.find(kMovableLabel);
  if (own != container.labels.end()) {
    const std::string value = ToLower(own->second);
    return value == "true" || value == "1";
  }
  const auto policies = container.labels.find(kReschedulePoliciesLabel);
  if (policies == container.labels.end()) return false;
  JsonDocument document;
  if (!document.Parse(policies->second).ok()) return false;
  for (const JsonValue policy : document.root().elements()) {
    if (policy.text() == "on-node-failure") return true;
  }
  return false;
}

Task<absl::Status> CheckMovable(ContextPointer context, ContainerPointer entry) {
  if (entry->container.state == ContainerState::kPaused)
    co_return FailedPrecondition("it is paused");
  const absl::StatusOr<Recreation> made = co_await Describe(context, entry);
  if (!made.ok()) co_return made.status();
  co_return Hindered(*made);
}

Task<absl::StatusOr<std::string>> MoveContainer(ContextPointer context, ContainerPointer entry,
                                                std::string stop_query, std::stop_token gone) {
  absl::StatusOr<Recreation> made = co_await Describe(context, entry);
  if (!made.ok()) co_return made.status();
  const absl::Status hindered = Hindered(*made);
  if (!hindered.ok()) co_return hindered;
  Handover handover;
  handover.context = context;
  handover.old_one = entry;
  handover.name = NameOfContainer(*entry);
  handover.stop_query = std::move(stop_query);
  std::string passing = handover.name + "-moving-" + context->NewSwarmId().substr(0, kMovingSuffix);
  Recreation recreation = *std::move(made);
  const absl::StatusOr<ContainerPointer> fresh =
      co_await MakeElsewhere(context, std::move(recreation), std::move(passing), gone);
  if (!fresh.ok()) co_return With(fresh.status(), "it cannot be made elsewhere");
  handover.new_one = *fresh;
  const std::string there = handover.new_one->node->name;
  if (gone.stop_requested()) {
    absl::Status why = Cancelled("the client went away before it was stopped");
    co_return co_await TakeBack(handover, std::move(why), false);
  }
  const absl::Status done = co_await HandOver(std::move(handover));
  if (!done.ok()) co_return done;
  co_return there;
}

}  // namespace swarm
