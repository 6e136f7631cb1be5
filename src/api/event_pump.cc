#include "api/event_pump.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace swarm {
namespace {

// Each writes a few kilobytes, some 30 µs of work.
constexpr std::size_t kListenersATurn = 8;

}  // namespace

void EventPump::Join() {
  if (joined_++ == 0) Subscribe();
}

void EventPump::Leave() {
  if (--joined_ == 0) subscription_.reset();
}

void EventPump::Subscribe() {
  subscription_ =
      cluster_.Subscribe([weak = weak_from_this()](std::shared_ptr<const ClusterEvent> event) {
        const std::shared_ptr<EventPump> pump = weak.lock();
        if (!pump) return;
        pump->OnNews();
        if (event) return;
        // The listeners have their own places; only the news were cut off. The subscription is
        // calling, so it is renewed later.
        pump->loop_.Post([weak] {
          const std::shared_ptr<EventPump> late = weak.lock();
          if (!late || !late->subscription_) return;
          late->Subscribe();
          late->OnNews();
        });
      });
}

void EventPump::Run(std::weak_ptr<Listener> listener) {
  ready_.push_back(std::move(listener));
  Schedule();
}

void EventPump::RunAtNews(std::weak_ptr<Listener> listener) {
  left_.MakeRoom(waiting_, [](const std::weak_ptr<Listener>& one) { return one.expired(); });
  waiting_.push_back(std::move(listener));
}

void EventPump::OnNews() {
  if (waiting_.empty()) return;
  ready_.insert(ready_.end(), std::make_move_iterator(waiting_.begin()),
                std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  Schedule();
}

void EventPump::Schedule() {
  if (std::exchange(scheduled_, true)) return;
  loop_.Post([weak = weak_from_this()] {
    if (const std::shared_ptr<EventPump> pump = weak.lock()) pump->Turn();
  });
}

void EventPump::Turn() {
  scheduled_ = false;
  const std::size_t count = std::min(kListenersATurn, ready_.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::shared_ptr<Listener> listener = ready_.front().lock();
    ready_.pop_front();
    if (listener) listener->TakeTurn();
  }
  if (!ready_.empty()) Schedule();
}

}  // namespace swarm
