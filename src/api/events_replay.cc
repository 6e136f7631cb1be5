#include "api/events_replay.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "api/each_node.h"
#include "async/loop.h"
#include "swarmlib/status.h"
#include "wire/errors.h"
#include "wire/events.h"

namespace swarm {
namespace {

using EventPointer = std::shared_ptr<const ClusterEvent>;

constexpr std::size_t kMostReplayBytes = 64U << 20U;  // of one engine's answer
constexpr std::int64_t kNanosASecond = 1'000'000'000;

// The kept events of that time, without a copy of what is known of the nodes.
std::vector<EventPointer> KeptAt(const Cluster& cluster, std::int64_t time_nano) {
  constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  EventPlace place;
  place.time_nano = time_nano;
  return cluster.EventsBehind(place, time_nano, cluster.DroppedEvents(), kAll).events;
}

// "1795305600.250000000" as engines read it.
std::string Moment(std::int64_t nanoseconds) {
  const std::int64_t moment = std::max<std::int64_t>(0, nanoseconds);
  char text[48];
  std::snprintf(text, sizeof text, "%lld.%09lld", static_cast<long long>(moment / kNanosASecond),
                static_cast<long long>(moment % kNanosASecond));
  return text;
}

// A part of the past of one node that is not kept.
struct Missing {
  NodePointer node;
  std::int64_t since = 0;
  std::int64_t until = 0;
  std::size_t kept_after = 0;  // events of the node that are kept of the time after it
  bool forgotten = false;      // the engine has forgotten later ones already
};

EventPointer LostMark(const Missing& missing, std::string_view reason) {
  return std::make_shared<const ClusterEvent>(EventsLost(*missing.node, missing.until, reason));
}

// How much an engine told.
struct Told {
  std::size_t count = 0;
  std::size_t skipped = 0;  // as too large
};

// Appends what the engine tells of it.
absl::StatusOr<Told> ReadTold(const Missing& missing, const Result& answer,
                              std::vector<EventPointer>& events) {
  if (!answer.ok()) return answer.status();
  if (answer->status != 200) return Internal(EngineMessage(answer->body));
  ObjectSplitter splitter(kMostEventBytes, ObjectSplitter::Larger::kSkip);
  std::vector<std::string> objects;
  if (absl::Status split = splitter.Feed(answer->body, objects); !split.ok()) return split;
  for (const std::string& object : objects) {
    absl::StatusOr<ClusterEvent> event = ParseEvent(object, *missing.node);
    if (!event.ok()) return event.status();
    if (event->time_nano < missing.since || event->time_nano > missing.until) continue;
    events.push_back(std::make_shared<const ClusterEvent>(*std::move(event)));
  }
  return Told{objects.size(), splitter.TakeSkipped()};
}

// The same, and what may be missing in it.
absl::Status TakeTold(const Missing& missing, const Result& answer,
                      std::vector<EventPointer>& events) {
  const absl::StatusOr<Told> told = ReadTold(missing, answer, events);
  if (!told.ok()) return told.status();
  if (told->skipped > 0) {
    events.push_back(LostMark(missing, "an event was too large and was left out"));
  } else if (missing.forgotten) {
    events.push_back(LostMark(missing, "the engine has forgotten what happened then"));
  } else if (told->count + missing.kept_after >= kKeptByEngines) {
    events.push_back(LostMark(missing, "the engine keeps no more than its latest events"));
  }
  return absl::OkStatus();
}

bool IsSame(const ClusterEvent& left, const ClusterEvent& right) {
  return left.time_nano == right.time_nano && left.node == right.node && left.type == right.type &&
         left.action == right.action && left.actor_id == right.actor_id;
}

// Asks the answering ones of them; the others are named as lost.
Task<void> AskEngines(ContextPointer context, std::vector<Missing> missing, ApiVersion client,
                      std::shared_ptr<std::vector<EventPointer>> events) {
  std::vector<NodePointer> nodes;
  for (const Missing& part : missing) nodes.push_back(part.node);
  const std::vector<NodePointer> answering =
      co_await AnsweringNodes(context, std::move(nodes), client);
  std::vector<NodeRequest> requests;
  for (const NodePointer& node : answering) {
    const auto part = std::find_if(missing.begin(), missing.end(),
                                   [&node](const Missing& one) { return one.node == node; });
    Query query;
    query.emplace_back("since", Moment(part->since));
    query.emplace_back("until", Moment(part->until));
    requests.push_back({node, "GET", "/events", std::move(query), {}});
  }
  EachOptions options;
  options.client = client;
  // Not as a time-out of the calls, which would count against the engines.
  std::stop_source patience;
  options.stop = patience.get_token();
  Loop* const loop = Loop::Current();
  const Loop::TimerId timer =
      loop->After(kReplayPatience, [patience]() mutable { patience.request_stop(); });
  options.max_body = kMostReplayBytes;
  const std::vector<NodeAnswer> answers =
      co_await AskEach(context, std::move(requests), std::move(options));
  loop->Cancel(timer);
  for (const Missing& part : missing) {
    absl::Status taken = DeadlineExceeded("the node does not answer");
    for (const NodeAnswer& said : answers) {
      if (said.node == part.node) taken = TakeTold(part, said.answer, *events);
    }
    if (!taken.ok()) {
      events->push_back(
          LostMark(part, "the engine could not be asked: " + std::string(MessageOf(taken))));
    }
  }
}

}  // namespace

void LeaveOutKept(const Context& context, std::vector<EventPointer>& told) {
  std::stable_sort(told.begin(), told.end(),
                   [](const EventPointer& left, const EventPointer& right) {
                     return ComesBefore(*left, *right);
                   });
  std::vector<EventPointer> once;
  once.reserve(told.size());
  std::size_t group = 0;            // where the events of the same time begin
  std::vector<EventPointer> known;  // of that time
  std::optional<std::int64_t> asked;
  for (EventPointer& event : told) {
    if (once.empty() || once.back()->time_nano != event->time_nano) group = once.size();
    if (asked != event->time_nano) {
      asked = event->time_nano;
      known = KeptAt(context.cluster(), event->time_nano);
    }
    const auto is_it = [&event](const EventPointer& other) { return IsSame(*other, *event); };
    const auto begin = once.begin() + static_cast<std::ptrdiff_t>(group);
    if (std::any_of(begin, once.end(), is_it)) continue;
    if (std::any_of(known.begin(), known.end(), is_it)) continue;
    once.push_back(std::move(event));
  }
  told = std::move(once);
}

Task<std::vector<EventPointer>> LatestTold(ContextPointer context, std::int64_t since,
                                           std::int64_t until, ApiVersion client) {
  Query query;
  query.emplace_back("since", Moment(since));
  query.emplace_back("until", Moment(until));
  std::vector<NodePointer> nodes = HealthyNodes(*context);
  const std::vector<NodeAnswer> answers =
      co_await AskNodes(context, std::move(nodes), "/events", std::move(query), client);
  std::vector<EventPointer> events;
  for (const NodeAnswer& said : answers) {
    Missing part;
    part.node = said.node;
    part.since = since;
    part.until = until;
    // They come by the usual way too: nothing is known to be lost.
    const absl::StatusOr<Told> told = ReadTold(part, said.answer, events);
    (void)told;
  }
  co_return events;
}

Task<std::vector<EventPointer>> ToldOfPast(ContextPointer context, KeptEvents kept,
                                           std::int64_t since, std::int64_t until,
                                           ApiVersion client) {
  auto events = std::make_shared<std::vector<EventPointer>>();
  std::vector<Missing> missing;
  for (const NodePointer& node : context->cluster().Nodes()) {
    const auto known = kept.nodes.find(node->address);
    if (known == kept.nodes.end() || since >= known->second.whole_since) continue;
    Missing part;
    part.node = node;
    part.since = since;
    part.until = std::min(until, known->second.whole_since - 1);
    part.kept_after = known->second.count;
    part.forgotten = known->second.lost_at >= since && known->second.lost_at <= until &&
                     known->second.lost_at != 0;
    if (node->state == NodeState::kHealthy) {
      missing.push_back(std::move(part));
    } else {
      events->push_back(LostMark(part, "the node is not healthy, so its engine was not asked"));
    }
  }
  if (!missing.empty()) co_await AskEngines(context, std::move(missing), client, events);
  co_return std::move(*events);
}

}  // namespace swarm
