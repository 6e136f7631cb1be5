// What happened while an engine was not followed, and what it has forgotten of it.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "unit/cluster/world.h"

namespace swarm {
namespace {

using std::chrono::seconds;

// The actions of all events, in order, followed from the beginning.
class Followed {
 public:
  explicit Followed(World& world)
      : subscription_(world.cluster().Subscribe([this](std::shared_ptr<const ClusterEvent> event) {
          actions_.push_back(event->action);
        })) {}

  int Count(const std::string& action) const {
    return static_cast<int>(std::count(actions_.begin(), actions_.end(), action));
  }
  const std::vector<std::string>& actions() const { return actions_; }

 private:
  std::vector<std::string> actions_;
  std::unique_ptr<Subscription> subscription_;
};

bool Reconnected(World& world) {
  const bool open = world.Until([&] { return world.engine(1).streams() == 1; }, seconds(10));
  world.Pass(seconds(1));
  return open;
}

TEST(EventsLost, AnEngineThatRemembersLosesNothing) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  Followed followed(world);
  world.engine(1).Run("a", "created");
  world.Settle();
  for (int i = 0; i < 3; ++i) {
    world.engine(1).BreakStreams();
    if (i > 0) world.engine(1).SetState("a", i == 1 ? "running" : "exited", true);
    ASSERT_TRUE(Reconnected(world));
  }
  EXPECT_EQ(followed.actions(), (std::vector<std::string>{"create", "start", "die"}));
}

TEST(EventsLost, AnEngineThatHasForgottenIsMarkedOnce) {
  for (const bool something_after : {false, true}) {
    World world(1);
    ASSERT_TRUE(world.Connect());
    Followed followed(world);
    world.engine(1).Run("a", "created");
    world.Settle();
    world.engine(1).BreakStreams();
    world.engine(1).SetState("a", "running", true);
    world.engine(1).ForgetEvents();
    if (something_after) world.engine(1).SetState("a", "exited", true);
    ASSERT_TRUE(Reconnected(world));
    EXPECT_EQ(followed.Count("events_lost"), 1) << something_after;
    EXPECT_EQ(followed.Count("start"), 0);
    if (something_after) {
      // It stands where they are missing.
      EXPECT_EQ(followed.actions(), (std::vector<std::string>{"create", "events_lost", "die"}));
    }
    world.engine(1).SetState("a", "paused", true);
    world.engine(1).BreakStreams();
    ASSERT_TRUE(Reconnected(world));
    EXPECT_EQ(followed.Count("events_lost"), 1);
  }
}

// A create with a MiB of labels is taken, and its events are as large.
TEST(EventsLost, ALargeEventIsTakenAndATooLargeOneDoesNotEndTheStream) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  Followed followed(world);
  const auto event = [](std::size_t bytes, const std::string& time) {
    return "{\"Type\":\"volume\",\"Action\":\"create\",\"Actor\":{\"ID\":\"v\",\"Attributes\":{"
           "\"label\":\"" +
           std::string(bytes, 'x') + "\"}},\"scope\":\"local\",\"timeNano\":" + time + "}\n";
  };
  const std::int64_t now = world.clock().Wall().time_since_epoch().count();
  world.engine(1).SendBytes(event(3U << 20U, std::to_string(now + 1)));
  world.Settle();
  EXPECT_EQ(followed.actions(), std::vector<std::string>{"create"});
  world.engine(1).SendBytes(event(9U << 20U, std::to_string(now + 2)));
  world.Settle();
  world.engine(1).SendBytes(event(1, std::to_string(now + 3)));
  world.Settle();
  EXPECT_EQ(followed.actions(), (std::vector<std::string>{"create", "events_lost", "create"}));
  EXPECT_EQ(world.engine(1).Calls("GET /events"), 1);
}

TEST(EventsLost, WhatIsKeptIsWholeSinceTheEngineWasFollowed) {
  World world(2);
  world.engine(1).Run("before", "created");
  ASSERT_TRUE(world.Connect());
  const std::int64_t connected = world.clock().Wall().time_since_epoch().count();
  world.Pass(seconds(5));
  world.engine(1).Run("after", "created");
  world.Pass(seconds(1));
  KeptEvents kept = world.cluster().EventsBetween(0, INT64_MAX);
  ASSERT_EQ(kept.nodes.size(), 2U);
  const KeptEvents::OfNode first = kept.nodes.at(World::AddressOf(1));
  EXPECT_EQ(first.count, 1U);
  EXPECT_GT(first.whole_since, 0);
  EXPECT_LE(first.whole_since, connected + 1);
  EXPECT_EQ(kept.nodes.at(World::AddressOf(2)).count, 0U);
  world.cluster().SetAddresses({World::AddressOf(2)});
  world.Settle();
  EXPECT_EQ(world.cluster().EventsBetween(0, INT64_MAX).nodes.size(), 1U);
  // Back again: whole only from now on.
  world.Pass(seconds(5));
  world.Announce();
  world.Pass(seconds(5));
  kept = world.cluster().EventsBetween(0, INT64_MAX);
  ASSERT_EQ(kept.nodes.size(), 2U);
  EXPECT_GT(kept.nodes.at(World::AddressOf(1)).whole_since, first.whole_since);
}

}  // namespace
}  // namespace swarm
