// The loops of one manager and the threads that run them.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "async/loop.h"

namespace swarm {

// Any thread, but Start and Finish, which one thread calls, once.
class LoopThreads {
 public:
  // With `callers` the threads are those that call RunOne.
  LoopThreads(Clock& clock, const LogSink& log, std::size_t count, bool callers);
  ~LoopThreads();
  LoopThreads(const LoopThreads&) = delete;
  LoopThreads& operator=(const LoopThreads&) = delete;

  std::size_t size() const { return loops_.size(); }
  Loop& operator[](std::size_t index) { return *loops_[index]; }
  std::vector<Loop*> All();
  // Each loop has its thread.
  bool full() const { return next_.load() >= loops_.size(); }

  // ResourceExhausted when the system gives no more threads; nothing runs then.
  absl::Status Start();
  // Runs a loop that has no thread yet until Finish; FailedPrecondition when there is none.
  absl::Status RunOne();
  // Runs `work` on a loop and waits for it, also when no thread runs that loop yet. Not on a loop.
  void On(std::size_t index, const std::function<void()>& work);
  // Gives each loop that nobody runs a thread, so that what is left on it can end. Without a thread
  // to be had, On runs it.
  absl::Status RunTheRest();
  // Stops all loops and joins the threads of our own.
  void Finish();

 private:
  std::vector<std::unique_ptr<Loop>> loops_;
  const bool callers_;
  std::deque<std::mutex> running_;  // one a loop, held by who runs it
  std::atomic<std::size_t> next_{0};
  std::vector<std::thread> threads_;
};

}  // namespace swarm
