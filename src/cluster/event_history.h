// The latest events, in the order of their arrival and in that of their time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "swarmlib/cluster.h"
#include "swarmlib/event.h"

namespace swarm {

using EventPointer = std::shared_ptr<const ClusterEvent>;

// Events that are kept at most, and the bytes of memory that they may take unless the configuration
// says otherwise: at the usual 700 bytes to 2 kB of one, the bytes are what counts.
inline constexpr std::size_t kKeptEvents = 131'072;
inline constexpr std::size_t kEventHistoryBytes = 32U << 20U;

// Callers see to it that one thread at a time uses it.
class EventHistory {
 public:
  explicit EventHistory(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  // Numbers the event and keeps it; the oldest ones give way.
  EventPointer Add(ClusterEvent event);

  // As EventBus.
  void BeginFollowing(const std::string& node, std::int64_t since_nano);
  void EndFollowing(const std::string& node);

  std::uint64_t newest() const { return sequence_; }
  std::uint64_t dropped() const { return sequence_ - kept_.size(); }
  KeptEvents Between(std::int64_t since_nano, std::int64_t until_nano) const;
  EventPage After(std::uint64_t after, std::size_t most) const;
  EventPage Behind(const EventPlace& place, std::int64_t until_nano, std::uint64_t dropped,
                   std::size_t most) const;

 private:
  // By time, then as ComesBefore says, then by arrival.
  struct ByTime {
    using is_transparent = void;
    bool operator()(const EventPointer& left, const EventPointer& right) const;
    bool operator()(const EventPlace& left, const EventPointer& right) const;
    bool operator()(const EventPointer& left, const EventPlace& right) const;
  };

  void DropOldest();

  const std::size_t most_bytes_;
  std::uint64_t sequence_ = 0;
  std::deque<EventPointer> kept_;  // by arrival, without a gap in their numbers
  std::set<EventPointer, ByTime> by_time_;
  std::size_t bytes_ = 0;
  std::int64_t last_dropped_ = 0;                                    // the latest of their times
  std::map<std::string, KeptEvents::OfNode, std::less<>> followed_;  // by node address
};

}  // namespace swarm
