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
// So long after a reading that failed it is tried again.
inline constexpr Duration kReadAgain = std::chrono::seconds(2);
// Readings of one engine that are under way, before nobody asks for more of them.
inline constexpr std::size_t kMostReadings = 4;

// Thread-safe. Belongs to a Hub, which its engines keep alive.
class PutOffReadings {
 public:
  // Orders what was put off and what was begun.
  using Mark = std::uint64_t;

  // The container is known in parts only, and is to be read.
  void Add(const std::shared_ptr<Engine>& engine, std::string id);
  // It is gone.
  void Forget(const Engine& engine, std::string_view id);
  // A reading that begins now shows what was put off up to now.
  Mark Now();
  // What a reading that began at `mark` showed is published: of one container, or of all.
  void Done(const Engine& engine, std::string_view id, Mark mark);
  void AllDone(const Engine& engine, Mark mark);

  // Nothing is put off, nor being read.
  bool empty() const { return unread_.load(std::memory_order_acquire) == 0; }
  // Begins all readings that were put off, of `engine` or, when it is null, of all. Calls `done`
  // once, here or on a thread of an engine, when these and those under way have ended; those that
  // have been under way for `patience` are not waited for, nor what could not be read lately.
  void ReadNow(TimePoint now, Duration patience, const Engine* engine, Callback<> done);

 private:
  struct Waiting {
    std::size_t left = 0;  // readings
    Callback<> done;
  };
  struct Reading {
    std::string address;
    TimePoint begun{};
    std::vector<std::shared_ptr<Waiting>> waiting;
  };
  struct Unread {
    TimePoint due{};
    Mark mark = 0;
    std::uint64_t reading = 0;  // in which it is read; 0 = in none
    Mark begun = 0;             // `mark` when that began
    bool failed = false;        // when it was read last
  };
  struct OfEngine {
    std::weak_ptr<Engine> engine;
    std::map<std::string, Unread, std::less<>> containers;  // by id
    std::size_t readings = 0;                               // under way
    bool has_timer = false;
  };
  // What is to be begun when the lock is free.
  struct Begun {
    std::shared_ptr<Engine> engine;
    std::vector<std::string> ids;
    std::uint64_t number = 0;
  };

  static Task<void> Run(Begun begun);
  static Task<void> Read(std::shared_ptr<Engine> engine, std::vector<std::string> ids);
  static void Spawn(std::vector<Begun> begun);
  void End(const Begun& begun);
  void SetTimer(std::shared_ptr<Engine> engine, Duration delay);
  void TimerFired(const std::shared_ptr<Engine>& engine);
  // With the lock held: begins what is due at that time; what failed before, only if it is due now.
  void Take(OfEngine& of, TimePoint now, TimePoint due, std::vector<Begun>& begun);

  mutable std::mutex mutex_;
  std::atomic<std::size_t> unread_{0};
  std::map<std::string, OfEngine, std::less<>> engines_;  // by address
  std::map<std::uint64_t, Reading> readings_;
  std::uint64_t last_reading_ = 0;
  Mark last_mark_ = 0;
};

}  // namespace swarm
