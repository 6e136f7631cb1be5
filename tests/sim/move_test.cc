// Drains that move containers, on a whole cluster of simulated engines in virtual time.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "sim/faults.h"
#include "tests/sim/objects_world.h"

namespace swarm {
namespace {

class Moves : public ObjectsTest {
 protected:
  // A container on the first node. Its id.
  std::string Create(const std::string& name, const std::string& rest) {
    const Answer made = Ask(
        "POST", "/containers/create?name=" + name,
        R"({"Image":"busybox","Cmd":["sleep","60"],"Env":["A=b","constraint:node==~sim-0001"])" +
            rest + "}");
    EXPECT_EQ(made.status, 201) << made.body;
    return Parsed(made.body).root().Find("Id").text();
  }
  void Start(const std::string& name) {
    EXPECT_EQ(Ask("POST", "/containers/" + name + "/start").status, 204);
  }
  JsonDocument& Parsed(const std::string& text) {
    kept_.push_back(std::make_unique<Kept>());
    kept_.back()->text = text;
    EXPECT_TRUE(kept_.back()->document.Parse(kept_.back()->text).ok()) << text;
    return kept_.back()->document;
  }
  JsonValue Inspect(const std::string& name) {
    return Parsed(Ask("GET", "/containers/" + name + "/json").body).root();
  }
  // "web move moved" of each container, and why.
  JsonValue Drain(const std::string& query) {
    const std::shared_ptr<Answer> answer = BeginDrain(query);
    return End(answer);
  }
  // One that goes on while others are asked for something.
  std::shared_ptr<Answer> BeginDrain(const std::string& query) {
    auto answer = std::make_shared<Answer>();
    const std::string target = "/swarmd/v1/nodes/sim-0001/drain?" + query;
    world_.loop().Spawn(AskPlain(&world_.api(), target, answer));
    return answer;
  }
  JsonValue End(const std::shared_ptr<Answer>& answer) {
    EXPECT_TRUE(world_.RunUntil([answer] { return answer->status != 0; }));
    EXPECT_EQ(answer->status, 200) << answer->body;
    return Parsed(answer->body).root();
  }
  // The next of those calls at one engine, or at each but it.
  void Spoil(const std::string& call, Fault::Kind kind, bool here, int times = 1) {
    for (const std::string& address : world_.simulation().addresses()) {
      if (address.starts_with("sim-0001") != here) continue;
      world_.simulation().engine(address)->faults().OnPath(call, {kind}, times);
    }
  }
  // "web running on sim-0001, web-moving running on sim-0002", by name; digits left out.
  std::string All() {
    std::vector<std::string> rows;
    for (std::size_t at = 0; world_.simulation().engine_at(at); ++at) {
      const Answer answer = AskEngine(at, "GET", "/containers/json?all=1");
      Parsed(answer.body).root().ForEachElement([&](JsonValue one) {
        std::string name = one.Find("Names").elements()[0].text().substr(1);
        const std::size_t moving = name.find("-moving-");
        if (moving != std::string::npos) name.resize(moving + 7);
        rows.push_back(name + " " + one.Find("State").text() + " on " + NameOf(at));
      });
    }
    std::sort(rows.begin(), rows.end());
    std::string text;
    for (const std::string& row : rows) text += (text.empty() ? "" : ", ") + row;
    return text;
  }
  // Where "web" is, anywhere else than on the first node.
  static bool IsElsewhere(const std::string& all) {
    return all == "web running on sim-0002" || all == "web running on sim-0003";
  }
  bool Says(JsonValue report, const std::string& what) {
    const std::string row = Row(report, "web");
    EXPECT_NE(row.find(what), std::string::npos) << row << "\nfor " << what;
    return row.find(what) != std::string::npos;
  }
  static std::string Row(JsonValue report, const std::string& name) {
    std::string row = "none";
    report.Find("Containers").ForEachElement([&](JsonValue one) {
      if (one.Find("Name").text() != name) return;
      row = one.Find("Action").text() + " " + one.Find("Outcome").text() + ": " +
            one.Find("Reason").text();
    });
    return row;
  }
  std::size_t CountOfContainers() {
    return Parsed(Ask("GET", "/containers/json?all=1").body).root().elements().size();
  }

  static Task<void> AskPlain(Api* api, std::string target, std::shared_ptr<Answer> into) {
    Request request;
    request.method = "POST";
    request.target = std::move(target);
    Reply reply = co_await api->Handle(std::move(request));
    into->status = reply.status;
    into->body = reply.body;
  }

  struct Kept {
    std::string text;
    JsonDocument document;
  };
  std::vector<std::unique_ptr<Kept>> kept_;
};

constexpr char kMovable[] = R"(,"Labels":{"com.docker.swarm.movable":"true","x":"y"})";

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

TEST_F(Moves, WhatDoesNotStartElsewhereRunsOnWhereItWas) {
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

TEST_F(Moves, TwoDrainsMoveOnce) {
  Create("web", kMovable);
  Start("web");
  const auto first = BeginDrain("policy=move");
  const auto second = BeginDrain("policy=move");
  const JsonValue one = End(first), other = End(second);
  EXPECT_TRUE(Says(one, "move moved"));
  EXPECT_TRUE(Says(other, "leave left: it is being moved already"));
  EXPECT_TRUE(IsElsewhere(All())) << All();
}

TEST_F(Moves, AnotherManagersDrainDoesNotDouble) {
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

TEST_F(Moves, WhatABrokenMoveLeftIsNotMovedAgain) {
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

TEST_F(Moves, WhatAMoveLeftThatStoppedNothingIsMadeAnew) {
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

TEST_F(Moves, WhatABrokenMoveStartedIsNotTouched) {
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

TEST_F(Moves, WhatStartsWhileItIsMovedRunsOnThere) {
  Create("web", kMovable);
  // The answer of the create comes late: it is started meanwhile.
  for (const std::string& address : world_.simulation().addresses()) {
    Fault slow{Fault::Kind::kSlow};
    slow.delay = std::chrono::seconds(5);
    if (!address.starts_with("sim-0001"))
      world_.simulation().engine(address)->faults().OnPath("POST /containers/create", slow);
  }
  const FaultPlan& calls = world_.simulation().engine_at(0)->faults();
  const std::uint64_t before = calls.calls();
  const auto drain = BeginDrain("policy=move");
  // It was looked at twice: for what needs it, and for what it is.
  EXPECT_TRUE(world_.RunUntil([&] { return calls.calls() >= before + 2; }));
  Start("web");
  EXPECT_TRUE(Says(End(drain), "move failed: it has been changed while it was made anew"));
  EXPECT_EQ(All(), "web running on sim-0001");
}

TEST_F(Moves, WhatCannotBeRemovedIsTakenBackWhereItDoesNotRun) {
  Create("web", kMovable);
  Spoil("DELETE /containers/*", Fault::Kind::kError, true);
  EXPECT_TRUE(Says(Drain("policy=move"), "move failed: it could not be removed: "));
  EXPECT_EQ(All(), "web created on sim-0001");
}

TEST_F(Moves, WhatRunsThereAndCannotBeRemovedHereIsSaid) {
  Create("web", kMovable);
  Start("web");
  Spoil("DELETE /containers/*", Fault::Kind::kError, true);
  EXPECT_TRUE(Says(Drain("policy=move"), "it is not certain that it is removed on sim-0001: "));
  EXPECT_EQ(All().find("web exited on sim-0001, web-moving running on sim-000"), 0U) << All();
  EXPECT_TRUE(Says(Drain("policy=move"), "leave left: web-moving-"));
}

TEST_F(Moves, ALostAnswerToTheRemoveIsNoFailure) {
  Create("web", kMovable);
  Start("web");
  Spoil("DELETE /containers/*", Fault::Kind::kLostAnswer, true);
  EXPECT_TRUE(Says(Drain("policy=move"), "move moved"));
  EXPECT_TRUE(IsElsewhere(All())) << All();
}

TEST_F(Moves, ALostAnswerToTheRenameIsNoFailure) {
  Create("web", kMovable);
  Start("web");
  Spoil("POST /containers/*/rename", Fault::Kind::kLostAnswer, false);
  EXPECT_TRUE(Says(Drain("policy=move"), "move moved"));
  EXPECT_TRUE(IsElsewhere(All())) << All();
}

TEST_F(Moves, AfterALostAnswerToTheStopItRunsAgain) {
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

TEST_F(Moves, WhatEndsAtOnceElsewhereRunsOnWhereItWas) {
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

TEST_F(Moves, WhatMayRunElsewhereIsNotStartedHere) {
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

TEST_F(Moves, AfterALostAnswerToTheStartItRunsWhereItWas) {
  Create("web", kMovable);
  Start("web");
  Spoil("POST /containers/*/start", Fault::Kind::kLostAnswer, false);
  const JsonValue report = Drain("policy=move");
  EXPECT_TRUE(Says(report, "move failed: it did not start on sim-000"));
  EXPECT_TRUE(Says(report, "; it runs on sim-0001 again"));
  EXPECT_EQ(All(), "web running on sim-0001");
}

TEST_F(Moves, WhatEndsBeforeItIsStoppedIsNotStartedElsewhere) {
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

TEST_F(Moves, WhatSomebodyElseRemovesIsMovedAllTheSame) {
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

TEST_F(Moves, WhatIsStartedAgainMeanwhileStays) {
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
