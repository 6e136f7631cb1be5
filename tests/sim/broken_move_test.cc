// Moves in whose way something comes: lost answers, other managers, others who change the
// container.
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/sim/moves_world.h"

namespace swarm {
namespace {

class BrokenMoves : public MovesTest {};

TEST_F(BrokenMoves, WhatDoesNotStartElsewhereRunsOnWhereItWas) {
  const std::string id = Create("web", kMovable);
  Start("web");
  for (const std::string& address : world_.simulation().addresses()) {
    if (address.starts_with("sim-0001")) continue;
    world_.simulation().engine(address)->faults().OnPath("POST /containers/*/start",
                                                         {Fault::Kind::kError}, 9);
  }
  const JsonValue report = Drain("policy=move");
  EXPECT_EQ(report.Find("Failed").integer(), 1);
  EXPECT_NE(Row(report, "web").find("it did not start on sim-000"), std::string::npos)
      << Row(report, "web");
  EXPECT_NE(Row(report, "web").find("it runs on sim-0001 again"), std::string::npos)
      << Row(report, "web");
  EXPECT_EQ(Inspect("web").Find("Id").text(), id);
  EXPECT_TRUE(Inspect("web").Find("State").Find("Running").boolean());
  EXPECT_EQ(CountOfContainers(), 1U);
}

TEST_F(BrokenMoves, TwoDrainsMoveOnce) {
  Create("web", kMovable);
  Start("web");
  const auto first = BeginDrain("policy=move");
  const auto second = BeginDrain("policy=move");
  const JsonValue one = End(first), other = End(second);
  EXPECT_TRUE(Says(one, "move moved"));
  EXPECT_TRUE(Says(other, "leave left: it is being moved already"));
  EXPECT_TRUE(IsElsewhere(All())) << All();
}

TEST_F(BrokenMoves, AnotherManagersDrainDoesNotDouble) {
  Create("web", kMovable);
  Start("web");
  Restart();
  auto other = std::make_shared<Answer>();
  const std::string target = "/swarmd/v1/nodes/sim-0001/drain?policy=move";
  const auto first = BeginDrain("policy=move");
  world_.loop().Spawn(AskPlain(api_, target, other));
  End(first);
  End(other);
  const std::string all = All();
  EXPECT_TRUE(IsElsewhere(all) || all == "web running on sim-0001") << all;
}

TEST_F(BrokenMoves, WhatABrokenMoveLeftIsNotMovedAgain) {
  const std::string id = Create("web", kMovable);
  Answer made = Ask("POST", "/containers/create?name=web-moving-0123456789ab",
                    R"({"Image":"busybox","Env":["constraint:node==sim-0002"],"Labels":{)"
                    R"("com.docker.swarm.movable":"true","com.docker.swarm.moved-running":"true",)"
                    R"("com.docker.swarm.moved-from":")" +
                        id + "\"}}");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string before = All();
  const JsonValue report = Drain("policy=move");
  EXPECT_TRUE(Says(report,
                   "leave left: web-moving-0123456789ab on sim-0002 is made to take its "
                   "place, when it was running; if nothing moves it now, the move was "
                   "broken off: \"docker rm -f web-moving-0123456789ab\" and \"docker "
                   "start web\", and drain again"));
  EXPECT_EQ(All(), before);
  // As a leftover is not.
  EXPECT_EQ(Ask("DELETE", "/containers/web").status, 204);
  auto next = std::make_shared<Answer>();
  world_.loop().Spawn(AskPlain(&world_.api(), "/swarmd/v1/nodes/sim-0002/drain?policy=move", next));
  EXPECT_EQ(Row(End(next), "web-moving-0123456789ab")
                .find("leave left: it is made to take the place of web; "),
            0U);
  EXPECT_EQ(All(), "web-moving created on sim-0002");
}

TEST_F(BrokenMoves, WhatAMoveLeftThatStoppedNothingIsMadeAnew) {
  const std::string id = Create("web", kMovable);
  Start("web");
  const Answer made = Ask("POST", "/containers/create?name=web-moving-0123456789ab",
                          R"({"Image":"busybox","Labels":{"com.docker.swarm.moved-from":")" + id +
                              R"("},"Env":["constraint:node==sim-0002"]})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_TRUE(Says(Drain("policy=move&plan=1"), "move : "));
  EXPECT_EQ(All(), "web running on sim-0001, web-moving created on sim-0002");
  EXPECT_TRUE(Says(Drain("policy=move"), "move moved"));
  EXPECT_TRUE(IsElsewhere(All())) << All();
}

TEST_F(BrokenMoves, WhatABrokenMoveStartedIsNotTouched) {
  const std::string id = Create("web", kMovable);
  Start("web");
  const Answer made = Ask("POST", "/containers/create?name=web-moving-0123456789ab",
                          R"({"Image":"busybox","Labels":{"com.docker.swarm.moved-from":")" + id +
                              R"("},"Env":["constraint:node==sim-0002"],"Cmd":["sleep","60"]})");
  ASSERT_EQ(made.status, 201) << made.body;
  Start("web-moving-0123456789ab");
  EXPECT_TRUE(Says(Drain("policy=move"), "leave left: web-moving-0123456789ab on sim-0002 "));
  EXPECT_EQ(All(), "web running on sim-0001, web-moving running on sim-0002");
}

TEST_F(BrokenMoves, WhatStartsWhileItIsMovedRunsOnThere) {
  Create("web", kMovable);
  // The answer of the create comes late: it is started meanwhile.
  for (const std::string& address : world_.simulation().addresses()) {
    Fault slow{Fault::Kind::kSlow};
    slow.delay = std::chrono::seconds(5);
    if (!address.starts_with("sim-0001"))
      world_.simulation().engine(address)->faults().OnPath("POST /containers/create", slow);
  }
  const FaultPlan& calls = world_.simulation().engine_at(0)->faults();
  CountOfContainers();  // what was put off is read now, and not between
  const std::uint64_t before = calls.calls();
  const auto drain = BeginDrain("policy=move");
  // It was looked at twice: for what needs it, and for what it is.
  EXPECT_TRUE(world_.RunUntil([&] { return calls.calls() >= before + 2; }));
  Start("web");
  EXPECT_TRUE(Says(End(drain), "move failed: it has been changed while it was made anew"));
  EXPECT_EQ(All(), "web running on sim-0001");
}

TEST_F(BrokenMoves, WhatCannotBeRemovedIsTakenBackWhereItDoesNotRun) {
  Create("web", kMovable);
  Spoil("DELETE /containers/*", Fault::Kind::kError, true);
  EXPECT_TRUE(Says(Drain("policy=move"), "move failed: it could not be removed: "));
  EXPECT_EQ(All(), "web created on sim-0001");
}

TEST_F(BrokenMoves, WhatRunsThereAndCannotBeRemovedHereIsSaid) {
  Create("web", kMovable);
  Start("web");
  Spoil("DELETE /containers/*", Fault::Kind::kError, true);
  EXPECT_TRUE(Says(Drain("policy=move"), "it is not certain that it is removed on sim-0001: "));
  EXPECT_EQ(All().find("web exited on sim-0001, web-moving running on sim-000"), 0U) << All();
  EXPECT_TRUE(Says(Drain("policy=move"), "leave left: web-moving-"));
}

TEST_F(BrokenMoves, ALostAnswerToTheRemoveIsNoFailure) {
  Create("web", kMovable);
  Start("web");
  Spoil("DELETE /containers/*", Fault::Kind::kLostAnswer, true);
  EXPECT_TRUE(Says(Drain("policy=move"), "move moved"));
  EXPECT_TRUE(IsElsewhere(All())) << All();
}

TEST_F(BrokenMoves, ALostAnswerToTheRenameIsNoFailure) {
  Create("web", kMovable);
  Start("web");
  Spoil("POST /containers/*/rename", Fault::Kind::kLostAnswer, false);
  EXPECT_TRUE(Says(Drain("policy=move"), "move moved"));
  EXPECT_TRUE(IsElsewhere(All())) << All();
}

TEST_F(BrokenMoves, AfterALostAnswerToTheStopItRunsAgain) {
  const std::string id = Create("web", kMovable);
  Start("web");
  Spoil("POST /containers/*/stop", Fault::Kind::kLostAnswer, true);
  const JsonValue report = Drain("policy=move");
  EXPECT_TRUE(Says(report,
                   "move failed: its stop was not answered, and it may stop yet: look at "
                   "it on sim-0001: "));
  EXPECT_TRUE(Says(report, "; it runs on sim-0001 again"));
  EXPECT_EQ(All(), "web running on sim-0001");
  EXPECT_EQ(Inspect("web").Find("Id").text(), id);
}

TEST_F(BrokenMoves, WhatEndsAtOnceElsewhereRunsOnWhereItWas) {
  const std::string id = Create("web", kMovable);
  Start("web");
  const auto drain = BeginDrain("policy=move");
  // As a process does that does not find what it needs.
  bool ended = false;
  EXPECT_TRUE(world_.RunUntil([&] {
    for (std::size_t at = 1; at < 3 && !ended; ++at) {
      for (const ContainerPointer& one : world_.cluster().Containers()) {
        if (one->container.id != id)
          ended = world_.simulation().engine_at(at)->EndProcess(one->container.id, 3) || ended;
      }
    }
    return ended;
  }));
  const JsonValue report = End(drain);
  EXPECT_TRUE(Says(report, "move failed: it started and ended at once on sim-000"));
  EXPECT_TRUE(Says(report, "with exit code 3; it runs on sim-0001 again"));
  EXPECT_EQ(All(), "web running on sim-0001");
}

TEST_F(BrokenMoves, WhatMayRunElsewhereIsNotStartedHere) {
  Create("web", kMovable);
  Start("web");
  Spoil("POST /containers/*/start", Fault::Kind::kLostAnswer, false);
  Spoil("DELETE /containers/*", Fault::Kind::kError, false);
  const JsonValue report = Drain("policy=move");
  EXPECT_TRUE(Says(report, "move failed: it did not start on sim-000"));
  EXPECT_TRUE(Says(report,
                   "; it may run there, so that web was not started again on sim-0001: "
                   "look at sim-000"));
  EXPECT_EQ(All().find("web exited on sim-0001, web-moving running on sim-000"), 0U) << All();
}

TEST_F(BrokenMoves, AfterALostAnswerToTheStartItRunsWhereItWas) {
  Create("web", kMovable);
  Start("web");
  Spoil("POST /containers/*/start", Fault::Kind::kLostAnswer, false);
  const JsonValue report = Drain("policy=move");
  EXPECT_TRUE(Says(report, "move failed: it did not start on sim-000"));
  EXPECT_TRUE(Says(report, "; it runs on sim-0001 again"));
  EXPECT_EQ(All(), "web running on sim-0001");
}

TEST_F(BrokenMoves, WhatEndsBeforeItIsStoppedIsNotStartedElsewhere) {
  const std::string id = Create("web", kMovable);
  Start("web");
  Fault slow{Fault::Kind::kSlow};
  slow.delay = std::chrono::seconds(5);
  SimulatedEngine& engine = *world_.simulation().engine_at(0);
  engine.faults().OnPath("POST /containers/*/stop", slow);
  const auto drain = BeginDrain("policy=move");
  // Once the new one is there, what is asked next is the stop.
  EXPECT_TRUE(world_.RunUntil([this] { return world_.cluster().Containers().size() == 2; }));
  const TimePoint until = world_.clock().Now() + std::chrono::milliseconds(100);
  world_.loop().Post([this, until] { world_.loop().After(until - world_.clock().Now(), [] {}); });
  EXPECT_TRUE(world_.RunUntil([this, until] { return world_.clock().Now() >= until; }));
  EXPECT_TRUE(engine.EndProcess(id, 0));
  EXPECT_TRUE(Says(End(drain), "move failed: it has ended by itself meanwhile: drain again"));
  EXPECT_EQ(All(), "web exited on sim-0001");
}

TEST_F(BrokenMoves, WhatSomebodyElseRemovesIsMovedAllTheSame) {
  const std::string id = Create("web", kMovable);
  Start("web");
  const auto drain = BeginDrain("policy=move");
  EXPECT_TRUE(world_.RunUntil([this, &id] {
    const auto found = world_.cluster().FindContainer(id);
    return found.ok() && (*found)->container.state == ContainerState::kExited;
  }));
  EXPECT_EQ(AskEngine(0, "DELETE", "/containers/" + id).status, 204);
  EXPECT_TRUE(Says(End(drain), "now; it was removed on sim-0001 by somebody else"));
  EXPECT_TRUE(IsElsewhere(All())) << All();
}

TEST_F(BrokenMoves, WhatIsStartedAgainMeanwhileStays) {
  const std::string id = Create("web", kMovable);
  Start("web");
  const auto drain = BeginDrain("policy=move");
  EXPECT_TRUE(world_.RunUntil([this, &id] {
    const auto found = world_.cluster().FindContainer(id);
    return found.ok() && (*found)->container.state == ContainerState::kExited;
  }));
  EXPECT_EQ(AskEngine(0, "POST", "/containers/" + id + "/start").status, 204);
  EXPECT_TRUE(Says(End(drain), "move failed: it could not be removed: "));
  EXPECT_EQ(All(), "web running on sim-0001");
}

TEST_F(BrokenMoves, WhatWasNotStartedElsewhereRunsHereThoughItStaysThere) {
  Create("web", kMovable);
  Start("web");
  Spoil("POST /containers/*/start", Fault::Kind::kError, false);
  Spoil("DELETE /containers/*", Fault::Kind::kError, false);
  const JsonValue report = Drain("policy=move");
  EXPECT_TRUE(Says(report, " could not be removed: "));
  EXPECT_TRUE(Says(report, "; it runs on sim-0001 again"));
  EXPECT_EQ(All().find("web running on sim-0001, web-moving created on sim-000"), 0U) << All();
  // And the next drain begins anew.
  EXPECT_TRUE(Says(Drain("policy=move"), "move moved"));
  EXPECT_TRUE(IsElsewhere(All())) << All();
}

}  // namespace
}  // namespace swarm
