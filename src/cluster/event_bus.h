// Keeps the latest events, and hands them to those who asked.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "async/loop.h"
#include "base/sweep.h"
#include "cluster/event_history.h"
#include "swarmlib/cluster.h"
#include "swarmlib/event.h"

namespace swarm {

// Events that a subscriber may be behind the newest before it is cut off.
inline constexpr std::size_t kMostWaitingEvents = 10'000;

// Thread-safe. A slow subscriber never delays a publisher, and costs no more than its place in the
// history.
class EventBus {
 public:
  explicit EventBus(std::size_t history_bytes = kEventHistoryBytes) : history_(history_bytes) {}

  // Numbers the event and hands it on.
  void Publish(ClusterEvent event);

  // As Cluster::Subscribe; `sink` runs on `loop`. Destroying the subscription on another thread
  // waits for a call of the sink that is running.
  std::unique_ptr<Subscription> Subscribe(Loop* loop, std::function<void(EventPointer)> sink);

  // The engine's events are followed from that time on, by its clock. What was kept of it before is
  // not whole any more.
  void BeginFollowing(const std::string& node, std::int64_t since_nano);
  void EndFollowing(const std::string& node);

  // As the functions of Cluster: EventsBetween, EventsAfter, EventsBehind and DroppedEvents.
  KeptEvents Between(std::int64_t since_nano, std::int64_t until_nano) const;
  EventPage After(std::uint64_t after, std::size_t most) const;
  EventPage Behind(const EventPlace& place, std::int64_t until_nano, std::uint64_t dropped,
                   std::size_t most) const;
  std::uint64_t Dropped() const;

 private:
  class Subscriber;
  class Ticket;

  mutable std::mutex mutex_;
  EventHistory history_;
  std::vector<std::weak_ptr<Subscriber>> subscribers_;
  Sweep left_;  // those of `subscribers_` that are gone
};

}  // namespace swarm
