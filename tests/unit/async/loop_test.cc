#include "async/loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "async/await.h"
#include "swarmlib/caller_loop.h"

namespace swarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(LoopTest, FiresTimersInOrderOnAManualClock) {
  ManualClock clock;
  Loop loop(clock, nullptr);
  std::vector<int> fired;
  loop.After(seconds(3), [&] { fired.push_back(3); });
  loop.After(seconds(1), [&] { fired.push_back(1); });
  const Loop::TimerId cancelled = loop.After(seconds(2), [&] { fired.push_back(2); });
  loop.After(seconds(1), [&] { fired.push_back(11); });  // equal times: as started
  loop.Cancel(cancelled);
  loop.Cancel(cancelled);
  loop.Cancel(12345);
  EXPECT_EQ(loop.RunReady(), 0U);
  EXPECT_TRUE(fired.empty());
  const TimePoint start = clock.Now();
  EXPECT_TRUE(loop.StepTime(clock));
  EXPECT_EQ(fired, (std::vector<int>{1, 11}));
  EXPECT_EQ(clock.Now() - start, seconds(1));
  EXPECT_TRUE(loop.StepTime(clock));
  EXPECT_EQ(fired, (std::vector<int>{1, 11, 3}));
  EXPECT_EQ(clock.Now() - start, seconds(3));
  EXPECT_FALSE(loop.StepTime(clock));
}

// The machine's clock at ten times its pace, from another origin.
class FastClock final : public Clock {
 public:
  TimePoint Now() const override {
    return TimePoint(std::chrono::hours(1)) + 10 * (SystemClock().Now() - begin_);
  }
  WallTime Wall() const override { return WallTime(Now().time_since_epoch()); }

 private:
  const TimePoint begin_ = SystemClock().Now();
};

TEST(LoopTest, TimersFollowAClockOfSomebodysOwn) {
  FastClock clock;
  Loop loop(clock, nullptr);
  std::vector<int> fired;
  const TimePoint begin = clock.Now();
  loop.After(seconds(2), [&] {
    fired.push_back(2);
    EXPECT_GE(clock.Now() - begin, seconds(2));
    loop.Stop();
  });
  loop.After(seconds(1), [&] { fired.push_back(1); });
  loop.After(milliseconds(1), [&] { fired.push_back(0); });
  loop.Run();
  EXPECT_EQ(fired, (std::vector<int>{0, 1, 2}));
}

TEST(LoopTest, TheWayBackToTheCallersLoopIsForAnyThread) {
  EXPECT_EQ(CallerLoop(), nullptr);
  Loop loop(SystemClock(), nullptr);
  std::thread::id ran_on;
  std::thread other;
  bool inside = false;
  loop.Post([&] {
    const auto back = CallerLoop();
    ASSERT_NE(back, nullptr);
    inside = true;
    back([&inside] { EXPECT_FALSE(inside); });
    other = std::thread([&, back] {
      back([&] {
        ran_on = std::this_thread::get_id();
        loop.Stop();
      });
    });
    inside = false;
  });
  loop.Run();
  other.join();
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(LoopTest, ATimerMayStartAndCancelTimers) {
  ManualClock clock;
  Loop loop(clock, nullptr);
  int fired = 0;
  Loop::TimerId victim = 0;
  loop.After(seconds(1), [&] {
    ++fired;
    loop.Cancel(victim);
    loop.After(Duration::zero(), [&] { fired += 10; });
    loop.After(-seconds(5), [&] { fired += 100; });  // the past is now
  });
  victim = loop.After(seconds(1), [&] { fired += 1000; });
  EXPECT_TRUE(loop.StepTime(clock));
  EXPECT_EQ(fired, 1);
  EXPECT_TRUE(loop.StepTime(clock));
  EXPECT_EQ(fired, 111);
}

TEST(LoopTest, ATimerThatStartsItselfAnewDoesNotHoldTheLoop) {
  ManualClock clock;
  Loop loop(clock, nullptr);
  int rounds = 0;
  struct Again {
    static void Run(Loop& loop, int& rounds) {
      ++rounds;
      loop.After(Duration::zero(), [&] { Run(loop, rounds); });
    }
  };
  loop.After(Duration::zero(), [&] { Again::Run(loop, rounds); });
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(loop.StepTime(clock));
  EXPECT_EQ(rounds, 5);
}

TEST(LoopTest, ALongDelayDoesNotOverflow) {
  ManualClock clock;
  Loop loop(clock, nullptr);
  bool near = false;
  bool far = false;
  loop.After(Duration::max(), [&] { far = true; });
  loop.After(seconds(1), [&] { near = true; });
  EXPECT_TRUE(loop.StepTime(clock));
  EXPECT_TRUE(near);
  EXPECT_FALSE(far);
}

TEST(LoopTest, FollowsRealTimeOnTheSystemClock) {
  Loop loop(SystemClock(), nullptr);
  std::vector<int> fired;
  const auto start = std::chrono::steady_clock::now();
  loop.After(milliseconds(40), [&] {
    fired.push_back(40);
    loop.Stop();
  });
  loop.After(milliseconds(5), [&] { fired.push_back(5); });
  const Loop::TimerId cancelled = loop.After(milliseconds(10), [&] { fired.push_back(10); });
  loop.After(milliseconds(1), [&] { loop.Cancel(cancelled); });
  loop.Run();
  EXPECT_EQ(fired, (std::vector<int>{5, 40}));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(40));
}

TEST(LoopTest, TakesWorkFromAnyThread) {
  Loop loop(SystemClock(), nullptr);
  std::thread runner([&] { loop.Run(); });
  std::atomic<int> ran{0};
  std::atomic<bool> on_loop{true};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 250; ++k) {
        loop.Post([&] {
          if (Loop::Current() != &loop) on_loop = false;
          if (++ran == 1000) loop.Stop();
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  runner.join();
  EXPECT_EQ(ran, 1000);
  EXPECT_TRUE(on_loop);
  EXPECT_EQ(Loop::Current(), nullptr);
}

TEST(LoopTest, NeverRunsPostedWorkInsideTheCall) {
  ManualClock clock;
  Loop loop(clock, nullptr);
  bool ran = false;
  loop.Post([&] {
    loop.Post([&] { ran = true; });
    EXPECT_FALSE(ran);
  });
  EXPECT_FALSE(ran);
  loop.RunReady();
  EXPECT_TRUE(ran);
}

Task<void> Throw() {
  throw std::runtime_error("odd");
  co_return;
}

TEST(LoopTest, LogsAnExceptionThatEndsATask) {
  ManualClock clock;
  std::string logged;
  Loop loop(clock, [&](const LogRecord& record) {
    for (const auto& [key, value] : record.fields) logged += key + "=" + value;
  });
  loop.Spawn(Throw());
  loop.RunReady();
  EXPECT_EQ(logged, "what=odd");
}

// Counts those alive.
struct Tracked {
  explicit Tracked(int* count) : alive(count) { ++*alive; }
  Tracked(const Tracked&) = delete;
  Tracked& operator=(const Tracked&) = delete;
  ~Tracked() { --*alive; }
  int* alive;
};

// Cancels its timer while it unwinds, as connections do.
struct Cancelling {
  Loop* loop;
  Loop::TimerId timer;
  ~Cancelling() {
    loop->Cancel(timer);
    loop->Cancel(loop->After(seconds(1), [] {}));
  }
};

Task<void> Wait(Loop* loop, int* alive) {
  const Tracked tracked(alive);
  const Cancelling cancelling{loop, loop->After(seconds(50), [] {})};
  co_await SleepFor(seconds(100));
}

TEST(LoopTest, ALoopThatGoesTakesItsWaitingTasksWithIt) {
  int alive = 0;
  {
    ManualClock clock;
    Loop loop(clock, nullptr);
    for (int i = 0; i < 3; ++i) loop.Spawn(Wait(&loop, &alive));
    loop.RunReady();
    EXPECT_EQ(alive, 3);
  }
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace swarm
