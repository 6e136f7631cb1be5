// What Close waits for.
#pragma once

#include <atomic>
#include <utility>

namespace swarm {

// Counts a request from when it is handed over until nothing of it runs any more.
class RunningRequest {
 public:
  explicit RunningRequest(std::atomic<int>& count) : count_(&count) { ++count; }
  RunningRequest(RunningRequest&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  RunningRequest& operator=(RunningRequest&&) = delete;
  ~RunningRequest() {
    if (count_ != nullptr) --*count_;
  }

 private:
  std::atomic<int>* count_;
};

}  // namespace swarm
