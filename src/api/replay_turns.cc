#include "api/replay_turns.h"

#include <utility>

namespace swarm {

void ReplayTurns::Await(Loop& loop, std::weak_ptr<void> owner, Begin begin) {
  Waiting waiting{&loop, std::move(owner), std::move(begin)};
  std::shared_ptr<void> alive;  // is released behind the lock
  const std::lock_guard lock(mutex_);
  if (running_ >= most_) {
    left_.MakeRoom(waiting_, [](const Waiting& one) { return one.owner.expired(); });
    waiting_.push_back(std::move(waiting));
    return;
  }
  alive = waiting.owner.lock();
  if (alive) Start(std::move(waiting));
}

void ReplayTurns::End() {
  std::shared_ptr<void> alive;
  const std::lock_guard lock(mutex_);
  --running_;
  while (!waiting_.empty()) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    alive = next.owner.lock();  // then its loop lives too
    if (!alive) continue;
    return Start(std::move(next));
  }
}

void ReplayTurns::Start(Waiting waiting) {
  ++running_;
  auto turn = std::make_shared<Turn>(shared_from_this());
  waiting.loop->Post([turn = std::move(turn), begin = std::move(waiting.begin)]() mutable {
    begin(std::move(turn));
  });
}

}  // namespace swarm
