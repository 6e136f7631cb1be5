// An engine that tells of much at once holds up nobody else.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "unit/cluster/world.h"

namespace swarm {
namespace {

using std::chrono::seconds;

constexpr int kFlood = 5'000;
constexpr std::uint64_t kMaxATurn = 32;

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

}  // namespace
}  // namespace swarm
