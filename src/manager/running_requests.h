// Which requests of clients run, for Close to wait for.
#pragma once

#include <atomic>
#include <optional>
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

// Counts one unless `closed`. Looked at on both sides of the counting: Close waits for whatever it
// finds counted, and those that keep calling meanwhile are never found.
inline std::optional<RunningRequest> CountUnless(const std::atomic<bool>& closed,
                                                 std::atomic<int>& count) {
  if (closed) return std::nullopt;
  std::optional<RunningRequest> running(std::in_place, count);
  if (closed) running.reset();
  return running;
}

}  // namespace swarm
