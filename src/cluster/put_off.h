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
#include "base/text.h"
#include "swarmlib/callback.h"
#include "swarmlib/clock.h"

namespace swarm {

class Engine;

// By then a reading that was put off is begun, whether somebody asks or not.
inline constexpr Duration kPutOff = std::chrono::milliseconds(100);
// So long after a reading that failed it is tried again; twice as long after each further one.
inline constexpr Duration kReadAgain = std::chrono::seconds(2);
inline constexpr Duration kMaxReadAgain = std::chrono::minutes(1);
// A reading that takes longer is accompanied by a ping; nobody waits for an engine that does not
// answer it in time.
inline constexpr Duration kPingAfter = std::chrono::milliseconds(200);
inline constexpr Duration kPingBesidePatience = std::chrono::milliseconds(600);
// Readings of one engine that are under way, before nobody asks for more of them.
inline constexpr std::size_t kMostReadings = 4;
// The same of marked containers.
inline constexpr std::size_t kMaxMarkedReadings = 1;

// Thread-safe. Belongs to a Hub, which its engines keep alive.
class PutOffReadings {
 public:
  // Orders what was put off and what was begun.
  using Moment = std::uint64_t;

  // The container is known in parts only, and is to be read. One that is marked stays so, and is
  // tried again at once.
  void Add(const std::shared_ptr<Engine>& engine, std::string id);
  // Marks a container whose inspect failed though its engine answers others: nobody waits for it,
  // and it is tried again with growing pauses, until Done or Forget. True when it was not marked.
  bool Mark(const std::shared_ptr<Engine>& engine, const std::string& id);
  bool IsMarked(const Engine& engine, std::string_view id) const;
  // By id.
  StringSet MarkedOf(const Engine& engine) const;
  // It is gone.
  void Forget(const Engine& engine, std::string_view id);
  // The engine is not healthy: before it is again, all that it holds is read.
  void ForgetAll(const Engine& engine);
  // A reading that begins now shows what was put off up to now.
  Moment Now();
  // What a reading that began at `moment` showed is published: of one container, or of all that are
  // not marked.
  void Done(const Engine& engine, std::string_view id, Moment moment);
  void AllDone(const Engine& engine, Moment moment);

  // Nothing is put off, nor being read.
  bool empty() const { return unread_.load(std::memory_order_acquire) == 0; }
  // Begins all readings that were put off, of `engine` or, when it is null, of all. Calls `done`
  // once, here or on a thread of an engine, when these and those under way have ended, and what was
  // put off again meanwhile is read; those that have been under way for `patience` are not waited
  // for, nor those of an engine that answers no ping, nor what is marked.
  void ReadNow(TimePoint now, Duration patience, const Engine* engine, Callback<> done);

 private:
  struct Waiting {
    std::size_t left = 0;  // readings
    Callback<> done;
  };
  struct Reading {
    std::string address;
    TimePoint begun{};
    bool of_marked = false;
    bool is_silent = false;  // its engine does not answer a ping either
    std::vector<std::shared_ptr<Waiting>> waiting;
  };
  struct Unread {
    TimePoint due{};
    Moment added = 0;
    std::uint64_t reading = 0;  // in which it is read; 0 = in none
    Moment begun = 0;           // `added` when that began
    int failures = 0;           // since it was read last; above 0 it is marked
  };
  struct OfEngine {
    std::weak_ptr<Engine> engine;
    std::map<std::string, Unread, std::less<>> containers;  // by id
    std::size_t readings = 0;                               // under way, without those of marked
    std::size_t marked_readings = 0;
    TimePoint timer_at = TimePoint::max();  // max: there is none
  };
  // What is to be begun when the lock is free.
  struct Begun {
    std::shared_ptr<Engine> engine;
    std::vector<std::string> ids;
    std::uint64_t number = 0;
    bool of_marked = false;
  };

  static Task<void> Run(Begun begun);
  static Task<void> Read(std::shared_ptr<Engine> engine, std::vector<std::string> ids,
                         bool of_marked);
  static void Spawn(std::vector<Begun> begun);
  static void PingWhenSlow(const std::shared_ptr<Engine>& engine, std::uint64_t number);
  static Task<void> PingBeside(std::shared_ptr<Engine> engine, std::uint64_t number);
  bool IsRunning(std::uint64_t number) const;
  // Who waits for this reading does so no longer.
  void Release(std::uint64_t number);
  void End(const Begun& begun);
  void SetTimer(std::shared_ptr<Engine> engine, TimePoint at);
  void TimerFired(const std::shared_ptr<Engine>& engine, TimePoint at);

  // With the lock held.
  // True when a timer is to be set for `due`.
  static bool NeedsTimer(OfEngine& of, TimePoint due);
  static void NoteFailure(Unread& unread, TimePoint now);
  // Begins what is due at `due` and not marked; or what is marked and due now, as far as it may.
  void Take(OfEngine& of, TimePoint now, TimePoint due, std::vector<Begun>& begun);
  void TakeMarked(OfEngine& of, TimePoint now, std::vector<Begun>& begun);
  static void AddWaiting(Reading& reading, const std::vector<std::shared_ptr<Waiting>>& waiting);
  // Adds to `told` whom nothing keeps waiting any more.
  static void EndWaiting(Reading& reading, std::vector<Callback<>>& told);
  void Begin(OfEngine& of, TimePoint now, bool of_marked, std::vector<Begun>& begun);
  static TimePoint NextTimer(const OfEngine& of, TimePoint now);
  void DropIfIdle(const Engine& engine);

  mutable std::mutex mutex_;
  std::atomic<std::size_t> unread_{0};
  std::map<std::string, OfEngine, std::less<>> engines_;  // by address
  std::map<std::uint64_t, Reading> readings_;
  std::uint64_t last_reading_ = 0;
  Moment last_moment_ = 0;
};

}  // namespace swarm
