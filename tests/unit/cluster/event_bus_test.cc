#include "cluster/event_bus.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cluster/exec_table.h"

namespace swarm {
namespace {

ClusterEvent EventAt(std::int64_t time_nano) {
  ClusterEvent event;
  event.action = std::to_string(time_nano);
  event.time_nano = time_nano;
  return event;
}

class EventBusTest : public testing::Test {
 protected:
  void Settle() {
    while (loop_.RunReady() > 0) {
    }
  }
  ManualClock clock_;
  Loop loop_{clock_, {}};
  EventBus bus_;
};

TEST_F(EventBusTest, NumbersAndDeliversInOrderUntilTheSubscriptionEnds) {
  std::vector<std::string> seen;
  auto subscription = bus_.Subscribe(&loop_, [&](EventPointer event) {
    EXPECT_EQ(event->sequence, seen.size() + 1);
    seen.push_back(event->action);
  });
  for (int i = 1; i <= 5; ++i) bus_.Publish(EventAt(i));
  EXPECT_TRUE(seen.empty());  // never from inside Publish
  Settle();
  EXPECT_EQ(seen, (std::vector<std::string>{"1", "2", "3", "4", "5"}));
  bus_.Publish(EventAt(6));
  subscription.reset();
  Settle();
  EXPECT_EQ(seen.size(), 5U);
}

TEST_F(EventBusTest, ASubscriptionMayEndInsideItsSink) {
  int seen = 0;
  std::unique_ptr<Subscription> subscription;
  subscription = bus_.Subscribe(&loop_, [&](EventPointer) {
    if (++seen == 2) subscription.reset();
  });
  for (int i = 0; i < 5; ++i) bus_.Publish(EventAt(i));
  Settle();
  EXPECT_EQ(seen, 2);
}

TEST_F(EventBusTest, ASlowSubscriberIsCutOffAndToldSoAndOthersAreNot) {
  Loop quick_loop(clock_, {});
  std::size_t slow = 0, quick = 0;
  int cut = 0;
  const auto slow_one = bus_.Subscribe(&loop_, [&](EventPointer event) {
    slow += event ? 1 : 0;
    cut += event ? 0 : 1;
  });
  const auto quick_one =
      bus_.Subscribe(&quick_loop, [&](EventPointer event) { quick += event ? 1 : 0; });
  for (std::size_t i = 0; i < kMostWaitingEvents + 10; ++i) {
    bus_.Publish(EventAt(static_cast<std::int64_t>(i)));
    quick_loop.RunReady();
  }
  Settle();
  bus_.Publish(EventAt(1));
  Settle();
  quick_loop.RunReady();
  EXPECT_EQ(slow, kMostWaitingEvents);
  EXPECT_EQ(cut, 1);
  EXPECT_EQ(quick, kMostWaitingEvents + 11);
}

TEST_F(EventBusTest, KeepsTheLatestAndSaysWhenOlderOnesAreGone) {
  bool complete = false;
  EXPECT_TRUE(bus_.Between(0, 100, complete).empty());
  EXPECT_TRUE(complete);
  for (const int time : {30, 10, 20}) bus_.Publish(EventAt(time));
  const auto found = bus_.Between(10, 20, complete);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]->time_nano, 10);
  EXPECT_EQ(found[1]->time_nano, 20);
  for (std::size_t i = 0; i < kKeptEvents; ++i) bus_.Publish(EventAt(100));
  EXPECT_EQ(bus_.Between(0, 1000, complete).size(), kKeptEvents);
  EXPECT_FALSE(complete);
  bus_.Between(31, 1000, complete);
  EXPECT_TRUE(complete);
}

TEST(ExecTableTest, ForgetsTheOneNotAskedForLongest) {
  ExecTable table;
  for (std::size_t i = 0; i < kMostExecs; ++i)
    table.Remember("e" + std::to_string(i), i % 2 == 0 ? "a:1" : "b:1");
  EXPECT_EQ(table.Find("e0"), "a:1");  // now used last
  table.Remember("new", "a:1");
  EXPECT_EQ(table.Find("e1"), std::nullopt);
  EXPECT_EQ(table.Find("e0"), "a:1");
  table.Remember("new", "b:1");
  EXPECT_EQ(table.Find("new"), "b:1");
  table.ForgetNode("b:1");
  EXPECT_EQ(table.Find("new"), std::nullopt);
  EXPECT_EQ(table.Find("e3"), std::nullopt);
  EXPECT_EQ(table.Find("e2"), "a:1");
}

}  // namespace
}  // namespace swarm
