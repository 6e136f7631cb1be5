#include "manager/memory_trim.h"

#include <malloc.h>

#include <algorithm>
#include <cstddef>

// jemalloc's, null in a program that does not have it (jemalloc(3), "MALLCTL NAMESPACE").
extern "C" int mallctl(const char* name, void* old_value, std::size_t* old_size, void* new_value,
                       std::size_t new_size) __attribute__((weak));

namespace swarm {
namespace {

constexpr Duration kBetweenLooks = std::chrono::seconds(1);
constexpr std::size_t kOfConnection = 8U << 10U;  // bytes of its objects and buffers, about
constexpr int kLooksBetween = 5;

void ReturnMemory() {
  if (mallctl != nullptr) {
    mallctl("thread.tcache.flush", nullptr, nullptr, nullptr, 0);
    mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);  // 4096 stands for all arenas
    return;
  }
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace

void MemoryTrim::Start() {
  loop_.After(kBetweenLooks, [weak = weak_from_this()] {
    const std::shared_ptr<MemoryTrim> trim = weak.lock();
    if (!trim) return;
    trim->Look();
    trim->Start();
  });
}

void MemoryTrim::Look() {
  const auto open = static_cast<std::size_t>(std::max(0, budget_->connections()));
  const std::size_t now = std::max(budget_->TakePeak(), budget_->used()) + open * kOfConnection;
  peak_ = std::max(peak_, now);
  const std::size_t needed = budget_->used() + open * kOfConnection;
  const bool fell = peak_ - std::min(peak_, needed) >= kWorthIt;
  const bool once_more = looks_left_ > 0 && --looks_left_ == 0;
  if (fell) {
    peak_ = needed;
    looks_left_ = kLooksBetween;
  }
  if (fell || once_more) ReturnMemory();
}

}  // namespace swarm
