// A callback that is waited for a bounded time.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "async/await.h"
#include "async/loop.h"
#include "async/task.h"
#include "swarmlib/callback.h"
#include "swarmlib/clock.h"

namespace swarm {

// Waits until `start`, which is given a callback, or one that it gave it to calls that, `patience`
// at most: then the result is false. It may be called on any thread, later or never as well.
// `loop` is the coroutine's. `start` must be a named local, moved in; what it refers to must live
// until the wait is over, no longer.
template <typename Start>
Task<bool> AwaitWithin(Loop* loop, Duration patience, Start start) {
  struct Waiter {
    std::atomic<bool> is_told{false};
    Callback<bool> done;

    void Tell(bool result) {
      if (!is_told.exchange(true)) std::exchange(done, nullptr)(result);
    }
  };
  Loop::TimerId timer = 0;
  auto begin = [&timer, loop, patience, &start](Callback<bool> done) {
    auto waiter = std::make_shared<Waiter>();
    waiter->done = std::move(done);
    // Only the loop's timer keeps it, so that a loop that is destroyed frees what waits.
    timer = loop->After(patience, [waiter] { waiter->Tell(false); });
    start([weak = std::weak_ptr<Waiter>(waiter)](bool result) {
      if (const auto self = weak.lock()) self->Tell(result);
    });
  };
  const bool result = co_await AwaitCallback<bool>(std::move(begin));
  loop->Cancel(timer);
  co_return result;
}

}  // namespace swarm
