#include "cluster/tasks.h"

#include <utility>

namespace swarm {
namespace {

struct InterruptPause {
  Pause* pause;
  void operator()() const { pause->Interrupt(); }
};

}  // namespace

Task<void> Pause::For(Loop* loop, Duration delay) {
  if (std::exchange(interrupted_, false)) co_return;
  auto start = [this, loop, delay](Callback<bool> done) {
    auto sleeper = std::make_shared<Sleeper>();
    sleeper->done = std::move(done);
    sleeper_ = sleeper;
    loop_ = loop;
    timer_ = loop->After(delay, [sleeper] { sleeper->done(true); });
  };
  co_await AwaitCallback<bool>(std::move(start));
}

void Pause::Interrupt() {
  const std::shared_ptr<Sleeper> sleeper = sleeper_.lock();
  sleeper_.reset();
  if (!sleeper) {
    interrupted_ = true;
    return;
  }
  loop_->Cancel(timer_);
  sleeper->done(true);
}

Task<bool> Gate::Enter(Loop* loop, std::stop_token stop) {
  if (stop.stop_requested()) co_return false;
  if (free_ > 0) {
    --free_;
    co_return true;
  }
  auto waiter = std::make_shared<Waiter>();
  waiting_.push_back(waiter);
  const std::stop_callback<InterruptPause> on_stop(stop, InterruptPause{&waiter->pause});
  while (!waiter->granted && !stop.stop_requested()) {
    co_await waiter->pause.For(loop, kLongPause);
  }
  co_return waiter->granted;
}

void Gate::Leave() {
  while (!waiting_.empty()) {
    const std::shared_ptr<Waiter> next = waiting_.front().lock();
    waiting_.pop_front();
    if (!next) continue;  // it was stopped
    next->granted = true;
    next->pause.Interrupt();
    return;
  }
  ++free_;
}

}  // namespace swarm
