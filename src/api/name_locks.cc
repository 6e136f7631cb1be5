#include "api/name_locks.h"

#include <algorithm>
#include <utility>

#include "async/await.h"
#include "base/check.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

void SortOnce(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

Task<absl::Status> LockName(NameLocks& locks, std::string name) {
  auto start = [&locks, name = std::move(name)](Callback<absl::Status> done) {
    locks.Acquire(name, std::move(done));
  };
  return AwaitCallback<absl::Status>(std::move(start));
}

}  // namespace

void NameLocks::Acquire(const std::string& name, Callback<absl::Status> done) {
  absl::Status result = absl::OkStatus();
  {
    const std::lock_guard lock(mutex_);
    const auto [held, free] = waiting_.try_emplace(name);
    if (!free) {
      if (held->second.size() < kMostWaiting) {
        held->second.push_back(std::move(done));
        return;
      }
      result = ResourceExhausted("more than " + std::to_string(kMostWaiting) +
                                 " requests wait for " + name + ": try again later");
    }
  }
  done(std::move(result));
}

void NameLocks::Release(const std::string& name) {
  Callback<absl::Status> next;
  {
    const std::lock_guard lock(mutex_);
    const auto held = waiting_.find(name);
    if (held == waiting_.end() && abandoned_) return;
    SWARM_CHECK(held != waiting_.end(), "a name is released by who holds it");
    if (held->second.empty()) {
      waiting_.erase(held);
      return;
    }
    next = std::move(held->second.front());
    held->second.pop_front();
  }
  next(absl::OkStatus());
}

void NameLocks::Abandon() {
  std::map<std::string, std::deque<Callback<absl::Status>>> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(waiting_);
    abandoned_ = true;
  }
}

Task<absl::Status> LockNames(NameLocks& locks, std::vector<std::string> names) {
  SortOnce(names);
  for (std::size_t taken = 0; taken < names.size(); ++taken) {
    std::string name = names[taken];
    absl::Status status = co_await LockName(locks, std::move(name));
    if (status.ok()) continue;
    while (taken-- > 0) locks.Release(names[taken]);
    co_return status;
  }
  co_return absl::OkStatus();
}

void UnlockNames(NameLocks& locks, std::vector<std::string> names) {
  SortOnce(names);
  for (const std::string& name : names) locks.Release(name);
}

}  // namespace swarm
