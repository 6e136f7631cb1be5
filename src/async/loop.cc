#include "async/loop.h"

#include <signal.h>

#include <algorithm>
#include <ctime>
#include <exception>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

namespace swarm {
namespace {

thread_local Loop* current_loop = nullptr;

// Added to the time of day it must not overflow.
constexpr Duration kLongestDelay = std::chrono::hours(24 * 365 * 100);

// So late may a timer be on a clock that is neither the machine's nor moved by hand.
constexpr Duration kOwnClockPause = std::chrono::milliseconds(20);

// Makes `loop` the current one for a scope, in which a write to a closed connection is an error and
// no signal.
class CurrentScope {
 public:
  explicit CurrentScope(Loop* loop) : before_(std::exchange(current_loop, loop)) {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &mask_);
  }
  ~CurrentScope() {
    current_loop = before_;
    if (sigismember(&mask_, SIGPIPE) == 1) return;
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    const timespec now{};
    sigtimedwait(&pipe, nullptr, &now);  // one that came meanwhile is ours
    pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }
  CurrentScope(const CurrentScope&) = delete;
  CurrentScope& operator=(const CurrentScope&) = delete;

 private:
  Loop* before_;
  sigset_t mask_;
};

// Asio wants copyable handlers in places; this holder is moved only but satisfies post().
struct PostedWork {
  Callback<> work;
  void operator()() { work(); }
};

}  // namespace

Loop::Loop(Clock& clock, LogSink log)
    : clock_(clock),
      log_(std::move(log)),
      real_time_(dynamic_cast<ManualClock*>(&clock) == nullptr),
      armed_for_(TimePoint::max()),
      context_(1),
      wake_(context_) {}

// Timers may hold coroutines, which unwind through the context: it must still be there. What
// unwinds may start or cancel timers, so they are taken out first.
Loop::~Loop() {
  const auto timers = std::exchange(timers_, {});
  due_.clear();
}

void Loop::Post(Callback<> work) { boost::asio::post(context_, PostedWork{std::move(work)}); }

void Loop::Spawn(Task<void> task) {
  boost::asio::co_spawn(context_, std::move(task), [this](std::exception_ptr failure) {
    if (!failure || !log_) return;
    std::string what = "unknown exception";
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& exception) {
      what = exception.what();
    } catch (...) {
    }
    log_({LogLevel::kError, "a task ended by an exception", {{"what", what}}});
  });
}

Loop::TimerId Loop::After(Duration delay, Callback<> then) {
  const TimePoint when = clock_.Now() + std::clamp(delay, Duration::zero(), kLongestDelay);
  const TimerId id = ++last_id_;
  timers_.emplace(std::make_pair(when, id), std::move(then));
  due_.emplace(id, when);
  Arm();
  return id;
}

void Loop::Cancel(TimerId id) {
  const auto found = due_.find(id);
  if (found == due_.end()) return;
  timers_.erase({found->second, id});
  due_.erase(found);
}

void Loop::Arm() {
  if (!real_time_ || timers_.empty()) return;
  const TimePoint next = timers_.begin()->first.first;
  if (next >= armed_for_) return;
  armed_for_ = next;
  if (&clock_ == &SystemClock()) {
    wake_.expires_at(std::chrono::time_point_cast<std::chrono::steady_clock::duration>(next));
  } else {
    // A clock of somebody's own may run at another pace, so it is looked at again and again.
    wake_.expires_after(std::clamp(next - clock_.Now(), Duration::zero(), kOwnClockPause));
  }
  wake_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;  // armed anew for an earlier time
    armed_for_ = TimePoint::max();
    FireDue();
    Arm();
  });
}

void Loop::FireDue() {
  const TimePoint now = clock_.Now();
  const TimerId newest = last_id_;  // a timer that starts itself anew must not hold the loop
  auto next = timers_.begin();
  while (next != timers_.end() && next->first.first <= now) {
    if (next->first.second > newest) {
      ++next;
      continue;
    }
    auto node = timers_.extract(next);
    due_.erase(node.key().second);
    node.mapped()();
    next = timers_.begin();
  }
}

void Loop::Run() {
  const CurrentScope scope(this);
  const auto guard = boost::asio::make_work_guard(context_);
  context_.run();
}

void Loop::Stop() { context_.stop(); }

std::size_t Loop::RunReady() {
  const CurrentScope scope(this);
  context_.restart();
  return context_.poll();
}

bool Loop::StepTime(ManualClock& clock) {
  if (timers_.empty()) return false;
  const CurrentScope scope(this);
  const TimePoint next = timers_.begin()->first.first;
  if (next > clock.Now()) clock.Advance(next - clock.Now());
  FireDue();
  return true;
}

Loop* Loop::Current() { return current_loop; }

}  // namespace swarm
