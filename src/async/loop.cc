#include "async/loop.h"

#include <exception>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

namespace swarm {
namespace {

thread_local Loop* current_loop = nullptr;

// Makes `loop` the current one for a scope.
class CurrentScope {
 public:
  explicit CurrentScope(Loop* loop) : before_(std::exchange(current_loop, loop)) {}
  ~CurrentScope() { current_loop = before_; }
  CurrentScope(const CurrentScope&) = delete;
  CurrentScope& operator=(const CurrentScope&) = delete;

 private:
  Loop* before_;
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
      real_time_(&clock == &SystemClock()),
      context_(1),
      wake_(context_),
      armed_for_(TimePoint::max()) {}

Loop::~Loop() = default;

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
  const TimePoint when = clock_.Now() + std::max(delay, Duration::zero());
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
  wake_.expires_at(std::chrono::time_point_cast<std::chrono::steady_clock::duration>(next));
  wake_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;  // armed anew for an earlier time
    armed_for_ = TimePoint::max();
    FireDue();
    Arm();
  });
}

void Loop::FireDue() {
  const TimePoint now = clock_.Now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    auto node = timers_.extract(timers_.begin());
    due_.erase(node.key().second);
    node.mapped()();
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
