#include "cluster/event_bus.h"

#include <algorithm>
#include <utility>

#include "wire/events.h"

namespace swarm {

namespace {

// Not of the manager itself.
bool IsOfEngine(const ClusterEvent& event) { return event.type != "node"; }

}  // namespace

// One subscriber's queue. The loop's posted work and the ticket share it.
class EventBus::Subscriber : public std::enable_shared_from_this<Subscriber> {
 public:
  Subscriber(Loop* loop, std::function<void(EventPointer)> sink)
      : loop_(loop), sink_(std::move(sink)) {}

  void Push(const EventPointer& event) {
    const std::lock_guard lock(queue_mutex_);
    if (cut_) return;
    if (waiting_.size() >= kMostWaitingEvents) {
      cut_ = true;
    } else {
      waiting_.push_back(event);
    }
    if (std::exchange(posted_, true)) return;
    loop_->Post([self = shared_from_this()] { self->Deliver(); });
  }

  void End() {
    const std::lock_guard lock(sink_mutex_);
    over_ = true;
  }

 private:
  void Deliver() {
    std::deque<EventPointer> batch;
    bool cut = false;
    {
      const std::lock_guard lock(queue_mutex_);
      posted_ = false;
      batch.swap(waiting_);
      cut = cut_;
    }
    // Held while the sink runs, so that End on another thread waits; the sink itself may call End.
    const std::lock_guard lock(sink_mutex_);
    for (const EventPointer& event : batch) {
      if (over_) return;
      sink_(event);
    }
    if (!cut || over_) return;
    over_ = true;
    sink_(nullptr);
  }

  Loop* const loop_;
  const std::function<void(EventPointer)> sink_;
  std::mutex queue_mutex_;
  std::deque<EventPointer> waiting_;
  bool posted_ = false;
  bool cut_ = false;
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

std::size_t MemoryOf(const ClusterEvent& event) {
  constexpr std::size_t kOwnBlock = 48;  // of the allocator, and the pointer's counts
  constexpr std::size_t kMapNode = 112;  // of an attribute, as the allocator rounds it
  constexpr std::size_t kInPlace = 15;   // characters that a string holds without memory of its own
  constexpr std::size_t kTextBlock = 16;  // of the allocator
  const auto text = [](const std::string& value) {
    return value.size() > kInPlace ? value.size() + kTextBlock : 0;
  };
  std::size_t bytes = sizeof(event) + kOwnBlock + text(event.type) + text(event.action) +
                      text(event.actor_id) + text(event.scope) + text(event.node);
  for (const auto& [key, value] : event.attributes) bytes += kMapNode + text(key) + text(value);
  return bytes;
}

void EventBus::DropOldest() {
  const Kept& oldest = kept_.front();
  kept_bytes_ -= oldest.bytes;
  const auto followed = followed_.find(oldest.event->node);
  if (followed != followed_.end() && IsOfEngine(*oldest.event)) {
    KeptEvents::OfNode& of = followed->second;
    of.whole_since = std::max(of.whole_since, oldest.event->time_nano + 1);
    if (of.count > 0) --of.count;
  }
  kept_.pop_front();
}

void EventBus::BeginFollowing(const std::string& node, std::int64_t since_nano) {
  const std::lock_guard lock(mutex_);
  followed_[node] = {since_nano, 0};
}

void EventBus::EndFollowing(const std::string& node) {
  const std::lock_guard lock(mutex_);
  followed_.erase(node);
}

void EventBus::Publish(ClusterEvent event) {
  const std::size_t bytes = MemoryOf(event);
  const std::lock_guard lock(mutex_);
  event.sequence = ++sequence_;
  const EventPointer published = std::make_shared<const ClusterEvent>(std::move(event));
  const auto followed = followed_.find(published->node);
  if (followed != followed_.end() && IsOfEngine(*published)) ++followed->second.count;
  kept_.push_back({published, bytes});
  kept_bytes_ += bytes;
  while (kept_.size() > kKeptEvents || (kept_bytes_ > kMostKeptBytes && kept_.size() > 1))
    DropOldest();
  std::erase_if(subscribers_, [&published](const std::weak_ptr<Subscriber>& weak) {
    const std::shared_ptr<Subscriber> subscriber = weak.lock();
    if (subscriber) subscriber->Push(published);
    return !subscriber;
  });
}

std::unique_ptr<Subscription> EventBus::Subscribe(Loop* loop,
                                                  std::function<void(EventPointer)> sink) {
  auto subscriber = std::make_shared<Subscriber>(loop, std::move(sink));
  {
    const std::lock_guard lock(mutex_);
    subscribers_.push_back(subscriber);
  }
  return std::make_unique<Ticket>(std::move(subscriber));
}

KeptEvents EventBus::Between(std::int64_t since_nano, std::int64_t until_nano) const {
  KeptEvents found;
  {
    const std::lock_guard lock(mutex_);
    found.nodes = followed_;
    found.newest = sequence_;
    for (const Kept& kept : kept_) {
      const std::int64_t time = kept.event->time_nano;
      if (time >= since_nano && time <= until_nano) found.events.push_back(kept.event);
    }
  }
  std::stable_sort(found.events.begin(), found.events.end(),
                   [](const EventPointer& left, const EventPointer& right) {
                     return ComesBefore(*left, *right);
                   });
  return found;
}

}  // namespace swarm
