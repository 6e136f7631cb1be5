// An engine that is found at another address.
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "swarmlib/status.h"
#include "unit/cluster/world.h"

namespace swarm {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

NodeState StateOf(World& world, int number) {
  const NodePointer node = world.cluster().FindNode(World::AddressOf(number));
  return node ? node->state : NodeState::kDisconnected;
}

TEST(MovedEngine, ItsNewAddressTakesOverOnceTheOldOneIsUnhealthy) {
  World world(1);
  const std::string before = world.engine(1).Run("web", "running");
  ASSERT_TRUE(world.Connect());
  world.Add(2).SetId("ID1");
  const std::string after = world.engine(2).Run("web", "running");
  world.Announce();
  world.Pass(minutes(2));
  EXPECT_EQ(StateOf(world, 1), NodeState::kHealthy);
  EXPECT_EQ(StateOf(world, 2), NodeState::kPending) << "the old address answers";
  world.engine(1).SetMode(FakeEngine::Mode::kRefusing);
  ASSERT_TRUE(world.Until([&] { return StateOf(world, 2) == NodeState::kHealthy; }, minutes(5)));
  world.Pass(seconds(1));
  const NodePointer old = world.cluster().FindNode(World::AddressOf(1));
  EXPECT_EQ(old->state, NodeState::kPending);
  EXPECT_FALSE(world.cluster().FindContainer(before).ok());
  const auto found = world.cluster().FindContainer("web");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ((*found)->container.id, after);
  // It comes back: now it is the second.
  world.engine(1).SetMode(FakeEngine::Mode::kWell);
  world.Pass(minutes(5));
  EXPECT_EQ(StateOf(world, 2), NodeState::kHealthy);
  EXPECT_EQ(StateOf(world, 1), NodeState::kPending);
  EXPECT_NE(world.cluster().FindNode(World::AddressOf(1))->error.find("ID duplicated"),
            std::string::npos);
}

}  // namespace
}  // namespace swarm
