// An engine that tells of much at once holds up nobody else.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cluster/session.h"
#include "unit/cluster/world.h"

namespace swarm {
namespace {

using std::chrono::seconds;

constexpr int kFlood = 5'000;
constexpr std::uint64_t kMaxATurn = 100;

std::uint64_t Newest(World& world) {
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  return world.cluster().EventsBetween(kNever, kNever).newest;
}

// The most events that were applied between two looks, one in each turn of the loop.
class FloodWatch : public std::enable_shared_from_this<FloodWatch> {
 public:
  FloodWatch(World& world, std::uint64_t until)
      : world_(world), last_(Newest(world)), until_(until) {}

  void Begin() {
    world_.loop().Post([self = shared_from_this()] {
      const std::uint64_t newest = Newest(self->world_);
      self->most_ = std::max(self->most_, newest - std::exchange(self->last_, newest));
      if (newest < self->until_ && ++self->looks_ < 100'000) self->Begin();
    });
  }
  std::uint64_t most() const { return most_; }

 private:
  World& world_;
  std::uint64_t last_, most_ = 0;
  const std::uint64_t until_;
  int looks_ = 0;
};

std::string EventText(const std::string& action, const std::string& id, std::int64_t time) {
  return R"({"Type":"container","Action":")" + action + R"(","Actor":{"ID":")" + id +
         R"(","Attributes":{}},"timeNano":)" + std::to_string(time) + "}\n";
}

// What came while the events before it were applied is there at once.
TEST(EventFlood, IsAppliedInManyTurns) {
  World world(1);
  const std::string id = world.engine(1).Run("a", "created");
  ASSERT_TRUE(world.Connect());
  world.engine(1).Lock("a");
  world.engine(1).SetState("a", "running", true);  // its reading hangs
  world.Settle();
  const std::uint64_t before = Newest(world);
  std::int64_t time = world.clock().Wall().time_since_epoch().count();
  for (int i = 0; i < kFlood; ++i) {
    world.engine(1).SendBytes(R"({"Type":"container","Action":"exec_start: sh","Actor":{"ID":")" +
                              id + R"(","Attributes":{}},"timeNano":)" + std::to_string(++time) +
                              "}\n");
  }
  world.Settle();
  EXPECT_EQ(Newest(world), before) << "they wait for the start's";
  const auto watch = std::make_shared<FloodWatch>(world, before + kFlood);
  bool begun = false;
  const auto subscription =
      world.cluster().Subscribe([&watch, &begun](const std::shared_ptr<const ClusterEvent>&) {
        if (!std::exchange(begun, true)) watch->Begin();
      });
  world.Pass(seconds(10));  // the reading is given up
  EXPECT_GT(Newest(world), before + kFlood);
  EXPECT_LE(watch->most(), kMaxATurn);
  EXPECT_GT(watch->most(), 0U);
}

// More than may wait to be applied: an engine that goes on and on is not left behind.
TEST(EventFlood, LosesNothingHoweverLong) {
  World world(1);
  const std::string id = world.engine(1).Run("a", "created");
  ASSERT_TRUE(world.Connect());
  const std::uint64_t before = Newest(world);
  const std::size_t streams = world.engine(1).streams();
  constexpr std::uint64_t kMany = 2 * kMostUnappliedEvents;
  std::int64_t time = world.clock().Wall().time_since_epoch().count();
  std::string bytes;
  for (std::uint64_t i = 0; i < kMany; ++i) bytes += EventText("top", id, ++time);
  world.engine(1).SendBytes(bytes);
  world.Settle();
  EXPECT_EQ(Newest(world), before + kMany);
  EXPECT_EQ(world.engine(1).streams(), streams);
}

// Some hundred events of one container, applied in several turns, in which the stream ends.
TEST(EventFlood, KeepsItsOrderOverTurnsAndABrokenStream) {
  World world(1);
  const std::string id = world.engine(1).Run("a", "running");
  ASSERT_TRUE(world.Connect());
  std::vector<std::string> seen;
  const auto subscription =
      world.cluster().Subscribe([&seen](const std::shared_ptr<const ClusterEvent>& event) {
        if (event) seen.push_back(event->action);
      });
  std::int64_t time = world.clock().Wall().time_since_epoch().count();
  std::vector<std::string> expected;
  const auto tell = [&](const std::string& action) {
    expected.push_back(action);
    world.engine(1).SendBytes(EventText(action, id, ++time));
  };
  for (int i = 0; i < 100; ++i) tell("exec_start: " + std::to_string(i));
  world.engine(1).Remove("a");
  expected.push_back("destroy");
  for (int i = 0; i < 20; ++i) tell("health_status: healthy");
  world.loop().Post([&world] { world.engine(1).BreakStreams(); });
  ASSERT_TRUE(world.Until([&] { return seen.size() >= expected.size(); }, seconds(5)));
  EXPECT_EQ(seen, expected);
  EXPECT_FALSE(world.cluster().FindContainer("a").ok());
}

}  // namespace
}  // namespace swarm
