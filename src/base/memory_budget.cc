#include "base/memory_budget.h"

namespace swarm {

bool MemoryBudget::TryTake(std::size_t bytes, std::size_t held) {
  const bool small = held + bytes <= kSmallWork;
  const std::size_t bound = small ? limit_ : limit_ - limit_ / 8;
  std::size_t used = used_.load(std::memory_order_relaxed);
  do {
    if (used > bound || bytes > bound - used) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  Raise(used + bytes);
  return true;
}

void MemoryBudget::TellRefused() {
  refused_.fetch_add(1, std::memory_order_relaxed);
  // What is too large for an empty budget makes nobody leave.
  if (on_refused_ && used() >= limit_ / 2) on_refused_();
}

MemoryShare& MemoryShare::operator=(MemoryShare&& other) noexcept {
  if (this == &other) return *this;
  Release();
  budget_ = other.budget_;
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

bool MemoryShare::TryGrow(std::size_t bytes) {
  if (budget_ && !budget_->TryTake(bytes, bytes_)) return false;
  bytes_ += bytes;
  return true;
}

bool MemoryShare::Admit(std::size_t bytes) {
  if (TryGrow(bytes)) return true;
  budget_->TellRefused();
  return false;
}

void MemoryShare::Set(std::size_t bytes) {
  if (budget_ && bytes > bytes_) budget_->Take(bytes - bytes_);
  if (budget_ && bytes < bytes_) budget_->Release(bytes_ - bytes);
  bytes_ = bytes;
}

}  // namespace swarm
