// One event loop: an io_context run by one thread, with timers on the Clock it was given.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "async/task.h"
#include "swarmlib/callback.h"
#include "swarmlib/clock.h"
#include "swarmlib/log.h"

namespace swarm {

// With SystemClock() the timers follow real time; with a clock of somebody's own they follow that
// one, at most 20 ms late. With a ManualClock nothing waits: Run() returns when nothing is ready,
// and StepTime() moves the clock to the next timer, so a whole cluster runs in virtual time.
class Loop {
 public:
  // Identifies a timer; 0 is none.
  using TimerId = std::uint64_t;

  Loop(Clock& clock, LogSink log);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  boost::asio::io_context& context() { return context_; }
  Clock& clock() { return clock_; }
  const LogSink& log() const { return log_; }

  // Runs `work` on this loop later, never from inside the call. Any thread.
  void Post(Callback<> work);

  // Starts a coroutine. An exception that leaves it is logged and ends it alone. Any thread.
  void Spawn(Task<void> task);

  // Calls `then` once on this loop after `delay`. On this loop only.
  TimerId After(Duration delay, Callback<> then);
  // The callback is dropped if it has not run. On this loop only. Unknown ids are ignored.
  void Cancel(TimerId id);

  // Runs until Stop, and keeps running while there is nothing to do. The calling thread becomes the
  // loop's.
  void Run();
  // Any thread.
  void Stop();

  // Runs what is ready and returns how many handlers ran. For ManualClock and tests.
  std::size_t RunReady();
  // Moves `clock` (the ManualClock this loop was made with) to the earliest timer and fires what is
  // due; false when there is none.
  bool StepTime(ManualClock& clock);

  // The loop whose thread is calling, or null.
  static Loop* Current();

 private:
  void Arm();
  void FireDue();

  Clock& clock_;
  LogSink log_;
  const bool real_time_;
  TimePoint armed_for_;
  TimerId last_id_ = 0;
  std::map<std::pair<TimePoint, TimerId>, Callback<>> timers_;
  std::map<TimerId, TimePoint> due_;
  // Last, so that what still waits in it may cancel its timers while it is destroyed.
  boost::asio::io_context context_;
  boost::asio::steady_timer wake_;
};

}  // namespace swarm
