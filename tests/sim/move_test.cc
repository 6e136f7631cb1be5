// Drains that move containers, on a whole cluster of simulated engines in virtual time.
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
    Answer answer;
    EXPECT_TRUE(world_.Finish(
        AskPlain(&world_.api(), "/swarmd/v1/nodes/sim-0001/drain?" + query, &answer)));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return Parsed(answer.body).root();
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

  static Task<void> AskPlain(Api* api, std::string target, Answer* into) {
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

}  // namespace
}  // namespace swarm
