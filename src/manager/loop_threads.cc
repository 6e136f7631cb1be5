#include "manager/loop_threads.h"

#include <chrono>
#include <future>
#include <string>
#include <system_error>
#include <utility>

#include "async/thread.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

// Before it is looked again whether anybody runs the loop.
constexpr std::chrono::milliseconds kLookAgain(5);

}  // namespace

LoopThreads::LoopThreads(Clock& clock, const LogSink& log, std::size_t count, bool callers)
    : callers_(callers), running_(count) {
  for (std::size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<Loop>(clock, log));
}

LoopThreads::~LoopThreads() { Finish(); }

std::vector<Loop*> LoopThreads::All() {
  std::vector<Loop*> all;
  for (const auto& loop : loops_) all.push_back(loop.get());
  return all;
}

absl::Status LoopThreads::Start() {
  if (callers_) return absl::OkStatus();
  absl::Status started = RunTheRest();
  if (!started.ok()) Finish();
  return started;
}

absl::Status LoopThreads::RunOne() {
  const std::size_t index = next_.fetch_add(1);
  if (index >= loops_.size()) {
    return FailedPrecondition("each of the manager's " + std::to_string(loops_.size()) +
                              " loops has its thread already");
  }
  const std::lock_guard<std::mutex> running(running_[index]);
  loops_[index]->Run();
  return absl::OkStatus();
}

void LoopThreads::On(std::size_t index, const std::function<void()>& work) {
  auto done = std::make_shared<std::promise<void>>();
  const std::future<void> result = done->get_future();
  loops_[index]->Post([&work, done = std::move(done)] {
    work();
    done->set_value();
  });
  do {
    if (index < next_.load()) continue;
    const std::lock_guard<std::mutex> running(running_[index]);
    loops_[index]->RunReady();
    // One that ran out of work is stopped by that; who runs it next must find it going.
    loops_[index]->context().restart();
  } while (result.wait_for(kLookAgain) != std::future_status::ready);
}

absl::Status LoopThreads::RunTheRest() {
  for (std::size_t left = next_.load(); left < loops_.size(); ++left) {
    try {
      threads_.push_back(StartThread([this] { RunOne().IgnoreError(); }));
    } catch (const std::system_error& error) {
      return ResourceExhausted("no thread for loop " + std::to_string(left + 1) + " of " +
                               std::to_string(loops_.size()) + ": " + error.what());
    }
  }
  return absl::OkStatus();
}

void LoopThreads::Finish() {
  for (const auto& loop : loops_) loop->Stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace swarm
