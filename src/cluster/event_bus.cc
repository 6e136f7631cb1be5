#include "cluster/event_bus.h"

#include <algorithm>
#include <utility>

namespace swarm {
namespace {

// Read from the history under its lock at once, so that a publisher never waits long.
constexpr std::size_t kEventsAtOnce = 256;

}  // namespace

// One subscriber's place. The loop's posted work and the ticket share it.
class EventBus::Subscriber : public std::enable_shared_from_this<Subscriber> {
 public:
  Subscriber(EventBus& bus, Loop* loop, std::function<void(EventPointer)> sink)
      : bus_(bus), loop_(loop), sink_(std::move(sink)), place_(bus.history_.newest()) {}

  // With the bus locked: there is a new event.
  void Tell(std::uint64_t newest) {
    if (end_ != 0) return;
    if (newest - place_ > kMostWaitingEvents) end_ = newest - 1;
    if (!std::exchange(posted_, true))
      loop_->Post([self = shared_from_this()] { self->Deliver(); });
  }

  void End() {
    const std::lock_guard lock(sink_mutex_);
    over_ = true;
  }

 private:
  void Deliver() {
    // Held while the sink runs, so that End on another thread waits; the sink itself may call End.
    const std::lock_guard lock(sink_mutex_);
    for (;;) {
      if (over_) return;
      bool cut = false;
      const std::vector<EventPointer> events = Take(&cut);
      for (const EventPointer& event : events) {
        if (over_) return;
        sink_(event);
      }
      if (!events.empty() || over_) continue;
      if (!cut) return;
      over_ = true;
      return sink_(nullptr);
    }
  }

  // The next ones; none and `cut` at the end of one that was too slow.
  std::vector<EventPointer> Take(bool* cut) {
    const std::lock_guard lock(bus_.mutex_);
    std::size_t most = kEventsAtOnce;
    if (end_ != 0) most = std::min<std::size_t>(most, end_ - place_);
    EventPage page = bus_.history_.After(place_, most);
    *cut = page.lost || (end_ != 0 && place_ == end_);
    if (page.lost || page.events.empty()) {
      if (!*cut) posted_ = false;
      return {};
    }
    place_ = page.events.back()->sequence;
    return std::move(page.events);
  }

  EventBus& bus_;
  Loop* const loop_;
  const std::function<void(EventPointer)> sink_;
  // With the bus locked.
  std::uint64_t place_;    // the newest event that was taken
  std::uint64_t end_ = 0;  // the last that it gets before it is cut off; 0 = it is not
  bool posted_ = false;
  std::recursive_mutex sink_mutex_;
  bool over_ = false;
};

class EventBus::Ticket final : public Subscription {
 public:
  explicit Ticket(std::shared_ptr<Subscriber> subscriber) : subscriber_(std::move(subscriber)) {}
  ~Ticket() override { subscriber_->End(); }

 private:
  std::shared_ptr<Subscriber> subscriber_;
};

void EventBus::BeginFollowing(const std::string& node, std::int64_t since_nano) {
  const std::lock_guard lock(mutex_);
  history_.BeginFollowing(node, since_nano);
}

void EventBus::EndFollowing(const std::string& node) {
  const std::lock_guard lock(mutex_);
  history_.EndFollowing(node);
}

void EventBus::Publish(ClusterEvent event) {
  const std::lock_guard lock(mutex_);
  history_.Add(std::move(event));
  const std::uint64_t newest = history_.newest();
  std::erase_if(subscribers_, [newest](const std::weak_ptr<Subscriber>& weak) {
    const std::shared_ptr<Subscriber> subscriber = weak.lock();
    if (subscriber) subscriber->Tell(newest);
    return !subscriber;
  });
}

std::unique_ptr<Subscription> EventBus::Subscribe(Loop* loop,
                                                  std::function<void(EventPointer)> sink) {
  const std::lock_guard lock(mutex_);
  auto subscriber = std::make_shared<Subscriber>(*this, loop, std::move(sink));
  left_.MakeRoom(subscribers_, [](const std::weak_ptr<Subscriber>& one) { return one.expired(); });
  subscribers_.push_back(subscriber);
  return std::make_unique<Ticket>(std::move(subscriber));
}

KeptEvents EventBus::Between(std::int64_t since_nano, std::int64_t until_nano) const {
  const std::lock_guard lock(mutex_);
  return history_.Between(since_nano, until_nano);
}

EventPage EventBus::After(std::uint64_t after, std::size_t most) const {
  const std::lock_guard lock(mutex_);
  return history_.After(after, most);
}

EventPage EventBus::Behind(const EventPlace& place, std::int64_t until_nano, std::uint64_t dropped,
                           std::size_t most) const {
  const std::lock_guard lock(mutex_);
  return history_.Behind(place, until_nano, dropped, most);
}

std::uint64_t EventBus::Dropped() const {
  const std::lock_guard lock(mutex_);
  return history_.dropped();
}

}  // namespace swarm
