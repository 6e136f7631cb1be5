// Threads for the code of others, which may take its time.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "swarmlib/callback.h"

namespace swarm {

// Runs work in the order in which it came, at most `max_threads` at once. Threads are made when
// they are needed and stay until Close. Thread-safe.
class WorkerPool {
 public:
  // Called once: with true on a thread of the pool, or with false on the thread of Close when the
  // pool was closed before its turn came.
  using Work = Callback<bool>;

  WorkerPool(std::size_t max_threads, std::size_t max_waiting)
      : max_threads_(max_threads), max_waiting_(max_waiting) {}
  ~WorkerPool() { Close(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False, and `work` is not called: `max_waiting` others wait, the system gives no thread, or the
  // pool is closed.
  bool Run(Work work);

  // Waits until nothing runs any more. Not on a thread of the pool.
  void Close();

 private:
  void Serve();

  const std::size_t max_threads_;
  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> waiting_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;  // threads that wait for work
  bool closed_ = false;
};

}  // namespace swarm
