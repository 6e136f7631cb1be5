// Time as an argument, so that a whole cluster can run on a clock that a test moves by hand.
#pragma once

#include <chrono>
#include <cstdint>

namespace swarm {

using Duration = std::chrono::nanoseconds;

// A point on the monotonic axis: nanoseconds since an arbitrary origin.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// A point on the calendar: nanoseconds since 1970-01-01T00:00:00Z.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

// Thread-safe. Must outlive everything that was given it. One of a program's own may run at another
// pace or from another origin; the timers of a manager follow it, at most 20 ms late.
class Clock {
 public:
  virtual ~Clock() = default;

  // Never goes back.
  virtual TimePoint Now() const = 0;

  // May jump when the host's clock is set.
  virtual WallTime Wall() const = 0;
};

// The clocks of this machine. Lives for ever.
Clock& SystemClock();

// A clock that stands still until a test moves it. Not for a Manager, whose threads would wait for
// ever.
class ManualClock final : public Clock {
 public:
  // Starts at `wall`; the monotonic axis starts at zero.
  explicit ManualClock(WallTime wall = WallTime(std::chrono::seconds(1'420'070'400)));

  TimePoint Now() const override { return now_; }
  WallTime Wall() const override { return wall_; }

  // Moves both axes forward. `by` must not be negative. Single-threaded.
  void Advance(Duration by);

 private:
  TimePoint now_{};
  WallTime wall_;
};

}  // namespace swarm
