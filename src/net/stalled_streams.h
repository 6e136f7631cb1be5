// Clients that do not read what an engine sends them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "async/loop.h"
#include "swarmlib/clock.h"

namespace swarm::net {

// Those of all servers of a process, so that the one that has been idle for longest goes first when
// memory is wanted. Thread-safe.
class StalledStreams {
 public:
  // Identifies a stream; 0 is none.
  using Id = std::uint64_t;

  // It has been idle since then; `close` is called on `loop` when it has to go. The caller removes
  // it before the loop ends.
  Id Add(Loop& loop, TimePoint since, std::function<void()> close);
  // Unknown ids are ignored.
  void Remove(Id id);

  // Closes the one that has been idle for longest, if there is one.
  void CloseLongestIdle();

  std::size_t size() const;

 private:
  struct Stalled {
    Loop* loop;
    std::function<void()> close;
  };

  mutable std::mutex mutex_;
  Id last_id_ = 0;
  std::map<std::pair<TimePoint, Id>, Stalled> by_age_;
  std::map<Id, TimePoint> since_;
};

}  // namespace swarm::net
