// How many event listeners are sent the past at once, and for how many it is gathered.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "async/loop.h"
#include "base/sweep.h"

namespace swarm {

// Thread-safe. Kept alive by what holds a turn.
class ReplayTurns : public std::enable_shared_from_this<ReplayTurns> {
 public:
  static constexpr std::size_t kMaxAtOnce = 256;
  // Of those, whose engines are asked: what they tell is held in memory meanwhile.
  static constexpr std::size_t kMaxGathering = 8;

  explicit ReplayTurns(std::size_t most) : most_(most) {}

  // A turn lasts as long as this object, whose end lets the next one begin.
  class Turn {
   public:
    explicit Turn(std::shared_ptr<ReplayTurns> turns) : turns_(std::move(turns)) {}
    ~Turn() { turns_->End(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    std::shared_ptr<ReplayTurns> turns_;
  };
  using Begin = std::function<void(std::shared_ptr<Turn>)>;

  // Calls `begin` on `loop` once it is its turn, unless `owner` is gone by then.
  void Await(Loop& loop, std::weak_ptr<void> owner, Begin begin);

 private:
  struct Waiting {
    Loop* loop;
    std::weak_ptr<void> owner;
    Begin begin;
  };

  void End();
  // With the lock held.
  void Start(Waiting waiting);

  const std::size_t most_;
  std::mutex mutex_;
  std::size_t running_ = 0;
  std::deque<Waiting> waiting_;
  Sweep left_;  // those of `waiting_` whose owners are gone
};

}  // namespace swarm
