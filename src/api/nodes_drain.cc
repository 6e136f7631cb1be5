#include <algorithm>
#include <optional>
#include <set>
#include <stop_token>
#include <utility>

#include "api/handlers.h"
#include "api/nodes.h"
#include "api/nodes_move.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "async/await.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/errors.h"
#include "wire/node_report.h"

namespace swarm {
namespace {

constexpr std::size_t kMostStopsAtOnce = 16;
constexpr std::uint64_t kLongestStop = 86'400;  // seconds that a container may take

constexpr std::string_view kStop = "stop";
constexpr std::string_view kMove = "move";
constexpr std::string_view kLeave = "leave";

// What is asked for.
struct Wish {
  std::string policy;
  bool is_plan = false;
  std::string stop_query;  // "t=30"
};

absl::StatusOr<Wish> ReadWish(const Query& query) {
  Wish wish;
  wish.policy = kStop;
  for (const auto& [key, value] : query) {
    if (key == "policy") {
      if (value != kStop && value != kMove && value != kLeave)
        return InvalidArgument("policy " + value + ": \"stop\", \"move\" or \"leave\" is wanted");
      wish.policy = value;
    } else if (key == "plan") {
      wish.is_plan = ParseBoolean(value);
    } else if (key == "t") {
      const std::optional<std::uint64_t> seconds = ParseUnsigned(value);
      if (!seconds || *seconds > kLongestStop) {
        return InvalidArgument("t " + value + ": a number of seconds up to " +
                               std::to_string(kLongestStop) + " is wanted");
      }
      wish.stop_query = "t=" + value;
    } else {
      return InvalidArgument("unknown parameter " + key + ": policy, plan and t may be given");
    }
  }
  return wish;
}

bool IsUp(ContainerState state) {
  return state == ContainerState::kRunning || state == ContainerState::kPaused ||
         state == ContainerState::kRestarting;
}

// One drain under way. On one loop; its workers share it.
struct Drain {
  ContextPointer context;
  Wish wish;
  std::stop_token gone;  // the client
  DrainReport report;
  std::vector<ContainerPointer> entries;  // of report.containers
  std::size_t next = 0;                   // that nobody works on yet
  std::shared_ptr<ContainerNeeds> needs = std::make_shared<ContainerNeeds>();
};

// Adds the containers that the node holds now, but for those that are there already.
void AddContainers(Drain& drain, const std::string& address) {
  std::set<std::string> known;
  for (const DrainedContainer& one : drain.report.containers) known.insert(one.id);
  for (ContainerPointer& entry : drain.context->cluster().Containers()) {
    const Container& container = entry->container;
    if (container.node != address || known.contains(container.id)) continue;
    DrainedContainer one;
    one.id = container.id;
    one.name = container.names.empty() ? std::string() : container.names.front();
    one.state = ContainerStateName(container.state);
    if (drain.wish.policy == kLeave) {
      one.action = kLeave;
      one.reason = "the policy is to leave containers";
    } else if (drain.wish.policy == kMove) {
      one.action = IsDeclaredMovable(container) ? kMove : kLeave;
      if (one.action == kLeave) one.reason = "it is not declared movable";
    } else if (!IsUp(container.state)) {
      one.action = kLeave;
      one.reason = "it does not run";
    } else {
      one.action = kStop;
    }
    drain.report.containers.push_back(std::move(one));
    drain.entries.push_back(std::move(entry));
  }
}

void NoteOutcome(const Result& answer, DrainedContainer& one) {
  if (!answer.ok()) {
    one.outcome = "failed";
    one.reason = MessageOf(answer.status());
  } else if (answer->status < 400) {
    one.outcome = "stopped";
  } else if (answer->status == 404) {
    one.outcome = "stopped";
    one.reason = "it is gone";
  } else {
    one.outcome = "failed";
    one.reason = EngineMessage(answer->body);
  }
}

// What is declared movable and cannot be moved is left.
Task<void> MoveOne(std::shared_ptr<Drain> drain, std::size_t at) {
  using What = MoveOutcome::What;
  MoveOrder order;
  order.entry = drain->entries[at];
  order.needs = drain->needs;
  order.stop_query = drain->wish.stop_query;
  order.gone = drain->gone;
  if (drain->wish.is_plan) {
    const absl::Status movable = co_await CheckMovable(drain->context, std::move(order));
    if (movable.ok()) co_return;
    drain->report.containers[at].action = kLeave;
    drain->report.containers[at].reason = MessageOf(movable);
    co_return;
  }
  MoveOutcome moved = co_await MoveContainer(drain->context, std::move(order));
  DrainedContainer& one = drain->report.containers[at];
  if (moved.what == What::kLeft) one.action = kLeave;
  one.outcome = moved.what == What::kMoved  ? "moved"
                : moved.what == What::kLeft ? "left"
                                            : "failed";
  one.reason = std::move(moved.reason);
}

Task<void> DrainSome(std::shared_ptr<Drain> drain) {
  while (drain->next < drain->entries.size()) {
    const std::size_t at = drain->next++;
    const std::string action = drain->report.containers[at].action;
    if (action != kStop && action != kMove) {
      if (!drain->wish.is_plan) drain->report.containers[at].outcome = "left";
      continue;
    }
    if (drain->gone.stop_requested()) {
      drain->report.containers[at].outcome = "failed";
      drain->report.containers[at].reason = "the client went away before";
      continue;
    }
    if (action == kMove) {
      co_await MoveOne(drain, at);
      continue;
    }
    if (drain->wish.is_plan) continue;
    ContainerOperation operation;
    operation.verb = ContainerOperation::Verb::kStop;
    operation.entry = drain->entries[at];
    operation.query = drain->wish.stop_query;
    operation.api_version = ApiVersionText(OwnNewestApi());
    const Result answer = co_await Operate(drain->context, std::move(operation));
    NoteOutcome(answer, drain->report.containers[at]);
  }
}

// What the new ones need, also those that stay.
Task<void> FindNeeds(std::shared_ptr<Drain> drain) {
  std::vector<ContainerPointer> unread;
  bool is_any_moved = false;
  for (std::size_t at = drain->next; at < drain->entries.size(); ++at) {
    unread.push_back(drain->entries[at]);
    is_any_moved = is_any_moved || drain->report.containers[at].action == kMove;
  }
  if (!is_any_moved) unread.clear();
  return AddNeeds(drain->context, std::move(unread), drain->needs);
}

Task<void> DrainAll(std::shared_ptr<Drain> drain) {
  co_await FindNeeds(drain);
  const std::size_t left = drain->entries.size() - drain->next;
  std::vector<Task<void>> workers;
  for (std::size_t at = 0; at < std::min(left, kMostStopsAtOnce); ++at)
    workers.push_back(DrainSome(drain));
  co_await RunAll(std::move(workers));
}

Reply ReportOf(const Drain& drain, const Node& node) {
  return JsonReply(
      200, FormatDrain(drain.report, node, drain.context->cluster().TotalsOf(node.address)));
}

}  // namespace

Task<Result> DrainNode(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<Wish> wish = ReadWish(exchange.query);
  if (!wish.ok()) co_return wish.status();
  const absl::StatusOr<NodePointer> node = FindOneNode(*context, exchange.name);
  if (!node.ok()) co_return node.status();
  const std::string address = (*node)->address;
  auto drain = std::make_shared<Drain>();
  drain->context = context;
  drain->wish = *std::move(wish);
  drain->gone = exchange.request.stop;
  drain->report.policy = drain->wish.policy;
  drain->report.is_plan = drain->wish.is_plan;
  if (drain->wish.is_plan) {
    AddContainers(*drain, address);
    co_await DrainAll(drain);
    co_return ReportOf(*drain, **node);
  }
  const absl::Status cordoned = co_await SetCordon(context, address, true);
  if (!cordoned.ok()) co_return cordoned;
  AddContainers(*drain, address);
  co_await DrainAll(drain);
  // What was placed before the cordon and has been made meanwhile.
  AddContainers(*drain, address);
  co_await DrainAll(drain);
  const absl::StatusOr<NodePointer> now = FindOneNode(*context, address);
  if (!now.ok()) co_return now.status();
  co_return ReportOf(*drain, **now);
}

}  // namespace swarm
