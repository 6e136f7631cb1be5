#include "cluster/event_bus.h"

#include <algorithm>
#include <utility>

namespace swarm {

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

void EventBus::Publish(ClusterEvent event) {
  const std::lock_guard lock(mutex_);
  event.sequence = ++sequence_;
  const EventPointer published = std::make_shared<const ClusterEvent>(std::move(event));
  kept_.push_back(published);
  if (kept_.size() > kKeptEvents) {
    const std::int64_t gone = kept_.front()->time_nano;
    newest_dropped_ = dropped_ ? std::max(newest_dropped_, gone) : gone;
    dropped_ = true;
    kept_.pop_front();
  }
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

std::vector<EventPointer> EventBus::Between(std::int64_t since_nano, std::int64_t until_nano,
                                            bool& complete) const {
  std::vector<EventPointer> found;
  {
    const std::lock_guard lock(mutex_);
    complete = !dropped_ || newest_dropped_ < since_nano;
    for (const EventPointer& event : kept_) {
      if (event->time_nano >= since_nano && event->time_nano <= until_nano) found.push_back(event);
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const EventPointer& left, const EventPointer& right) {
                     return left->time_nano < right->time_nano;
                   });
  return found;
}

}  // namespace swarm
