// What a drain moves, and what it leaves.
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/sim/moves_world.h"

namespace swarm {
namespace {

class Moves : public MovesTest {};

TEST_F(Moves, WhatIsDeclaredMovableIsMadeAgainElsewhere) {
  const std::string id = Create("web", kMovable);
  Start("web");
  Create("idle", R"(,"Labels":{"com.docker.swarm.reschedule-policies":"[\"on-node-failure\"]"})");
  Create("fixed", "");
  Start("fixed");
  ASSERT_EQ(Inspect("web").Find("Node").Find("Name").text(), "sim-0001");

  const JsonValue plan = Drain("policy=move&plan=1");
  EXPECT_EQ(Row(plan, "web"), "move : ");
  EXPECT_EQ(Row(plan, "fixed"), "leave : it is not declared movable");
  EXPECT_EQ(Inspect("web").Find("Id").text(), id);

  const JsonValue report = Drain("policy=move");
  EXPECT_EQ(report.Find("Moved").integer(), 2);
  EXPECT_EQ(report.Find("Left").integer(), 1);
  EXPECT_EQ(Row(report, "fixed"), "leave left: it is not declared movable");
  const JsonValue web = Inspect("web");
  const std::string there = web.Find("Node").Find("Name").text();
  EXPECT_NE(there, "sim-0001");
  EXPECT_EQ(Row(report, "web"), "move moved: it is on " + there + " now");
  EXPECT_NE(web.Find("Id").text(), id);
  EXPECT_TRUE(web.Find("State").Find("Running").boolean());
  EXPECT_EQ(web.Find("Config").Find("Labels").Find("x").text(), "y");
  EXPECT_EQ(web.Find("Config").Find("Env").elements()[0].text(), "A=b");
  EXPECT_EQ(web.Find("Config").Find("Hostname").text(), web.Find("Id").text().substr(0, 12));
  const JsonValue idle = Inspect("idle");
  EXPECT_FALSE(idle.Find("State").Find("Running").boolean());
  EXPECT_NE(idle.Find("Node").Find("Name").text(), "sim-0001");
  EXPECT_TRUE(Inspect("fixed").Find("State").Find("Running").boolean());
  EXPECT_EQ(CountOfContainers(), 3U);
}

TEST_F(Moves, WhatFitsNowhereElseIsNotTouched) {
  Create("web", R"(,"Labels":{"com.docker.swarm.movable":"true",)"
                R"("com.docker.swarm.constraints":"[\"node==sim-0001\"]"})");
  Start("web");
  const JsonValue report = Drain("policy=move");
  EXPECT_NE(Row(report, "web").find("move failed: it cannot be made elsewhere: "),
            std::string::npos)
      << Row(report, "web");
  EXPECT_TRUE(Inspect("web").Find("State").Find("Running").boolean());
  EXPECT_EQ(CountOfContainers(), 1U);
}

TEST_F(Moves, WhatWouldNotBeTheSameIsLeft) {
  Create("short", std::string(kMovable) + R"(,"HostConfig":{"AutoRemove":true})");
  const JsonValue report = Drain("policy=move");
  EXPECT_EQ(Row(report, "short"), "leave left: it is removed when it stops");
}

TEST_F(Moves, WhatWasMovedOnceCanBeMovedAgain) {
  Create("web", kMovable);
  Start("web");
  Drain("policy=move");
  const std::string there = Inspect("web").Find("Node").Find("Name").text();
  auto next = std::make_shared<Answer>();
  const std::string target = "/swarmd/v1/nodes/" + there + "/drain?policy=move";
  world_.loop().Spawn(AskPlain(&world_.api(), target, next));
  EXPECT_TRUE(Says(End(next), "move moved"));
  EXPECT_TRUE(IsElsewhere(All())) << All();
}

TEST_F(Moves, WhatIsOnMoreNetworksThanItWasMadeOnIsLeft) {
  ASSERT_EQ(Ask("POST", "/networks/create", R"({"Name":"mynet"})").status, 201);
  Create("web", kMovable);
  Start("web");
  ASSERT_EQ(Ask("POST", "/networks/mynet/connect", R"({"Container":"web"})").status, 200);
  EXPECT_TRUE(Says(Drain("policy=move"), "leave left: it is on several networks: "));
  EXPECT_EQ(All(), "web running on sim-0001");
}

TEST_F(Moves, WhatOthersNeedIsLeft) {
  const std::string id = Create("web", kMovable);
  for (const char* field : {"NetworkMode", "IpcMode", "PidMode"}) {
    for (const std::string& reference : {id, std::string("web")}) {
      Create("sidecar",
             std::string(R"(,"HostConfig":{")") + field + R"(":"container:)" + reference + "\"}");
      EXPECT_TRUE(Says(Drain("policy=move&plan=1"), "leave : the container sidecar uses its "));
      EXPECT_TRUE(Says(Drain("policy=move"), "leave left: the container sidecar uses its "));
      EXPECT_EQ(All(), "sidecar created on sim-0001, web created on sim-0001");
      EXPECT_EQ(Ask("DELETE", "/containers/sidecar").status, 204);
      auto uncordoned = std::make_shared<Answer>();
      world_.loop().Spawn(
          AskPlain(&world_.api(), "/swarmd/v1/nodes/sim-0001/uncordon", uncordoned));
      End(uncordoned);
    }
  }
  EXPECT_TRUE(Says(Drain("policy=move"), "move moved"));
}

TEST_F(Moves, AnotherImageOfThatNameIsSaid) {
  for (std::size_t at = 0; at < 3; ++at) {
    const Answer made =
        AskEngine(at, "POST", "/containers/create?name=base", R"({"Image":"busybox"})");
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(AskEngine(at, "POST", "/commit?container=base&repo=mine&tag=1").status, 201);
    EXPECT_EQ(AskEngine(at, "DELETE", "/containers/base").status, 204);
  }
  EXPECT_TRUE(world_.RunUntil([this] {
    int held = 0;
    for (const auto& entry : world_.cluster().Images())
      held += std::count(entry->image.repo_tags.begin(), entry->image.repo_tags.end(), "mine:1");
    return held == 3;
  }));
  const Answer made = Ask(
      "POST", "/containers/create?name=web",
      R"({"Image":"mine:1","Env":["constraint:node==~sim-0001"])" + std::string(kMovable) + "}");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string image = Inspect("web").Find("Image").text();
  const JsonValue report = Drain("policy=move");
  EXPECT_TRUE(Says(report, "now; its image is " + Inspect("web").Find("Image").text() +
                               " there, and was " + image));
  EXPECT_NE(Inspect("web").Find("Image").text(), image);
}

TEST_F(Moves, WhatSharesItsNameIsLeft) {
  Create("web", kMovable);
  // Past the manager.
  const Answer made = AskEngine(1, "POST", "/containers/create?name=web", R"({"Image":"busybox"})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_TRUE(world_.RunUntil([this] { return world_.cluster().Containers().size() == 2; }));
  const JsonValue report = Drain("policy=move");
  EXPECT_TRUE(Says(report, "leave left: another container has its name on another node"));
  EXPECT_EQ(All(), "web created on sim-0001, web created on sim-0002");
}

}  // namespace
}  // namespace swarm
