// Hands events to those who asked, and keeps the latest.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "async/loop.h"
#include "swarmlib/cluster.h"
#include "swarmlib/event.h"

namespace swarm {

using EventPointer = std::shared_ptr<const ClusterEvent>;

// Events that are kept for EventsBetween, unless they take more than that many bytes of memory: at
// the usual 700 bytes to 2 kB of one the number is what counts.
inline constexpr std::size_t kKeptEvents = 131'072;
inline constexpr std::size_t kMostKeptBytes = 256U << 20U;
// Events that wait for one subscriber before it is cut off.
inline constexpr std::size_t kMostWaitingEvents = 10'000;

// Bytes of memory that an event takes, about.
std::size_t MemoryOf(const ClusterEvent& event);

// Thread-safe. A slow subscriber never delays a publisher.
class EventBus {
 public:
  // Numbers the event and hands it on.
  void Publish(ClusterEvent event);

  // As Cluster::Subscribe; `sink` runs on `loop`. Destroying the subscription on another thread
  // waits for a call of the sink that is under way.
  std::unique_ptr<Subscription> Subscribe(Loop* loop, std::function<void(EventPointer)> sink);

  // The engine's events are followed from that time on, by its clock. What was kept of it before is
  // not whole any more.
  void BeginFollowing(const std::string& node, std::int64_t since_nano);
  void EndFollowing(const std::string& node);

  // As Cluster::EventsBetween.
  KeptEvents Between(std::int64_t since_nano, std::int64_t until_nano) const;

 private:
  class Subscriber;
  class Ticket;

  struct Kept {
    EventPointer event;
    std::size_t bytes;
  };

  void DropOldest();

  mutable std::mutex mutex_;
  std::uint64_t sequence_ = 0;
  std::deque<Kept> kept_;
  std::size_t kept_bytes_ = 0;
  std::map<std::string, KeptEvents::OfNode, std::less<>> followed_;  // by node address
  std::vector<std::weak_ptr<Subscriber>> subscribers_;
};

}  // namespace swarm
