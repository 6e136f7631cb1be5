#include "api/readings.h"

#include <memory>
#include <utility>

#include "async/await.h"
#include "async/loop.h"

namespace swarm {

Task<void> AwaitAtMost(ContextPointer context, Duration most,
                       void (*when)(Cluster& cluster, Callback<> done)) {
  Loop* const loop = Loop::Current();
  auto start = [context, loop, most, when](Callback<bool> done) {
    auto waiting = std::make_shared<Callback<bool>>(std::move(done));
    const auto end = [waiting](bool told) {
      if (*waiting) std::exchange(*waiting, nullptr)(told);
    };
    const Loop::TimerId timer = loop->After(most, [end] { end(false); });
    when(context->cluster(), [end, loop, timer] {
      loop->Cancel(timer);
      end(true);
    });
  };
  co_await AwaitCallback<bool>(std::move(start));
}

Task<void> AwaitReadings(ContextPointer context) {
  const auto when = [](Cluster& cluster, Callback<> done) {
    cluster.WhenRead(kMaxUnread, std::move(done));
  };
  co_await AwaitAtMost(std::move(context), kMaxUnread, when);
}

}  // namespace swarm
