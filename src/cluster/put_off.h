// Readings of containers that were put off: what our own create or start did is known well enough
// until somebody asks for the rest.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "swarmlib/callback.h"
#include "swarmlib/clock.h"

namespace swarm {

class Engine;

// By then a reading that was put off is begun, whether somebody asks or not.
inline constexpr Duration kPutOff = std::chrono::milliseconds(100);

// Thread-safe. Belongs to a Hub, which its engines keep alive.
// A reading that takes longer is not waited for any more.
inline constexpr Duration kReadingPatience = std::chrono::milliseconds(500);

class PutOffReadings {
 public:
  // The container is known in parts only, and is to be read.
  void Add(const std::shared_ptr<Engine>& engine, std::string id);
  // It is gone, or is being read otherwise.
  void Forget(const Engine& engine, std::string_view id);
  // Nothing is put off, nor being read by this.
  bool empty() const { return unread_.load(std::memory_order_acquire) == 0; }
  // Begins all readings that were put off, of `engine` or, when it is null, of all. Calls `done`
  // once, here or on a thread of an engine, when these and those under way have ended; not when one
  // has been under way for kReadingPatience before. A reading that fails is not made again by this:
  // the next whole reading of the engine shows what it would have shown.
  void ReadNow(TimePoint now, const Engine* engine, Callback<> done);

 private:
  struct Waiting {
    std::size_t left = 0;  // readings
    Callback<> done;
  };
  struct Reading {
    std::string address;
    TimePoint begun{};
    std::size_t containers = 0;
    std::vector<std::shared_ptr<Waiting>> waiting;
  };
  struct OfEngine {
    std::weak_ptr<Engine> engine;
    std::map<std::string, TimePoint, std::less<>> due;  // by container id
    bool has_timer = false;
  };
  // What is to be begun when the lock is free.
  struct Begun {
    std::shared_ptr<Engine> engine;
    std::vector<std::string> ids;
    std::uint64_t number = 0;
  };

  static Task<void> Run(Begun begun);
  static void Spawn(std::vector<Begun> begun);
  void End(std::uint64_t number);
  void SetTimer(std::shared_ptr<Engine> engine, Duration delay);
  void TimerFired(const std::shared_ptr<Engine>& engine);
  // With the lock held.
  void Take(OfEngine& of, TimePoint now, TimePoint due, std::vector<Begun>& begun);

  mutable std::mutex mutex_;
  std::atomic<std::size_t> unread_{0};
  std::map<std::string, OfEngine, std::less<>> engines_;  // by address
  std::map<std::uint64_t, Reading> readings_;
  std::uint64_t last_ = 0;
};

}  // namespace swarm
