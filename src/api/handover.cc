#include "api/handover.h"

#include <optional>
#include <utility>

#include "api/move_steps.h"
#include "async/await.h"
#include "base/text.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

using Verb = ContainerOperation::Verb;
using Seen = absl::StatusOr<std::optional<Recreation>>;

// What ends at once after its start has not started. Also between looks that were not answered.
constexpr Duration kSettling = std::chrono::seconds(2);
constexpr int kMostLooks = 3;
constexpr int kMostRenames = 3;
constexpr int kNotModified = 304;
constexpr int kNoSuchContainer = 404;

absl::Status Because(const std::string& what, const absl::Status& why) {
  return HttpError(HttpStatusOf(why), what + ": " + std::string(MessageOf(why)));
}

std::string PlaceOf(const ContainerPointer& entry) { return " on " + entry->node->name; }

Task<Seen> LookPatiently(ContextPointer context, ContainerPointer entry) {
  Seen seen = co_await LookAt(context, entry);
  for (int look = 1; look < kMostLooks && !seen.ok(); ++look) {
    co_await SleepFor(kSettling);
    seen = co_await LookAt(context, entry);
  }
  co_return seen;
}

// Also until one that is being removed is gone.
Task<Seen> LookWhileDying(ContextPointer context, ContainerPointer entry) {
  Seen seen = co_await LookPatiently(context, entry);
  for (int look = 1; look < kMostLooks; ++look) {
    const bool is_dying = seen.ok() && seen->has_value() && (*seen)->is_dead;
    if (!is_dying) break;
    co_await SleepFor(kSettling);
    seen = co_await LookPatiently(context, entry);
  }
  co_return seen;
}

// Nothing has been done to the old one yet. Ok: it is what it was when the new one was made.
absl::Status CheckUnchanged(const Handover& handover, const Seen& old_one, const Seen& new_one) {
  if (!old_one.ok()) return Because("its node could not be asked", old_one.status());
  if (!old_one->has_value()) return NotFound("it has been removed meanwhile");
  if ((*old_one)->body != handover.body || (*old_one)->name != handover.name ||
      (*old_one)->is_paused || (*old_one)->is_dead || !(*old_one)->hindrances.empty()) {
    return FailedPrecondition("it has been changed while it was made anew: drain again");
  }
  if (!new_one.ok()) {
    return Because("the new one could not be looked at" + PlaceOf(handover.new_one),
                   new_one.status());
  }
  if (!new_one->has_value()) {
    return FailedPrecondition("the new one has been removed" + PlaceOf(handover.new_one));
  }
  const ContainerPointer other = FindSuccessor(*handover.context, handover.old_one->container.id,
                                               handover.new_one->container.id);
  if (other)
    return FailedPrecondition(NameOfContainer(*other) + PlaceOf(other) + " is to take its place");
  return CheckNameIsIts(*handover.context, handover.name, handover.old_one->container.id);
}

// Ok: the new one stays up.
absl::Status CheckStays(const Handover& handover, const Seen& seen, bool was_restarting) {
  const std::string there = PlaceOf(handover.new_one);
  if (!seen.ok())
    return Because("it was started" + there + ", but could not be looked at", seen.status());
  if (!seen->has_value()) return FailedPrecondition("it was started and then removed" + there);
  const Recreation& now = **seen;
  if (now.is_up && (!now.is_restarting || was_restarting)) return absl::OkStatus();
  return FailedPrecondition("it started and ended at once" + there + ", with exit code " +
                            std::to_string(now.exit_code));
}

// The old one stopped and the new one up in its place; or the error, and all taken back.
Task<absl::Status> Replace(Handover handover, bool was_restarting) {
  const std::string here = PlaceOf(handover.old_one), there = PlaceOf(handover.new_one);
  const StepOutcome stopped =
      co_await TakeStep(handover.context, handover.old_one, Verb::kStop, handover.stop_query, "");
  if (!stopped.status.ok()) {
    const bool may_have = !stopped.is_known || stopped.http >= 500;
    absl::Status why = Because("it could not be stopped", stopped.status);
    if (!stopped.is_known) {
      why = Because("its stop was not answered, and it may stop yet: look at it" + here,
                    stopped.status);
    }
    co_return co_await TakeBack(handover, std::move(why), may_have, false);
  }
  // Its work is done, or somebody else stops it: the new one is not to do it once more.
  if (stopped.http == kNotModified) {
    absl::Status why = FailedPrecondition("it has ended by itself meanwhile: drain again");
    co_return co_await TakeBack(handover, std::move(why), false, false);
  }
  const StepOutcome started =
      co_await TakeStep(handover.context, handover.new_one, Verb::kStart, "", "");
  if (!started.status.ok()) {
    absl::Status why = Because("it did not start" + there, started.status);
    co_return co_await TakeBack(handover, std::move(why), true, !started.is_known);
  }
  co_await SleepFor(kSettling);
  const Seen seen = co_await LookPatiently(handover.context, handover.new_one);
  absl::Status stays = CheckStays(handover, seen, was_restarting);
  if (!stays.ok()) co_return co_await TakeBack(handover, std::move(stays), true, true);
  co_return absl::OkStatus();
}

absl::Status BothAreThere(const Handover& handover, const absl::Status& why) {
  const std::string passing = NameOfContainer(*handover.new_one);
  return Because("it is" + PlaceOf(handover.new_one) + " as " + passing +
                     ", but it is not certain that it is removed" + PlaceOf(handover.old_one) +
                     ": remove it there, and rename " + passing,
                 why);
}

// The old one gone. What is to be said of it; or the error.
Task<absl::StatusOr<std::string>> RemoveOld(Handover handover, bool was_up) {
  std::string note;
  const StepOutcome removed =
      co_await TakeStep(handover.context, handover.old_one, Verb::kRemove, "", "");
  if (removed.status.ok()) co_return note;
  const Seen seen = co_await LookWhileDying(handover.context, handover.old_one);
  const bool is_gone = removed.http == kNoSuchContainer || (seen.ok() && !seen->has_value());
  // Unless somebody else has removed it, it was this remove whose answer was lost.
  if (is_gone && !removed.is_known) co_return note;
  if (is_gone) {
    const ContainerPointer other = FindSuccessor(*handover.context, handover.old_one->container.id,
                                                 handover.new_one->container.id);
    if (!other) {
      note = "it was removed" + PlaceOf(handover.old_one) + " by somebody else";
      co_return note;
    }
    absl::Status why = FailedPrecondition("it has been moved by somebody else: it is " +
                                          NameOfContainer(*other) + PlaceOf(other) + " now");
    co_return co_await TakeBack(handover, std::move(why), false, was_up);
  }
  // What an engine has refused it does not do later; of anything else nobody knows.
  const bool stays = removed.is_known && seen.ok() && !(*seen)->is_dead;
  if (!stays || (was_up && !(*seen)->is_up)) co_return BothAreThere(handover, removed.status);
  absl::Status why = Because("it could not be removed", removed.status);
  co_return co_await TakeBack(handover, std::move(why), false, was_up);
}

Task<absl::Status> GiveName(Handover handover) {
  const std::string passing = NameOfContainer(*handover.new_one);
  Query query;
  query.emplace_back("name", handover.name);
  const std::string rename = FormatQuery(query);
  StepOutcome renamed;
  for (int time = 0; time < kMostRenames; ++time) {
    // What is known of the old one's name may be older than its end.
    if (time > 0) co_await SleepFor(kSettling);
    renamed =
        co_await TakeStep(handover.context, handover.new_one, Verb::kRename, rename, handover.name);
    if (renamed.status.ok()) co_return absl::OkStatus();
    const Seen seen = co_await LookAt(handover.context, handover.new_one);
    if (seen.ok() && seen->has_value() && (*seen)->name == handover.name)
      co_return absl::OkStatus();
  }
  co_return Because(
      "it is" + PlaceOf(handover.new_one) + ", but is still called " + passing + ": rename it",
      renamed.status);
}

}  // namespace

Task<absl::Status> TakeBack(Handover handover, absl::Status why, bool restart, bool new_may_run) {
  const std::string passing = NameOfContainer(*handover.new_one);
  const std::string query = "force=1&v=1";
  const StepOutcome removed =
      co_await TakeStep(handover.context, handover.new_one, Verb::kRemove, query, "");
  bool is_gone = removed.status.ok() || removed.http == kNoSuchContainer;
  if (!is_gone) {
    const Seen seen = co_await LookAt(handover.context, handover.new_one);
    is_gone = seen.ok() && !seen->has_value();
    new_may_run = new_may_run || (seen.ok() && seen->has_value() && (*seen)->is_up);
  }
  std::string after;
  if (!is_gone) {
    after = "; " + passing + PlaceOf(handover.new_one) +
            " could not be removed: " + std::string(MessageOf(removed.status));
  }
  if (restart && !is_gone && new_may_run) {
    after += "; it may run there, so that " + handover.name + " was not started again" +
             PlaceOf(handover.old_one) + ": look at " + handover.new_one->node->name +
             ", \"docker rm -f " + passing + "\" and then \"docker start " + handover.name + "\"";
  } else if (restart) {
    const StepOutcome restarted =
        co_await TakeStep(handover.context, handover.old_one, Verb::kStart, "", "");
    if (restarted.status.ok()) {
      after += "; it runs" + PlaceOf(handover.old_one) + " again";
    } else {
      after += "; it was stopped, and could not be started again (\"docker start " + handover.name +
               "\"): " + std::string(MessageOf(restarted.status));
    }
  }
  co_return HttpError(HttpStatusOf(why), std::string(MessageOf(why)) + after);
}

Task<absl::StatusOr<std::string>> HandOver(Handover handover) {
  const Seen new_one = co_await LookAt(handover.context, handover.new_one);
  const Seen old_one = co_await LookAt(handover.context, handover.old_one);
  absl::Status unchanged = CheckUnchanged(handover, old_one, new_one);
  if (!unchanged.ok()) co_return co_await TakeBack(handover, std::move(unchanged), false, false);
  const bool was_up = (*old_one)->is_up;
  if (was_up) {
    const absl::Status replaced = co_await Replace(handover, (*old_one)->is_restarting);
    if (!replaced.ok()) co_return replaced;
  }
  absl::StatusOr<std::string> note = co_await RemoveOld(handover, was_up);
  if (!note.ok()) co_return note;
  const absl::Status named = co_await GiveName(handover);
  if (!named.ok()) co_return named;
  if ((*new_one)->image != (*old_one)->image) {
    if (!note->empty()) *note += "; ";
    *note += "its image is " + (*new_one)->image + " there, and was " + (*old_one)->image;
  }
  co_return note;
}

}  // namespace swarm
