#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "unit/cluster/world.h"

namespace swarm {
namespace {

using std::chrono::seconds;

std::optional<absl::Status> Cordon(World& world, const std::string& address, bool cordoned) {
  auto result = std::make_shared<std::optional<absl::Status>>();
  world.OnLoop([&world, address, cordoned, result] {
    world.cluster().Cordon(address, cordoned,
                           [result](absl::Status status) { *result = std::move(status); });
  });
  world.Settle();
  return *result;
}

TEST(Cordon, NoNewContainersAndTheReasonSaysSo) {
  World world(2);
  ASSERT_TRUE(world.Connect());
  EXPECT_TRUE(absl::IsNotFound(*Cordon(world, "10.9.9.9:1", true)));
  ASSERT_TRUE(Cordon(world, World::AddressOf(1), true)->ok());
  EXPECT_TRUE(world.cluster().FindNode("n1")->cordoned);
  for (int i = 0; i < 4; ++i) {
    const auto made = world.Create(CreateOf("c" + std::to_string(i), "busybox"));
    ASSERT_TRUE(made && made->ok()) << made->status();
    EXPECT_EQ((*made)->entry->node->name, "n2");
  }
  const auto refused = world.Create(CreateOf("only", "busybox", "", "constraint:node==n1"));
  ASSERT_TRUE(refused.has_value());
  EXPECT_FALSE(refused->ok());
  EXPECT_NE(refused->status().ToString().find("n1: cordoned: the node takes no new containers"),
            std::string::npos)
      << refused->status();
  ASSERT_TRUE(Cordon(world, World::AddressOf(1), false)->ok());
  const auto again = world.Create(CreateOf("only", "busybox", "", "constraint:node==n1"));
  ASSERT_TRUE(again && again->ok()) << again->status();
}

TEST(Cordon, WhatTheNodeHoldsGoesOn) {
  World world(1);
  world.engine(1).Run("old", "created");
  ASSERT_TRUE(world.Connect());
  ASSERT_TRUE(Cordon(world, World::AddressOf(1), true)->ok());
  const auto started = world.Operate(world.OperationOf(ContainerOperation::Verb::kStart, "old"));
  ASSERT_TRUE(started && started->ok()) << started->status();
  EXPECT_EQ((*started)->status, 204);
}

TEST(Cordon, OutlivesIllnessRefreshesAndAnAbsence) {
  World world(2);
  ASSERT_TRUE(world.Connect());
  ASSERT_TRUE(Cordon(world, World::AddressOf(1), true)->ok());
  world.engine(1).SetMode(FakeEngine::Mode::kRefusing);
  world.engine(1).BreakStreams();
  ASSERT_TRUE(world.Until([&] { return world.StateOf(1) == NodeState::kUnhealthy; }, seconds(120)));
  EXPECT_TRUE(world.cluster().FindNode("n1")->cordoned);
  world.engine(1).SetMode(FakeEngine::Mode::kWell);
  ASSERT_TRUE(world.Until([&] { return world.StateOf(1) == NodeState::kHealthy; }, seconds(120)));
  world.Pass(seconds(200));
  EXPECT_TRUE(world.cluster().FindNode("n1")->cordoned);
  world.cluster().SetAddresses({World::AddressOf(2)});
  world.Settle();
  EXPECT_EQ(world.cluster().FindNode("n1"), nullptr);
  world.Announce();
  ASSERT_TRUE(world.Until([&] { return world.cluster().FindNode("n1") != nullptr; }, seconds(60)));
  EXPECT_TRUE(world.cluster().FindNode("n1")->cordoned);
  world.Start();
  ASSERT_TRUE(world.Connect());
  EXPECT_FALSE(world.cluster().FindNode("n1")->cordoned);  // another manager knows nothing of it
}

}  // namespace
}  // namespace swarm
