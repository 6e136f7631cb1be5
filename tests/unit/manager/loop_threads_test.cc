#include "manager/loop_threads.h"

#include <chrono>
#include <future>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "swarmlib/clock.h"

namespace swarm {
namespace {

// What On ran on a loop without a thread must not end the thread that comes for it.
TEST(LoopThreads, ALoopThatRanOutOfWorkIsRunByTheNextThread) {
  LoopThreads threads(SystemClock(), nullptr, 1, true);
  int ran = 0;
  threads.On(0, [&ran] { ++ran; });
  threads.On(0, [&ran] { ++ran; });
  EXPECT_EQ(ran, 2);
  std::thread running([&threads] { EXPECT_TRUE(threads.RunOne().ok()); });
  std::thread::id where;
  while (!threads.full()) std::this_thread::yield();
  const auto done = std::make_shared<std::promise<void>>();
  threads[0].Post([&where, done] {
    where = std::this_thread::get_id();
    done->set_value();
  });
  ASSERT_EQ(done->get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_EQ(where, running.get_id());
  threads.Finish();
  running.join();
}

}  // namespace
}  // namespace swarm
