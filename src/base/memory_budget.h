// One bound on the memory that clients can make this process hold.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace swarm {

// Bytes that are taken and released. Thread-safe. The last eighth is for work of at most
// kSmallWork bytes, so that large bodies and answers never shut small requests out.
class MemoryBudget {
 public:
  static constexpr std::size_t kSmallWork = 64U << 10U;

  explicit MemoryBudget(std::size_t limit) : limit_(limit) {}

  std::size_t limit() const { return limit_; }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }
  // True when new work is to be refused.
  bool exhausted() const { return used() >= limit_; }

  // Takes `bytes` for work that holds `held` already; false, with nothing taken, beyond the bound.
  bool TryTake(std::size_t bytes, std::size_t held);
  // Takes them in any case: for what was accepted.
  void Take(std::size_t bytes) { Raise(used_.fetch_add(bytes, std::memory_order_relaxed) + bytes); }
  void Release(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  // The most that was taken since this was last asked.
  std::size_t TakePeak() { return peak_.exchange(0, std::memory_order_relaxed); }

  // Connections that are open: their buffers are not taken of the budget, but come and go too.
  void AddConnections(int count) { connections_.fetch_add(count, std::memory_order_relaxed); }
  int connections() const { return connections_.load(std::memory_order_relaxed); }

  // Called on any thread whenever something was refused; set before the first use.
  void OnRefused(std::function<void()> then) { on_refused_ = std::move(then); }
  // Work was refused because the budget is exhausted.
  void TellRefused();
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  void Raise(std::size_t used) {
    std::size_t peak = peak_.load(std::memory_order_relaxed);
    while (used > peak && !peak_.compare_exchange_weak(peak, used, std::memory_order_relaxed)) {
    }
  }

  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
  std::atomic<std::size_t> peak_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<int> connections_{0};
  std::function<void()> on_refused_;
};

// What one piece of work has taken; released with this object. Without a budget it counts alone.
class MemoryShare {
 public:
  explicit MemoryShare(std::shared_ptr<MemoryBudget> budget = nullptr)
      : budget_(std::move(budget)) {}
  MemoryShare(MemoryShare&& other) noexcept
      : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryShare& operator=(MemoryShare&& other) noexcept;
  ~MemoryShare() { Release(); }

  std::size_t bytes() const { return bytes_; }
  // False, with nothing taken, when the budget has no room for it.
  bool TryGrow(std::size_t bytes);
  // The same for new work, which is refused then: that is counted and told.
  bool Admit(std::size_t bytes);
  // Holds exactly `bytes` from now on, whether there is room or not.
  void Set(std::size_t bytes);
  void Release() { Set(0); }

 private:
  std::shared_ptr<MemoryBudget> budget_;
  std::size_t bytes_ = 0;
};

}  // namespace swarm
