#include "cluster/event_bus.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cluster/exec_table.h"
#include "wire/events.h"

namespace swarm {
namespace {

ClusterEvent EventAt(std::int64_t time_nano, const std::string& node = {}) {
  ClusterEvent event;
  event.node = node;
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
  EventBus bus_{256U << 20U};
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
  static_assert(kKeptEvents >= 100'000);
  EXPECT_TRUE(bus_.Between(0, 100).events.empty());
  EXPECT_TRUE(bus_.Between(0, 100).nodes.empty());
  bus_.BeginFollowing("n1:1", 5);
  for (const int time : {30, 10, 20}) bus_.Publish(EventAt(time, "n1:1"));
  const KeptEvents found = bus_.Between(10, 20);
  ASSERT_EQ(found.events.size(), 2U);
  EXPECT_EQ(found.events[0]->time_nano, 10);
  EXPECT_EQ(found.events[1]->time_nano, 20);
  EXPECT_EQ(found.newest, 3U);
  EXPECT_EQ(found.nodes.at("n1:1").whole_since, 5);
  EXPECT_EQ(found.nodes.at("n1:1").count, 3U);
  bus_.BeginFollowing("n2:1", 7);
  for (std::size_t i = 0; i < kKeptEvents; ++i) bus_.Publish(EventAt(100, "n2:1"));
  const KeptEvents full = bus_.Between(0, 1000);
  EXPECT_EQ(full.events.size(), kKeptEvents);
  EXPECT_EQ(full.nodes.at("n1:1").whole_since, 31);
  EXPECT_EQ(full.nodes.at("n1:1").count, 0U);
  EXPECT_EQ(full.nodes.at("n2:1").whole_since, 7);
  bus_.EndFollowing("n1:1");
  EXPECT_FALSE(bus_.Between(0, 1000).nodes.contains("n1:1"));
}

TEST_F(EventBusTest, EqualTimesComeByNodeName) {
  for (const char* name : {"n3", "n1", "n2", "n1"}) {
    ClusterEvent event = EventAt(5, std::string("address-of-") + name);
    event.attributes["node.name"] = name;
    event.action = name;
    bus_.Publish(std::move(event));
  }
  bus_.Publish(EventAt(4));
  std::vector<std::uint64_t> order;
  for (const EventPointer& event : bus_.Between(0, 10).events) order.push_back(event->sequence);
  EXPECT_EQ(order, (std::vector<std::uint64_t>{5, 2, 4, 3, 1}));
}

TEST_F(EventBusTest, PagesGoThroughTheHistoryByArrivalAndByTime) {
  EventBus bus(16'000);
  for (const int time : {10, 30, 20}) bus.Publish(EventAt(time, "n1:1"));
  const auto times = [](const EventPage& page) {
    std::string text;
    for (const EventPointer& event : page.events) text += std::to_string(event->time_nano) + " ";
    return text;
  };
  EXPECT_EQ(times(bus.After(0, 2)), "10 30 ");
  EXPECT_EQ(times(bus.After(2, 9)), "20 ");
  EXPECT_EQ(times(bus.After(3, 9)), "");
  EventPlace place;
  place.time_nano = 10;
  EXPECT_EQ(times(bus.Behind(place, 100, 0, 2)), "10 20 ");
  place = {20, "", "n1:1", 3};
  EXPECT_EQ(times(bus.Behind(place, 100, 0, 2)), "30 ");
  EXPECT_EQ(times(bus.Behind(place, 29, 0, 2)), "");
  EXPECT_FALSE(bus.Behind(place, 100, 0, 2).lost);
  EXPECT_FALSE(bus.After(0, 1).lost);
  while (bus.Dropped() < 3) bus.Publish(EventAt(40, "n1:1"));
  EXPECT_TRUE(bus.After(1, 1).lost);
  EXPECT_FALSE(bus.After(3, 1).lost);
  while (bus.Dropped() < 4) bus.Publish(EventAt(50, "n1:1"));
  EXPECT_TRUE(bus.Behind(place, 100, 0, 2).lost);
  EXPECT_FALSE(bus.Behind(place, 100, bus.Dropped(), 2).lost);
}

TEST_F(EventBusTest, ALateComerThatLeavesTheHistoryHidesNoLossBehindIt) {
  EventBus bus(16'000);
  for (const int time : {100, 50}) bus.Publish(EventAt(time, "n1:1"));
  while (bus.Dropped() < 2) bus.Publish(EventAt(200, "n1:1"));
  ASSERT_EQ(bus.Dropped(), 2U);
  EventPlace place;
  place.time_nano = 60;
  EXPECT_TRUE(bus.Behind(place, 300, 0, 2).lost);
  place.time_nano = 100;
  EXPECT_FALSE(bus.Behind(place, 300, 0, 2).lost);
}

// Thousands of them cost their places only.
TEST_F(EventBusTest, SubscribersThatDoNotRunHoldNoEvents) {
  EventBus bus(1U << 20U);
  int seen = 0;
  std::vector<std::unique_ptr<Subscription>> all;
  for (int i = 0; i < 10; ++i) all.push_back(bus.Subscribe(&loop_, [&](EventPointer) { ++seen; }));
  bus.Publish(EventAt(1, "n1:1"));
  std::weak_ptr<const ClusterEvent> first = bus.After(0, 1).events.front();
  while (bus.Dropped() == 0) bus.Publish(EventAt(2, "n1:1"));
  EXPECT_TRUE(first.expired());
  Settle();
  EXPECT_EQ(seen, 10);  // cut off, each told so
}

TEST_F(EventBusTest, LargeEventsAreBoundedByTheirBytes) {
  EventBus bus_;
  constexpr std::size_t kLarge = 1U << 20U;
  ClusterEvent large = EventAt(0, "n1:1");
  large.attributes["label"] = std::string(kLarge, 'x');
  EXPECT_GE(MemoryOf(large), kLarge);
  EXPECT_LE(MemoryOf(large), kLarge + 1'000);
  bus_.BeginFollowing("n1:1", 0);
  constexpr std::int64_t kPublished = 2 * (kEventHistoryBytes / kLarge);
  for (std::int64_t time = 1; time <= kPublished; ++time) {
    large.time_nano = time;
    bus_.Publish(large);
  }
  const KeptEvents found = bus_.Between(0, kPublished);
  EXPECT_LE(found.events.size() * kLarge, kEventHistoryBytes);
  EXPECT_GE(found.events.size() * kLarge, kEventHistoryBytes / 2);
  EXPECT_EQ(found.nodes.at("n1:1").whole_since, found.events.front()->time_nano);
  EXPECT_EQ(found.events.back()->time_nano, kPublished);
}

TEST(ExecTableTest, ForgetsTheOneNotAskedForLongest) {
  ExecTable table;
  for (std::size_t i = 0; i < kMostExecs; ++i)
    table.Remember("e" + std::to_string(i), i % 2 == 0 ? "a:1" : "b:1");
  EXPECT_EQ(table.Find("e0"), "a:1");  // now used last
  table.Remember("new", "a:1");
  EXPECT_EQ(table.Find("e1"), std::nullopt);
  EXPECT_EQ(table.Find("e0"), "a:1");
  table.ForgetNode("b:1");
  EXPECT_EQ(table.Find("new"), "a:1");
  EXPECT_EQ(table.Find("e3"), std::nullopt);
  EXPECT_EQ(table.Find("e2"), "a:1");
}

// Else an engine could take over the input and output of another one's exec by naming it.
TEST(ExecTable, AnIdThatTwoNodesClaimStaysWithTheFirst) {
  ExecTable table;
  EXPECT_EQ(table.Remember("x", "a:1"), "a:1");
  EXPECT_EQ(table.Remember("x", "b:1"), "a:1");
  EXPECT_EQ(table.Find("x"), "a:1");
  table.ForgetNode("a:1");
  EXPECT_EQ(table.Remember("x", "b:1"), "b:1");
}

}  // namespace
}  // namespace swarm
