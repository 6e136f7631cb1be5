// What the users of one loop share.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "async/loop.h"

namespace swarm {

// The T of each loop, while somebody uses it. Thread-safe.
template <typename T>
class PerLoop {
 public:
  // Made as T(loop, arguments...) where there is none.
  template <typename... Arguments>
  std::shared_ptr<T> Of(Loop& loop, Arguments&... arguments) {
    const std::lock_guard lock(mutex_);
    std::erase_if(kept_, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<T>& kept = kept_[&loop];
    std::shared_ptr<T> made = kept.lock();
    if (!made) {
      made = std::make_shared<T>(loop, arguments...);
      kept = made;
    }
    return made;
  }

 private:
  std::mutex mutex_;
  std::map<Loop*, std::weak_ptr<T>> kept_;
};

}  // namespace swarm
