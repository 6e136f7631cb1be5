// Volumes that this process made and nobody has used: they may still move.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "swarmlib/clock.h"

namespace swarm {

// Thread-safe.
class FreshVolumes {
 public:
  static constexpr std::size_t kMost =
      4'096;  // the oldest is forgotten first, and stays where it is
  // For longer nobody can be sure that it was not used past us. Whoever makes a volume for a
  // container makes the container soon.
  static constexpr Duration kMayMove = std::chrono::minutes(10);

  struct Volume {
    std::string node;  // address
    std::string body;  // of the request that made it
    std::string id;    // our label's value
    TimePoint made;
  };

  void Remember(const std::string& name, Volume volume) {
    const std::lock_guard lock(mutex_);
    if (const auto old = volumes_.find(name); old != volumes_.end()) {
      ages_.erase(old->second.age);
      volumes_.erase(old);
    }
    if (volumes_.size() >= kMost) {
      volumes_.erase(ages_.begin()->second);
      ages_.erase(ages_.begin());
    }
    const std::uint64_t age = next_age_++;
    volumes_.emplace(name, Kept{std::move(volume), age});
    ages_.emplace(age, name);
  }

  std::optional<Volume> Find(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = volumes_.find(name);
    if (found == volumes_.end()) return std::nullopt;
    return found->second.volume;
  }

  void Forget(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = volumes_.find(name);
    if (found == volumes_.end()) return;
    ages_.erase(found->second.age);
    volumes_.erase(found);
  }

 private:
  struct Kept {
    Volume volume;
    std::uint64_t age;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Kept> volumes_;
  std::map<std::uint64_t, std::string> ages_;
  std::uint64_t next_age_ = 0;
};

}  // namespace swarm
