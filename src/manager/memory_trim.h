// Returns memory to the system after a peak.
#pragma once

#include <cstddef>
#include <memory>

#include "async/loop.h"
#include "base/memory_budget.h"

namespace swarm {

// The allocator keeps what clients made it take. Looks once a second how much of that is not needed
// any more, and makes the allocator return it when it is worth the work. On the loop.
class MemoryTrim : public std::enable_shared_from_this<MemoryTrim> {
 public:
  // A fall by so many bytes.
  static constexpr std::size_t kWorthIt = 8U << 20U;

  MemoryTrim(Loop& loop, std::shared_ptr<MemoryBudget> budget)
      : loop_(loop), budget_(std::move(budget)) {}

  void Start();

 private:
  void Look();

  Loop& loop_;
  const std::shared_ptr<MemoryBudget> budget_;
  std::size_t peak_ = 0;  // since memory was returned last
  int looks_left_ = 0;    // until it is returned once more, when what ended has ended wholly
};

}  // namespace swarm
