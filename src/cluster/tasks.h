// Coroutine tools of the cluster room. Nothing here keeps a coroutine alive by itself: what waits
// is owned by the loop's timers or by the tasks that it waits for, so a loop that is destroyed
// frees everything.
#pragma once

#include <memory>
#include <vector>

#include "async/await.h"
#include "async/loop.h"
#include "async/task.h"

namespace swarm {

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

// Starts all tasks on the current loop and comes back when the last has ended.
Task<void> RunAll(std::vector<Task<void>> tasks);

}  // namespace swarm
