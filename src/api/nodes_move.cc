#include "api/nodes_move.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <string_view>
#include <utility>

#include "api/handlers.h"
#include "api/handover.h"
#include "api/held_names.h"
#include "api/move_steps.h"
#include "api/upstream.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/create.h"
#include "wire/errors.h"
#include "wire/json.h"

namespace swarm {
namespace {

constexpr std::string_view kMoving = "-moving-";
constexpr std::size_t kMovingSuffix = 12;  // digits that make the passing name a new one

// Of a container's one turn to be moved: taken at once or not at all.
enum class Turn { kAsked, kTaken, kGivenUp };

std::string TurnName(const std::string& id) { return "move of " + id; }

// True: the caller moves it, and nobody else until the name is given back. A turn that comes later
// goes on to the next at once.
bool TakeTurn(Context& context, const std::string& id) {
  auto turn = std::make_shared<std::atomic<Turn>>(Turn::kAsked);
  NameLocks* const locks = &context.locks();
  const std::string name = TurnName(id);
  locks->Acquire(name, [turn, locks, name](absl::Status status) {
    if (!status.ok()) return;
    Turn asked = Turn::kAsked;
    if (!turn->compare_exchange_strong(asked, Turn::kTaken)) locks->Release(name);
  });
  Turn asked = Turn::kAsked;
  return !turn->compare_exchange_strong(asked, Turn::kGivenUp);
}

// The name of the one whose place it is to take; empty when it has that already.
std::string PassingFor(const Container& container, const std::string& name) {
  if (!container.labels.contains(kMovedFromLabel) || name.size() <= kMovingSuffix) return {};
  const std::size_t digits = name.size() - kMovingSuffix;
  const std::string_view before = std::string_view(name).substr(0, digits);
  const bool is_hexadecimal =
      name.find_first_not_of("0123456789abcdef", digits) == std::string::npos;
  if (!is_hexadecimal || !before.ends_with(kMoving)) return {};
  return std::string(before.substr(0, before.size() - kMoving.size()));
}

absl::Status HalfMoved(const ContainerEntry& successor, const std::string& name) {
  const Labels& labels = successor.container.labels;
  const auto ran = labels.find(kMovedRunningLabel);
  const bool did_run = ran != labels.end() && ran->second == "true";
  const std::string passing = NameOfContainer(successor);
  return FailedPrecondition(passing + " on " + successor.node->name + " is made to take its place" +
                            (did_run ? ", when it was running" : "") +
                            "; if nothing moves it now, the move was broken off: \"docker rm -f " +
                            passing + "\"" + (did_run ? " and \"docker start " + name + "\"" : "") +
                            ", and drain again");
}

// What a move left that was broken off before the old one was stopped is removed, unless it is only
// `planned`. Anything else of the kind is left: who has stopped or started which is not known.
Task<absl::Status> ClearLeftover(ContextPointer context, ContainerPointer entry, Recreation made,
                                 bool planned) {
  const std::string place_of = PassingFor(entry->container, made.name);
  if (!place_of.empty()) {
    co_return FailedPrecondition(
        "it is made to take the place of " + place_of +
        "; if nothing moves that now, the move was broken off: remove one of the two, and rename "
        "this one if it is kept");
  }
  const ContainerPointer successor = FindSuccessor(*context, entry->container.id, "");
  if (!successor) co_return absl::OkStatus();
  const absl::Status half_moved = HalfMoved(*successor, made.name);
  const std::string passing = NameOfContainer(*successor);
  if (!made.is_up || PassingFor(successor->container, passing) != made.name) co_return half_moved;
  const absl::StatusOr<std::optional<Recreation>> seen = co_await LookAt(context, successor);
  if (!seen.ok() || !seen->has_value() || !(*seen)->is_unstarted) co_return half_moved;
  if (planned) co_return absl::OkStatus();
  // Not by force: it stays if it is started meanwhile.
  const StepOutcome removed =
      co_await TakeStep(context, successor, ContainerOperation::Verb::kRemove, "v=1", "");
  if (!removed.status.ok() || FindSuccessor(*context, entry->container.id, ""))
    co_return half_moved;
  co_return absl::OkStatus();
}

absl::Status CheckRecreation(const Context& context, const MoveOrder& order,
                             const Recreation& made) {
  const Container& container = order.entry->container;
  if (made.is_paused) return FailedPrecondition("it is paused");
  if (made.is_dead) return FailedPrecondition("it is dead or being removed");
  if (!made.hindrances.empty()) return FailedPrecondition(Join(made.hindrances, "; "));
  absl::Status status = CheckNotNeeded(*order.needs, container);
  if (status.ok()) status = CheckNameIsIts(context, made.name, container.id);
  return status;
}

// What is to be made; FailedPrecondition says why it cannot be moved.
Task<absl::StatusOr<Recreation>> Describe(ContextPointer context, MoveOrder order, bool planned) {
  const absl::StatusOr<std::optional<Recreation>> seen = co_await LookAt(context, order.entry);
  if (!seen.ok()) co_return seen.status();
  if (!seen->has_value()) co_return FailedPrecondition("it is gone");
  const absl::Status movable = CheckRecreation(*context, order, **seen);
  if (!movable.ok()) co_return movable;
  const Recreation made = **seen;
  const absl::Status clear = co_await ClearLeftover(context, order.entry, made, planned);
  if (!clear.ok()) co_return clear;
  co_return made;
}

// The new container, which does not run yet.
Task<absl::StatusOr<ContainerPointer>> MakeElsewhere(ContextPointer context, Recreation made,
                                                     std::string name, std::stop_token gone) {
  ApiExchange exchange;
  exchange.request.method = "POST";
  exchange.request.headers.emplace_back("Content-Type", "application/json");
  exchange.request.body = std::move(made.body);
  exchange.request.stop = std::move(gone);
  exchange.query.emplace_back("name", std::move(name));
  if (!made.platform.empty()) exchange.query.emplace_back("platform", made.platform);
  exchange.version = OwnNewestApi();
  const Result answer = co_await CreateContainer(context, std::move(exchange));
  if (!answer.ok()) co_return answer.status();
  if (answer->status >= 400) {
    const std::string said = EngineMessage(answer->body);
    co_return HttpError(std::min(answer->status, 599), said);
  }
  const absl::StatusOr<std::string> id = CreatedId(answer->body);
  if (!id.ok()) co_return id.status();
  co_return FindContainer(*context, *id);
}

MoveOutcome OutcomeOf(MoveOutcome::What what, std::string reason) {
  MoveOutcome outcome;
  outcome.what = what;
  outcome.reason = std::move(reason);
  return outcome;
}

// By who has the turn.
Task<MoveOutcome> MoveInTurn(ContextPointer context, MoveOrder order) {
  using What = MoveOutcome::What;
  const absl::StatusOr<Recreation> made = co_await Describe(context, order, false);
  if (!made.ok()) co_return OutcomeOf(What::kLeft, std::string(MessageOf(made.status())));
  Handover handover;
  handover.context = context;
  handover.old_one = order.entry;
  handover.name = made->name;
  handover.body = made->body;
  handover.stop_query = order.stop_query;
  std::string passing = handover.name;
  passing.append(kMoving).append(context->NewSwarmId().substr(0, kMovingSuffix));
  Recreation recreation = *made;
  const absl::StatusOr<ContainerPointer> fresh =
      co_await MakeElsewhere(context, std::move(recreation), std::move(passing), order.gone);
  if (!fresh.ok()) {
    co_return OutcomeOf(What::kFailed,
                        "it cannot be made elsewhere: " + std::string(MessageOf(fresh.status())));
  }
  handover.new_one = *fresh;
  const std::string there = handover.new_one->node->name;
  if (order.gone.stop_requested()) {
    absl::Status why = Cancelled("the client went away before it was stopped");
    const absl::Status back = co_await TakeBack(handover, std::move(why), false, false);
    co_return OutcomeOf(What::kFailed, std::string(MessageOf(back)));
  }
  const absl::StatusOr<std::string> done = co_await HandOver(std::move(handover));
  if (!done.ok()) co_return OutcomeOf(What::kFailed, std::string(MessageOf(done.status())));
  std::string reason = "it is on " + there + " now";
  if (!done->empty()) reason += "; " + *done;
  co_return OutcomeOf(What::kMoved, std::move(reason));
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

Task<absl::Status> CheckMovable(ContextPointer context, MoveOrder order) {
  const absl::StatusOr<Recreation> made =
      co_await Describe(std::move(context), std::move(order), true);
  co_return made.status();
}

Task<MoveOutcome> MoveContainer(ContextPointer context, MoveOrder order) {
  const std::string id = order.entry->container.id;
  if (!TakeTurn(*context, id))
    co_return OutcomeOf(MoveOutcome::What::kLeft, "it is being moved already");
  const HeldNames turn(context, {TurnName(id)});
  MoveOutcome outcome = co_await MoveInTurn(context, std::move(order));
  co_return outcome;
}

}  // namespace swarm
