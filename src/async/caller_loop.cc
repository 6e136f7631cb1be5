#include "swarmlib/caller_loop.h"

#include <utility>

#include "async/loop.h"

namespace swarm {

std::function<void(Callback<>)> CallerLoop() {
  Loop* const loop = Loop::Current();
  if (loop == nullptr) return nullptr;
  return [loop](Callback<> work) { loop->Post(std::move(work)); };
}

}  // namespace swarm
