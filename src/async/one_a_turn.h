// Work that may wait for everything else that a loop has to do.
#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "async/loop.h"
#include "swarmlib/callback.h"

namespace swarm {

// Runs one piece of work in each turn of the loop, in the order in which they came, so that many
// which come at once hold up nobody else for longer than one of them takes. On the loop. Waiting
// pieces hold this object; an owner that a piece holds must not hold it too, or neither is freed.
class OneATurn : public std::enable_shared_from_this<OneATurn> {
 public:
  explicit OneATurn(Loop& loop) : loop_(loop) {}

  // `piece` never runs inside this call. What has not run when the loop ends is dropped.
  void Run(Callback<> piece) {
    pieces_.push_back(std::move(piece));
    if (pieces_.size() == 1) Schedule();
  }

 private:
  void Schedule() {
    loop_.Post([self = shared_from_this()] { self->RunFirst(); });
  }

  void RunFirst() {
    Callback<> piece = std::move(pieces_.front());
    pieces_.pop_front();
    if (!pieces_.empty()) Schedule();
    piece();
  }

  Loop& loop_;
  std::deque<Callback<>> pieces_;
};

}  // namespace swarm
