#include "api/event_feed.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "swarmlib/status.h"
#include "wire/events.h"

namespace swarm {
namespace {

// Of one read. Less than the transport's first buffer, which so never grows for a listener.
constexpr std::size_t kMaxEventRead = 4'000;
constexpr std::size_t kEventPage = 16;    // read from the history at once
constexpr std::size_t kEventsATurn = 64;  // looked at, wanted or not
// A client that takes nothing for so long gives its turn of the replay to another.
constexpr Duration kReplayStall = std::chrono::seconds(1);
constexpr char kManagerType[] = "daemon";  // of what the manager says of itself

std::size_t MemoryOfAll(const EventFeed::Events& events) {
  std::size_t bytes = 0;
  for (const auto& event : events) bytes += MemoryOf(*event);
  return bytes;
}

}  // namespace

class EventFeedReader final : public Stream {
 public:
  EventFeedReader(std::shared_ptr<EventFeed> feed, Loop& loop)
      : feed_(std::move(feed)), loop_(loop) {}
  ~EventFeedReader() override { feed_->Gone(); }

  void Read(std::span<char> into, ResultCallback<std::size_t> done) override {
    feed_->Read(into, std::move(done));
  }
  void Write(std::string_view, Callback<absl::Status> done) override {
    loop_.Post([done = std::move(done)]() mutable {
      done(FailedPrecondition("the body of a reply is only read"));
    });
  }
  void CloseWrite() override {}
  void Abort() override { feed_->Gone(); }

 private:
  const std::shared_ptr<EventFeed> feed_;
  Loop& loop_;
};

EventFeed::EventFeed(Loop& loop, Options options)
    : loop_(loop),
      options_(std::move(options)),
      pump_(options_.context->event_pumps().Of(loop, options_.context->cluster())),
      told_memory_(options_.context->budget()) {}

EventFeed::~EventFeed() { LeavePump(); }

std::unique_ptr<Stream> EventFeed::Reader() {
  return std::make_unique<EventFeedReader>(shared_from_this(), loop_);
}

void EventFeed::StartLive() {
  passed_ = context()->cluster().EventsBetween(kEndOfTime, kEndOfTime).newest;
  phase_ = Phase::kLive;
}

void EventFeed::StartPast(Events told, std::int64_t since, std::uint64_t newest,
                          std::uint64_t dropped) {
  if (gone_) return;
  if (!told_memory_.TryGrow(MemoryOfAll(told))) {
    told = {LossMark("the manager has no memory left for what the engines tell of that time")};
  }
  told_.assign(std::make_move_iterator(told.begin()), std::make_move_iterator(told.end()));
  place_.time_nano = since;
  past_newest_ = passed_ = newest;
  dropped_ = dropped;
  phase_ = Phase::kPast;
  pump_->Run(weak_from_this());
}

void EventFeed::FinishBehind(std::uint64_t newest, Events told) {
  last_ = newest;
  told_last_.assign(std::make_move_iterator(told.begin()), std::make_move_iterator(told.end()));
  pump_->Run(weak_from_this());
}

void EventFeed::AtTime(Duration from_now, Callback<> then) {
  until_timer_ = loop_.After(from_now, std::move(then));
}

void EventFeed::Read(std::span<char> into, ResultCallback<std::size_t> done) {
  into_ = into.first(std::min(into.size(), kMaxEventRead));
  done_ = std::move(done);
  if (gone_) return Finish(Cancelled("the stream was aborted"));
  if (!std::exchange(in_line_, true)) pump_->Run(weak_from_this());
}

void EventFeed::TakeTurn() {
  in_line_ = false;
  if (!done_ || gone_ || phase_ == Phase::kGathering) return;
  if (phase_ == Phase::kPast && !turn_) return AwaitTurn();
  looked_at_ = 0;
  const std::size_t count = Fill(into_);
  page_.clear();
  if (rest_.empty()) rest_ = {};
  if (count > 0) return Finish(count);
  if (phase_ == Phase::kEnded) {
    LeavePump();
    return end_.ok() ? Finish(std::size_t{0}) : Finish(end_);
  }
  in_line_ = true;
  if (looked_at_ < kEventsATurn && phase_ == Phase::kLive) {
    pump_->RunAtNews(weak_from_this());
  } else {
    pump_->Run(weak_from_this());
  }
}

// Whole events as long as they fit: some clients take each chunk of the body for whole objects.
std::size_t EventFeed::Fill(std::span<char> into) {
  std::size_t filled = 0;
  for (;;) {
    if (rest_.empty()) {
      if (looked_at_ >= kEventsATurn) return filled;
      const std::shared_ptr<const ClusterEvent> event = Next();
      if (event && IsWanted(*event)) rest_ = TextOf(*event);
      if (!event && rest_.empty()) return filled;
      continue;
    }
    const std::size_t left = rest_.size() - rest_at_;
    if (left > into.size() - filled && filled > 0) return filled;
    const std::size_t count = std::min(left, into.size() - filled);
    std::copy_n(rest_.data() + rest_at_, count, into.data() + filled);
    filled += count;
    rest_at_ += count;
    if (rest_at_ < rest_.size()) return filled;
    rest_.clear();
    rest_at_ = 0;
  }
}

bool EventFeed::IsWanted(const ClusterEvent& event) const {
  // It comes as a live one.
  if (phase_ == Phase::kPast && event.sequence > past_newest_) return false;
  return (!until() || event.time_nano <= *until()) && EventMatches(event, options_.filters);
}

// Null when there is none now, which may have set the last words of one that is cut off.
std::shared_ptr<const ClusterEvent> EventFeed::Next() {
  ++looked_at_;
  if (phase_ == Phase::kPast) {
    if (auto event = NextPast()) return event;
  }
  if (phase_ == Phase::kLive) {
    if (auto event = NextLive()) return event;
  }
  if (phase_ == Phase::kLast) {
    if (told_last_.empty()) {
      phase_ = Phase::kEnded;
    } else {
      std::shared_ptr<const ClusterEvent> event = std::move(told_last_.front());
      told_last_.pop_front();
      return event;
    }
  }
  --looked_at_;
  return nullptr;
}

std::shared_ptr<const ClusterEvent> EventFeed::NextPast() {
  Cluster& cluster = context()->cluster();
  if (page_.empty()) {
    EventPage page =
        cluster.EventsBehind(place_, until().value_or(kEndOfTime), dropped_, kEventPage);
    if (page.lost) {
      dropped_ = cluster.DroppedEvents();
      told_.push_front(LossMark("events of that time left the history while they were sent"));
    }
    page_.assign(page.events.begin(), page.events.end());
  }
  std::shared_ptr<const ClusterEvent> event;
  // A kept one stands before the same time of what engines told.
  const bool from_told = !told_.empty() && (page_.empty() || told_.front()->type == kManagerType ||
                                            ComesBefore(*told_.front(), *page_.front()));
  if (from_told) {
    event = std::move(told_.front());
    told_.pop_front();
    if (told_.empty()) told_memory_.Release();
    return event;
  }
  if (page_.empty()) {
    EndPast();
    return nullptr;
  }
  event = std::move(page_.front());
  page_.pop_front();
  place_ = {event->time_nano, std::string(AttributeOf(*event, "node.name")), event->node,
            event->sequence};
  return event;
}

void EventFeed::EndPast() {
  turn_.reset();
  place_ = {};
  phase_ = Phase::kLive;
}

std::shared_ptr<const ClusterEvent> EventFeed::NextLive() {
  if (last_ && passed_ >= *last_) {
    phase_ = Phase::kLast;
    return nullptr;
  }
  if (page_.empty()) {
    EventPage page = context()->cluster().EventsAfter(passed_, kEventPage);
    if (page.lost) {
      CutOff();
      return nullptr;
    }
    page_.assign(page.events.begin(), page.events.end());
  }
  if (page_.empty()) return nullptr;
  std::shared_ptr<const ClusterEvent> event = std::move(page_.front());
  page_.pop_front();
  passed_ = event->sequence;
  return event;
}

std::string EventFeed::TextOf(const ClusterEvent& event) const {
  const std::string text = FormatEvent(event, version());
  return options_.sequence_marks ? "\x1e" + text : text;
}

// Of the manager itself.
std::shared_ptr<const ClusterEvent> EventFeed::LossMark(std::string_view reason) const {
  ClusterEvent mark;
  mark.type = kManagerType;
  mark.action = "events_lost";
  mark.actor_id = context()->options().id;
  mark.attributes["name"] = context()->options().host_name;
  mark.attributes["reason"] = reason;
  mark.scope = "swarm";
  const std::int64_t now = context()->clock().Wall().time_since_epoch().count();
  mark.time_nano = std::min(now, until().value_or(now));
  return std::make_shared<const ClusterEvent>(std::move(mark));
}

// Not orderly: the client learns why from the last event, and from a body that breaks off.
void EventFeed::CutOff() {
  end_ = ResourceExhausted("the client follows events too slowly and was cut off");
  rest_ = TextOf(*LossMark(MessageOf(end_)));
  phase_ = Phase::kEnded;
  LeavePump();
}

void EventFeed::Finish(absl::StatusOr<std::size_t> result) {
  loop_.Post([done = std::exchange(done_, nullptr), result = std::move(result)]() mutable {
    done(std::move(result));
  });
  if (phase_ == Phase::kPast && !gone_) WatchForStall();
}

void EventFeed::AwaitTurn() {
  if (std::exchange(awaits_turn_, true)) return;
  const std::weak_ptr<EventFeed> weak = weak_from_this();
  context()->replay_turns().Await(loop_, weak, [weak](std::shared_ptr<ReplayTurns::Turn> turn) {
    const std::shared_ptr<EventFeed> feed = weak.lock();
    if (!feed || feed->gone_) return;
    feed->awaits_turn_ = false;
    feed->turn_ = std::move(turn);
    feed->pump_->Run(weak);
  });
}

void EventFeed::WatchForStall() {
  if (stall_timer_ != 0) return;
  stall_timer_ = loop_.After(kReplayStall, [weak = weak_from_this()] {
    const std::shared_ptr<EventFeed> feed = weak.lock();
    if (!feed) return;
    feed->stall_timer_ = 0;
    if (feed->phase_ != Phase::kPast) return;
    if (feed->done_) return feed->WatchForStall();
    if (feed->told_.empty()) feed->turn_.reset();
  });
}

void EventFeed::Follow() {
  if (!gone_ && !std::exchange(joined_, true)) pump_->Join();
}

void EventFeed::LeavePump() {
  if (std::exchange(joined_, false)) pump_->Leave();
}

void EventFeed::Gone() {
  if (std::exchange(gone_, true)) return;
  LeavePump();
  turn_.reset();
  told_.clear();
  told_last_.clear();
  told_memory_.Release();
  loop_.Cancel(std::exchange(stall_timer_, 0));
  loop_.Cancel(std::exchange(until_timer_, 0));
  --context()->event_listeners;
  if (done_) Finish(Cancelled("the stream was aborted"));
}

}  // namespace swarm
