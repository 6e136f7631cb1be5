#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "api/event_feed.h"
#include "api/events_replay.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "async/loop.h"
#include "base/check.h"
#include "base/retry_later.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/events.h"

namespace swarm {
namespace {

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

std::int64_t NowOf(const EventFeed& feed) {
  return feed.context()->clock().Wall().time_since_epoch().count();
}

// What the manager keeps at this moment, without the events.
KeptEvents KeptNow(const EventFeed& feed) {
  return feed.context()->cluster().EventsBetween(kEndOfTime, kEndOfTime);
}

// `turn` is of those that gather.
Task<void> Replay(std::shared_ptr<EventFeed> feed, std::int64_t since,
                  std::shared_ptr<ReplayTurns::Turn> turn) {
  const std::int64_t until = feed->until().value_or(kEndOfTime);
  const bool ended = until <= NowOf(*feed);
  EventFeed::Events latest;
  // The last events of a span that ends before now may not have come through yet.
  if (ended && until > NowOf(*feed) - kEventDelay.count()) {
    const std::int64_t from = std::max(since, until - kEventDelay.count());
    latest = co_await LatestTold(feed->context(), from, until, feed->version());
  }
  const std::uint64_t dropped = feed->context()->cluster().DroppedEvents();
  KeptEvents kept = KeptNow(*feed);
  const std::uint64_t newest = kept.newest;
  EventFeed::Events told =
      co_await ToldOfPast(feed->context(), std::move(kept), since, until, feed->version());
  told.insert(told.end(), latest.begin(), latest.end());
  LeaveOutKept(*feed->context(), told);
  if (ended) feed->FinishBehind(newest, {});
  feed->StartPast(std::move(told), since, newest, dropped);
  turn.reset();
}

// The time has come, and with it the end: behind what engines have told up to then.
Task<void> EndLive(std::shared_ptr<EventFeed> feed, std::int64_t since) {
  const std::int64_t until = *feed->until();
  EventFeed::Events told = co_await LatestTold(feed->context(), since, until, feed->version());
  if (feed->gone()) co_return;
  LeaveOutKept(*feed->context(), told);
  const std::uint64_t newest = KeptNow(*feed).newest;
  feed->FinishBehind(newest, std::move(told));
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

void AwaitGathering(Loop& loop, const std::shared_ptr<EventFeed>& feed, std::int64_t since) {
  const std::weak_ptr<EventFeed> weak = feed;
  feed->context()->gather_turns().Await(
      loop, weak, [weak, &loop, since](std::shared_ptr<ReplayTurns::Turn> turn) {
        const std::shared_ptr<EventFeed> feed = weak.lock();
        if (feed && !feed->gone()) loop.Spawn(Replay(feed, since, std::move(turn)));
      });
}

// Nothing of the past is gathered before it is this client's turn.
void AwaitReplay(Loop& loop, const std::shared_ptr<EventFeed>& feed, std::int64_t since) {
  const std::weak_ptr<EventFeed> weak = feed;
  feed->context()->replay_turns().Await(
      loop, weak, [weak, &loop, since](std::shared_ptr<ReplayTurns::Turn> turn) {
        const std::shared_ptr<EventFeed> feed = weak.lock();
        if (!feed || feed->gone()) return;
        feed->HoldTurn(std::move(turn));
        AwaitGathering(loop, feed, since);
      });
}

void StartFeed(Loop& loop, std::shared_ptr<EventFeed> feed, std::optional<std::int64_t> since) {
  const std::int64_t now = NowOf(*feed);
  const std::optional<std::int64_t> until = feed->until();
  const bool ended = until && *until <= now;
  if (!ended) feed->Follow();
  if (!since) {
    feed->StartLive();
    if (ended) feed->FinishBehind(0, {});
  } else {
    AwaitReplay(loop, feed, *since);
  }
  if (!until || ended) return;
  const std::weak_ptr<EventFeed> weak = feed;
  const std::int64_t latest = std::max(since.value_or(now), *until - kEventDelay.count());
  const Duration left = std::min(Duration(*until - now), kMostFollowed);
  feed->AtTime(left, [weak, &loop, latest] {
    if (const std::shared_ptr<EventFeed> feed = weak.lock()) loop.Spawn(EndLive(feed, latest));
  });
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

  if (++context->event_listeners > context->options().event_listeners) {
    --context->event_listeners;
    co_return RetryLater("the manager serves " +
                         std::to_string(context->options().event_listeners) +
                         " event listeners already, its limit (--event-listeners)");
  }
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  const std::string_view media_type = EventMediaType(exchange);
  EventFeed::Options options;
  options.context = context;
  options.filters = *std::move(filters);
  options.version = exchange.version;
  options.sequence_marks = media_type == "application/json-seq";
  options.until = *until;
  auto feed = std::make_shared<EventFeed>(*loop, std::move(options));
  Reply reply;
  reply.headers.emplace_back("Content-Type", std::string(media_type));
  reply.body_stream = feed->Reader();
  reply.body_is_held = true;
  StartFeed(*loop, std::move(feed), *since);
  co_return reply;
}

}  // namespace swarm
