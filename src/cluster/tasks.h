// Coroutine tools of the cluster room. Nothing here keeps a coroutine alive by itself: what waits
// is owned by the loop's timers or by the tasks that it waits for, so a loop that is destroyed
// frees everything.
#pragma once

#include <deque>
#include <memory>
#include <stop_token>
#include <vector>

#include "async/await.h"
#include "async/loop.h"
#include "async/task.h"

namespace swarm {

// A pause that only an Interrupt is meant to end.
inline constexpr Duration kLongPause = std::chrono::hours(1);

// A sleep that can be cut short. One sleeper at a time, on one loop; outlives the sleep.
class Pause {
 public:
  // Comes back after `delay` or at Interrupt, whichever is first. An Interrupt that came while
  // nobody slept is kept for the next sleeper.
  Task<void> For(Loop* loop, Duration delay);
  void Interrupt();

 private:
  struct Sleeper {
    Callback<bool> done;
  };
  std::weak_ptr<Sleeper> sleeper_;
  Loop* loop_ = nullptr;
  Loop::TimerId timer_ = 0;
  bool interrupted_ = false;
};

// Permits of one loop. Who finds none waits in the order of asking. Outlives those who wait.
class Gate {
 public:
  explicit Gate(int permits) : free_(permits) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // True with a permit, which is given back by Leave; false without one when `stop` came first (on
  // this loop).
  Task<bool> Enter(Loop* loop, std::stop_token stop);
  void Leave();

 private:
  struct Waiter {
    Pause pause;
    bool granted = false;
  };
  int free_;
  std::deque<std::weak_ptr<Waiter>> waiting_;
};

// A permit that was given, until the end of the scope.
class GatePass {
 public:
  explicit GatePass(Gate& gate) : gate_(gate) {}
  ~GatePass() { gate_.Leave(); }
  GatePass(const GatePass&) = delete;
  GatePass& operator=(const GatePass&) = delete;

 private:
  Gate& gate_;
};

}  // namespace swarm
