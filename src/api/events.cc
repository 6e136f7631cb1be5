#include <algorithm>
#include <charconv>
#include <deque>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "api/events_replay.h"
#include "api/handlers.h"
#include "api/output.h"
#include "api/reply.h"
#include "async/loop.h"
#include "base/check.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/events.h"

namespace swarm {
namespace {

// Events are put into words only as far as this many bytes ahead of the client; beyond, they wait
// as they are, live ones up to a number.
constexpr std::size_t kMostAhead = 64U << 10U;
constexpr std::size_t kMostWaitingEvents = 10'000;
constexpr std::size_t kMostOutput = 16U << 20U;  // more than one event

// Later than any event, also of an engine whose clock is ahead.
constexpr std::int64_t kEndOfTime = std::numeric_limits<std::int64_t>::max();
constexpr Duration kMostFollowed = std::chrono::hours(24 * 365);

// "1795305600", "1795305600.25", "-1": seconds since 1970 as clients resolve them. In nanoseconds.
absl::StatusOr<std::int64_t> ReadMoment(std::string_view key, std::string_view text) {
  const absl::Status wrong =
      InvalidArgument("failed to parse value as time or duration: \"" + std::string(text) +
                      "\" of " + std::string(key) + " is not a number of seconds since 1970");
  std::string_view whole = text.substr(0, text.find('.'));
  std::int64_t seconds = 0;
  const auto read = std::from_chars(whole.data(), whole.data() + whole.size(), seconds);
  constexpr std::int64_t kMostSeconds = 9'000'000'000;  // fits 64 bits of nanoseconds
  if (whole.empty() || read.ec != std::errc() || read.ptr != whole.data() + whole.size() ||
      seconds > kMostSeconds || seconds < -kMostSeconds) {
    return wrong;
  }
  std::int64_t nanoseconds = seconds * 1'000'000'000;
  if (whole.size() == text.size()) return nanoseconds;
  std::string fraction(text.substr(whole.size() + 1, 9));
  if (fraction.empty()) return nanoseconds;
  fraction.resize(9, '0');
  const std::optional<std::uint64_t> part = ParseUnsigned(fraction);
  if (!part || text.size() > whole.size() + 10) return wrong;
  const auto below = static_cast<std::int64_t>(*part);
  return seconds < 0 ? nanoseconds - below : nanoseconds + below;
}

// What one client follows. Its output keeps it alive until the client goes.
struct EventFeed : std::enable_shared_from_this<EventFeed> {
  ContextPointer context;
  FilterArguments filters;
  ApiVersion version;
  bool sequence_marks = false;  // RFC 7464: RS before each object
  std::optional<std::int64_t> until;
  std::uint64_t passed = 0;  // the newest sequence that was taken or is replayed
  std::shared_ptr<Output> output;
  std::unique_ptr<Subscription> subscription;
  std::deque<std::shared_ptr<const ClusterEvent>> waiting;  // not yet put into words
  std::size_t most_waiting = kMostWaitingEvents;
  bool replays = false;  // what is past is still gathered; live events wait behind it
  bool ends = false;     // orderly, behind those that wait
  Loop::TimerId until_timer = 0;

  bool IsWanted(const ClusterEvent& event) const {
    return (!until || event.time_nano <= *until) && EventMatches(event, filters);
  }

  void Take(std::shared_ptr<const ClusterEvent> event) {
    if (ends || !IsWanted(*event)) return;
    if (waiting.size() >= most_waiting) {
      CutOff();
      return;
    }
    waiting.push_back(std::move(event));
    Pump();
  }

  void Pump() {
    if (replays) return;
    while (!waiting.empty() && output->held() <= kMostAhead) {
      const std::string text = TextOf(*waiting.front());
      waiting.pop_front();
      if (!output->Write(text)) {
        Fail(absl::OkStatus());
        return;
      }
    }
    if (waiting.empty()) {
      if (ends) Fail(absl::OkStatus());
      return;
    }
    output->OnRoom(kMostAhead, [weak = weak_from_this()] {
      if (const std::shared_ptr<EventFeed> feed = weak.lock()) feed->Pump();
    });
  }

  std::string TextOf(const ClusterEvent& event) const {
    const std::string text = FormatEvent(event, version);
    return sequence_marks ? "\x1e" + text : text;
  }

  // What is past goes before the live events that came meanwhile.
  void EndReplay(std::vector<std::shared_ptr<const ClusterEvent>> past) {
    replays = false;
    if (output->gone()) return;
    std::erase_if(past, [this](const auto& event) { return !IsWanted(*event); });
    waiting.insert(waiting.begin(), std::make_move_iterator(past.begin()),
                   std::make_move_iterator(past.end()));
    most_waiting += past.size();
    Pump();
  }

  // Not orderly: the client learns why from the last event, and from a body that breaks off.
  void CutOff() {
    const absl::Status why =
        ResourceExhausted("the client follows events too slowly and was cut off");
    ClusterEvent last;
    last.type = "daemon";
    last.action = "events_lost";
    last.actor_id = context->options().id;
    last.attributes["name"] = context->options().host_name;
    last.attributes["reason"] = MessageOf(why);
    last.scope = "swarm";
    last.time_nano = context->clock().Wall().time_since_epoch().count();
    output->Write(TextOf(last));
    Fail(why);
  }

  // The orderly end, behind what waits.
  void Finish() {
    ends = true;
    Pump();
  }

  // The subscription may be calling right now, so it is dropped later.
  void Fail(absl::Status why) {
    waiting.clear();
    output->Fail(std::move(why));
    if (!subscription) return;
    Loop* const loop = Loop::Current();
    if (loop == nullptr) return;
    loop->Post([subscription = std::move(subscription)]() mutable { subscription.reset(); });
  }
};

std::int64_t NowOf(const EventFeed& feed) {
  return feed.context->clock().Wall().time_since_epoch().count();
}

void FollowLive(const std::shared_ptr<EventFeed>& feed) {
  const std::weak_ptr<EventFeed> weak = feed;
  feed->subscription =
      feed->context->cluster().Subscribe([weak](std::shared_ptr<const ClusterEvent> event) {
        const std::shared_ptr<EventFeed> feed = weak.lock();
        if (!feed || !feed->subscription) return;
        if (!event) {
          feed->CutOff();
        } else if (event->sequence > feed->passed) {
          feed->passed = event->sequence;
          feed->Take(std::move(event));
        }
      });
}

// Of a span that ends before now: its last events may not have come through yet.
Task<void> ReplayOnly(std::shared_ptr<EventFeed> feed, std::int64_t since) {
  const std::int64_t until = *feed->until;
  std::vector<std::shared_ptr<const ClusterEvent>> told;
  if (until > NowOf(*feed) - kEventDelay.count()) {
    const std::int64_t latest = std::max(since, until - kEventDelay.count());
    told = co_await LatestTold(feed->context, latest, until, feed->version);
  }
  KeptEvents kept = feed->context->cluster().EventsBetween(since, until);
  kept.events.insert(kept.events.end(), told.begin(), told.end());
  std::vector<std::shared_ptr<const ClusterEvent>> past =
      co_await PastEvents(feed->context, std::move(kept), since, until, feed->version);
  feed->EndReplay(std::move(past));
}

// The time has come, and with it the end: behind what engines have told up to then.
Task<void> EndLive(std::shared_ptr<EventFeed> feed, std::int64_t since) {
  const std::int64_t until = *feed->until;
  const std::vector<std::shared_ptr<const ClusterEvent>> told =
      co_await LatestTold(feed->context, since, until, feed->version);
  if (feed->output->gone()) co_return;
  std::vector<std::shared_ptr<const ClusterEvent>> latest =
      feed->context->cluster().EventsBetween(since, until).events;
  latest.insert(latest.end(), told.begin(), told.end());
  PutInOrder(latest);
  for (std::shared_ptr<const ClusterEvent>& event : latest) {
    if (event->sequence == 0 || event->sequence > feed->passed) feed->Take(std::move(event));
  }
  feed->Finish();
}

Task<void> Replay(std::shared_ptr<EventFeed> feed, KeptEvents kept, std::int64_t since) {
  const std::int64_t until = feed->until.value_or(kEndOfTime);
  std::vector<std::shared_ptr<const ClusterEvent>> past =
      co_await PastEvents(feed->context, std::move(kept), since, until, feed->version);
  feed->EndReplay(std::move(past));
}

// The media type that the client of API 1.52 and newer asks for.
std::string_view EventMediaType(const ApiExchange& exchange) {
  constexpr ApiVersion kMediaTypes{1, 52};
  const std::string* accept = FindHeader(exchange.request.headers, "Accept");
  if (accept == nullptr || exchange.version < kMediaTypes) return "application/json";
  for (const std::string_view type :
       {"application/json-seq", "application/x-ndjson", "application/jsonl"}) {
    if (accept->find(type) != std::string::npos) return type;
  }
  return "application/json";
}

absl::StatusOr<std::optional<std::int64_t>> MomentOf(const Query& query, std::string_view key) {
  const std::string* text = FindQuery(query, key);
  if (text == nullptr || text->empty()) return std::optional<std::int64_t>();
  const absl::StatusOr<std::int64_t> moment = ReadMoment(key, *text);
  if (!moment.ok()) return moment.status();
  return std::optional<std::int64_t>(*moment);
}

}  // namespace

Task<Result> GetEvents(ContextPointer context, ApiExchange exchange) {
  const std::string* text = FindQuery(exchange.query, "filters");
  absl::StatusOr<FilterArguments> filters =
      ParseFilters(text == nullptr ? std::string_view() : *text);
  if (!filters.ok()) co_return filters.status();
  const absl::Status known = CheckEventFilters(*filters);
  if (!known.ok()) co_return known;
  const absl::StatusOr<std::optional<std::int64_t>> since = MomentOf(exchange.query, "since");
  if (!since.ok()) co_return since.status();
  const absl::StatusOr<std::optional<std::int64_t>> until = MomentOf(exchange.query, "until");
  if (!until.ok()) co_return until.status();
  if (*since && *until && **since > **until) {
    co_return InvalidArgument("`since` time (" + *FindQuery(exchange.query, "since") +
                              ") cannot be after `until` time (" +
                              *FindQuery(exchange.query, "until") + ")");
  }

  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  const std::string_view media_type = EventMediaType(exchange);
  auto feed = std::make_shared<EventFeed>();
  feed->context = context;
  feed->filters = *std::move(filters);
  feed->version = exchange.version;
  feed->sequence_marks = media_type == "application/json-seq";
  feed->until = *until;
  feed->output = std::make_shared<Output>(*loop, kMostOutput);
  feed->output->KeepLinesWhole();

  Reply reply;
  reply.headers.emplace_back("Content-Type", std::string(media_type));
  reply.body_stream = feed->output->Reader();
  ++context->event_listeners;
  feed->output->OnGone([feed, loop]() mutable {
    --feed->context->event_listeners;
    loop->Cancel(feed->until_timer);
    feed->subscription.reset();
    feed.reset();
  });
  const std::int64_t now = NowOf(*feed);
  if (*until && **until <= now) {
    if (*since) {
      feed->replays = true;
      loop->Spawn(ReplayOnly(feed, **since));
    }
    feed->Finish();
    co_return reply;
  }
  // Following begins before the replay, so that nothing falls between the two.
  FollowLive(feed);
  if (*since || *until) {
    KeptEvents kept =
        context->cluster().EventsBetween(since->value_or(kEndOfTime), until->value_or(kEndOfTime));
    feed->passed = kept.newest;
    feed->replays = since->has_value();
    if (*since) loop->Spawn(Replay(feed, std::move(kept), **since));
  }
  if (*until) {
    const std::weak_ptr<EventFeed> weak = feed;
    const std::int64_t latest = std::max(since->value_or(now), **until - kEventDelay.count());
    const Duration left = std::min(Duration(**until - now), kMostFollowed);
    feed->until_timer = loop->After(left, [weak, loop, latest] {
      if (const std::shared_ptr<EventFeed> feed = weak.lock()) loop->Spawn(EndLive(feed, latest));
    });
  }
  co_return reply;
}

}  // namespace swarm
