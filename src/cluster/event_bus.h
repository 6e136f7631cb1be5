// Hands events to those who asked, and keeps the latest.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "async/loop.h"
#include "swarmlib/cluster.h"
#include "swarmlib/event.h"

namespace swarm {

using EventPointer = std::shared_ptr<const ClusterEvent>;

// Events that are kept for EventsBetween.
inline constexpr std::size_t kKeptEvents = 131'072;
// Events that wait for one subscriber before it is cut off.
inline constexpr std::size_t kMostWaitingEvents = 10'000;

// Thread-safe. A slow subscriber never delays a publisher.
class EventBus {
 public:
  // Numbers the event and hands it on.
  void Publish(ClusterEvent event);

  // As Cluster::Subscribe; `sink` runs on `loop`. Destroying the subscription on another thread
  // waits for a call of the sink that is under way.
  std::unique_ptr<Subscription> Subscribe(Loop* loop, std::function<void(EventPointer)> sink);

  // As Cluster::EventsBetween.
  std::vector<EventPointer> Between(std::int64_t since_nano, std::int64_t until_nano,
                                    bool& complete) const;

 private:
  class Subscriber;
  class Ticket;

  mutable std::mutex mutex_;
  std::uint64_t sequence_ = 0;
  std::deque<EventPointer> kept_;
  bool dropped_ = false;
  std::int64_t newest_dropped_ = 0;  // time_nano
  std::vector<std::weak_ptr<Subscriber>> subscribers_;
};

}  // namespace swarm
