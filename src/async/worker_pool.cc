#include "async/worker_pool.h"

#include <system_error>
#include <utility>

#include "async/thread.h"

namespace swarm {

bool WorkerPool::Run(Work work) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_ || waiting_.size() >= max_waiting_) return false;
  if (waiting_.size() >= idle_ && threads_.size() < max_threads_) {
    try {
      threads_.push_back(StartThread([this] { Serve(); }));
    } catch (const std::system_error&) {
      if (threads_.empty()) return false;
    }
  }
  waiting_.push_back(std::move(work));
  changed_.notify_one();
  return true;
}

void WorkerPool::Serve() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    ++idle_;
    changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    --idle_;
    if (waiting_.empty()) return;
    {
      Work next = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      next(true);
    }
    lock.lock();
  }
}

void WorkerPool::Close() {
  std::deque<Work> dropped;
  std::vector<std::thread> threads;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    dropped.swap(waiting_);
    threads.swap(threads_);
  }
  changed_.notify_all();
  for (Work& work : dropped) work(false);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace swarm
