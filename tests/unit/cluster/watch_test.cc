// Engines that come, fall ill, heal and leave.
#include <algorithm>
#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "swarmlib/status.h"
#include "unit/cluster/world.h"

namespace swarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

bool Holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> NamesOf(const EngineCluster& cluster) {
  std::vector<std::string> names;
  for (const ContainerPointer& entry : cluster.Containers())
    names.push_back(entry->container.names.front());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Watch, ConnectsToAllAndReadsWhatTheyHold) {
  World world(3);
  world.engine(1).Run("web", "running");
  world.engine(2).Run("db", "exited");
  world.engine(3).AddImage("nginx:latest");
  EXPECT_FALSE(world.cluster().Ready());
  ASSERT_TRUE(world.Connect());
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(world.StateOf(i), NodeState::kHealthy) << world.ErrorOf(i);
  const auto web = world.cluster().FindContainer("web");
  ASSERT_TRUE(web.ok()) << web.status();
  EXPECT_EQ((*web)->container.state, ContainerState::kRunning);
  EXPECT_EQ((*web)->node->name, "n1");
  EXPECT_EQ((*web)->node->ip, "10.0.0.1");
  EXPECT_EQ(NamesOf(world.cluster()), (std::vector<std::string>{"db", "web"}));
  EXPECT_EQ(world.cluster().Totals().running, 1);
  EXPECT_EQ(world.cluster().Images().size(), 4U);
  EXPECT_EQ(world.cluster().FindNode("n3")->labels.at("zone"), "n3");
}

TEST(Watch, WhoWaitsForTheFirstReadingIsToldOfTheStop) {
  World world(1);
  bool told = false;
  world.cluster().WhenReady([&told] { told = true; });
  world.Settle();
  EXPECT_FALSE(told);
  world.cluster().Stop();
  world.Settle();
  EXPECT_TRUE(told);
}

TEST(Watch, AnEmptyFirstSetIsReadyAtOnce) {
  World world(0);
  bool told = false;
  world.cluster().WhenReady([&told] { told = true; });
  world.Settle();
  EXPECT_FALSE(told);
  world.Announce();
  world.Settle();
  EXPECT_TRUE(told);
}

TEST(Watch, AppliesEventsAndHandsThemOnInOrder) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  std::vector<std::string> seen;
  const auto subscription =
      world.cluster().Subscribe([&](std::shared_ptr<const ClusterEvent> event) {
        seen.push_back(event->action);
        EXPECT_EQ(event->attributes.at("node.name"), "n1");
        EXPECT_EQ(event->sequence, seen.size() + 1);  // the first was engine_connect
      });
  world.engine(1).Run("a", "created");
  world.engine(1).SetState("a", "running", true);
  world.engine(1).Run("b", "created");
  world.Settle();
  EXPECT_EQ(NamesOf(world.cluster()), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ((*world.cluster().FindContainer("a"))->container.state, ContainerState::kRunning);
  world.engine(1).Remove("a");
  world.engine(1).AddImage("redis:7");
  world.Settle();
  EXPECT_EQ(NamesOf(world.cluster()), (std::vector<std::string>{"b"}));
  EXPECT_EQ(world.cluster().Images().size(), 2U);
  EXPECT_EQ(seen, (std::vector<std::string>{"create", "start", "create", "destroy", "pull"}));
  EXPECT_EQ(world.cluster().Listeners(), 1);
}

TEST(Watch, ManyEventsOfOneContainerAreOneReading) {
  World world(1);
  world.engine(1).Run("a", "created");
  ASSERT_TRUE(world.Connect());
  const int before = world.engine(1).Calls("GET /containers/json");
  for (int i = 0; i < 100; ++i)
    world.engine(1).SetState("a", i % 2 == 0 ? "running" : "exited", true);
  world.Settle();
  EXPECT_LE(world.engine(1).Calls("GET /containers/json") - before, 3);
  EXPECT_EQ((*world.cluster().FindContainer("a"))->container.state, ContainerState::kExited);
}

TEST(Watch, EventsThatOnlyNameTheirCauseReadNothing) {
  World world(1);
  const std::string id = world.engine(1).Run("a", "running");
  ASSERT_TRUE(world.Connect());
  std::vector<std::string> seen;
  const auto subscription = world.cluster().Subscribe(
      [&](std::shared_ptr<const ClusterEvent> event) { seen.push_back(event->action); });
  const int before = world.engine(1).Calls("GET /containers");
  const std::vector<std::string> actions = {"kill", "stop", "restart", "exec_create: sh", "resize"};
  std::int64_t time = world.clock().Wall().time_since_epoch().count();
  for (const std::string& action : actions) {
    world.engine(1).SendBytes(
        "{\"Type\":\"container\",\"Action\":\"" + action + "\",\"Actor\":{\"ID\":\"" + id +
        "\",\"Attributes\":{}},\"timeNano\":" + std::to_string(++time) + "}\n");
  }
  world.Settle();
  EXPECT_EQ(seen, actions);
  EXPECT_EQ(world.engine(1).Calls("GET /containers"), before);
  world.engine(1).SetState("a", "exited", true);
  world.Settle();
  EXPECT_EQ((*world.cluster().FindContainer("a"))->container.state, ContainerState::kExited);
}

TEST(Watch, ABrokenStreamIsResumedWithoutLossOrDoubles) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  std::vector<std::string> seen;
  const auto subscription =
      world.cluster().Subscribe([&](std::shared_ptr<const ClusterEvent> event) {
        seen.push_back(event->type + " " + event->actor_id);
      });
  std::vector<std::string> expected;
  const auto run = [&](const std::string& name) {
    expected.push_back("container " + world.engine(1).Run(name, "created"));
  };
  run("a");
  run("b");
  world.Settle();
  world.engine(1).RepeatLastEvent();
  world.engine(1).BreakStreams();
  run("c");  // nobody listens
  run("d");
  ASSERT_TRUE(
      world.Until([&] { return seen.size() >= 4 && world.engine(1).streams() == 1; }, seconds(5)));
  run("e");
  world.Pass(seconds(1));
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(NamesOf(world.cluster()), (std::vector<std::string>{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(world.StateOf(1), NodeState::kHealthy);
}

TEST(Watch, TheFirstEventOfAnEngineMayComeWhileItsStreamIsBroken) {
  for (const bool refused_before : {false, true}) {
    World world(1);
    std::vector<std::string> seen;
    const auto subscription =
        world.cluster().Subscribe([&](std::shared_ptr<const ClusterEvent> event) {
          if (event->type == "container") seen.push_back(event->action);
        });
    world.engine(1).Run("old", "created");
    world.engine(1).SetState("old", "running", true);
    ASSERT_TRUE(world.Connect());
    if (refused_before) {
      world.engine(1).SetId("ID9");
      world.engine(1).BreakStreams();
      ASSERT_TRUE(
          world.Until([&] { return world.cluster().FindNode("ID9") != nullptr; }, seconds(10)));
    }
    world.Pass(seconds(20));
    EXPECT_TRUE(seen.empty());  // what was before is not news
    world.engine(1).BreakStreams();
    world.engine(1).SetState("old", "exited", true);
    ASSERT_TRUE(world.Until([&] { return world.engine(1).streams() == 1; }, seconds(10)));
    world.Pass(seconds(1));
    EXPECT_EQ(seen, std::vector<std::string>{"die"});
  }
}

TEST(Watch, ARefreshFindsWhatNoEventTold) {
  World world(1);
  world.engine(1).Run("a", "created");
  ASSERT_TRUE(world.Connect());
  world.engine(1).SetState("a", "running", false);
  const int inspects = world.engine(1).Calls("GET /containers/a");
  ASSERT_TRUE(world.Until([&] { return world.cluster().Totals().running == 1; }, seconds(70)));
  EXPECT_GE(world.clock().Now(), TimePoint{} + seconds(30));
  EXPECT_EQ(world.engine(1).Calls("GET /containers/a") - inspects, 1);
  world.Pass(seconds(1));  // the stream told nothing, so it is opened anew and all is read
  EXPECT_EQ(world.engine(1).Calls("GET /containers/a") - inspects, 2);
  const int lists = world.engine(1).Calls("GET /containers/json");
  world.Pass(minutes(3));  // nothing changed: lists are read, nothing is inspected
  EXPECT_EQ(world.engine(1).Calls("GET /containers/a") - inspects, 2);
  EXPECT_GE(world.engine(1).Calls("GET /containers/json") - lists, 3);
}

TEST(Watch, AStreamThatDiedWithoutAWordIsReplacedAndReplayed) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  std::vector<std::string> seen;
  const auto subscription = world.cluster().Subscribe(
      [&](std::shared_ptr<const ClusterEvent> event) { seen.push_back(event->actor_id); });
  std::vector<std::string> expected = {world.engine(1).Run("a", "created")};
  world.Settle();
  world.Pass(minutes(2));
  world.engine(1).ForgetStreams();
  expected.push_back(world.engine(1).Run("b", "created"));
  ASSERT_TRUE(world.Until([&] { return seen.size() == 2; }, seconds(65)));
  expected.push_back(world.engine(1).Run("c", "created"));
  world.Settle();
  EXPECT_EQ(seen, expected);
}

TEST(Watch, RubbishAmongTheEventsEndsTheStreamAndNothingElse) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  world.engine(1).SendBytes("{\"Type\":7}\n{\"x\":[1,2");
  world.engine(1).SendBytes("]}garbage\n");
  world.Settle();
  world.engine(1).Run("a", "created");
  ASSERT_TRUE(world.Until([&] { return world.cluster().FindContainer("a").ok(); }, seconds(10)));
  EXPECT_EQ(world.StateOf(1), NodeState::kHealthy);
}

TEST(Watch, AKilledEngineIsUnhealthySoonAndHeals) {
  World world(2);
  world.engine(1).Run("a", "running");
  ASSERT_TRUE(world.Connect());
  std::vector<std::string> seen;
  const auto subscription =
      world.cluster().Subscribe([&](std::shared_ptr<const ClusterEvent> event) {
        seen.push_back(event->type + " " + event->action);
      });
  world.engine(1).SetMode(FakeEngine::Mode::kRefusing);
  ASSERT_TRUE(world.Until([&] { return world.StateOf(1) == NodeState::kUnhealthy; }, seconds(10)));
  EXPECT_TRUE(Holds(world.ErrorOf(1), "refused")) << world.ErrorOf(1);
  ASSERT_TRUE(world.cluster().FindContainer("a").ok());  // shown, on a host that is down
  EXPECT_EQ((*world.cluster().FindContainer("a"))->node->state, NodeState::kUnhealthy);
  world.Pass(minutes(5));
  world.engine(1).SetMode(FakeEngine::Mode::kWell);
  world.engine(1).SetState("a", "exited", false);
  ASSERT_TRUE(world.Until([&] { return world.StateOf(1) == NodeState::kHealthy; }, seconds(11)));
  EXPECT_EQ((*world.cluster().FindContainer("a"))->container.state, ContainerState::kExited);
  world.Settle();
  EXPECT_EQ(seen, (std::vector<std::string>{"node engine_disconnect", "node engine_reconnect"}));
  EXPECT_EQ(world.StateOf(2), NodeState::kHealthy);
}

TEST(Watch, AFrozenEngineIsUnhealthyWithinTheStatedBoundAndDelaysNobody) {
  World world(2);
  ASSERT_TRUE(world.Connect());
  const TimePoint frozen_at = world.clock().Now();
  world.engine(1).SetMode(FakeEngine::Mode::kFrozen);
  // The other one is applied at once all the time.
  for (int i = 0; world.StateOf(1) == NodeState::kHealthy && i < 100; ++i) {
    const std::string name = "box" + std::to_string(i);
    world.engine(2).Run(name, "created");
    world.Settle();
    EXPECT_TRUE(world.cluster().FindContainer(name).ok());
    world.Pass(seconds(1));
  }
  EXPECT_EQ(world.StateOf(1), NodeState::kUnhealthy);
  EXPECT_LE(world.clock().Now() - frozen_at, milliseconds(39'500) + seconds(1));
  EXPECT_TRUE(Holds(world.ErrorOf(1), "no answer in time")) << world.ErrorOf(1);
  world.engine(1).SetMode(FakeEngine::Mode::kWell);
  EXPECT_TRUE(world.Until([&] { return world.StateOf(1) == NodeState::kHealthy; }, seconds(21)));
}

TEST(Watch, TheGuardRefusesAtOnceWithTheReason) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  world.engine(1).SetMode(FakeEngine::Mode::kRefusing);
  ASSERT_TRUE(world.Until([&] { return world.StateOf(1) == NodeState::kUnhealthy; }, seconds(10)));
  const auto client = world.cluster().EngineClient(World::AddressOf(1));
  ASSERT_NE(client, nullptr);
  absl::Status status;
  Request request;
  request.method = "GET";
  request.target = "/v1.41/containers/x/top";
  world.OnLoop([&, request = std::move(request)]() mutable {
    client->Call(std::move(request), {},
                 [&status](absl::StatusOr<Reply> reply) { status = reply.status(); });
  });
  const TimePoint before = world.clock().Now();
  world.Settle();
  EXPECT_EQ(world.clock().Now(), before);
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_TRUE(Holds(std::string(MessageOf(status)), "node n1 (10.0.0.1:2375) is not healthy"))
      << status;
  EXPECT_EQ(world.cluster().EngineClient("10.9.9.9:1"), nullptr);
}

TEST(Watch, GuardedCallsEndWhenTheNodeFallsIllOrTheirCallerGoes) {
  using Way = void (BackendClient::*)(Request, CallOptions, ResultCallback<Reply>);
  for (const Way way : {&BackendClient::Call, &BackendClient::Open, &BackendClient::Upgrade}) {
    World world(1);
    ASSERT_TRUE(world.Connect());
    world.engine(1).SetMode(FakeEngine::Mode::kFrozen);
    const auto client = world.cluster().EngineClient(World::AddressOf(1));
    std::stop_source caller;
    std::vector<absl::Status> ended(2, absl::OkStatus());
    for (int i = 0; i < 2; ++i) {
      world.OnLoop([&, i] {
        Request request;
        request.method = "GET";
        request.target = "/v1.41/containers/x/archive";
        CallOptions options;
        options.timeout = std::chrono::hours(24 * 30);
        if (i == 0) options.stop = caller.get_token();
        ((*client).*way)(std::move(request), options, [&ended, i](absl::StatusOr<Reply> reply) {
          ended[static_cast<std::size_t>(i)] = reply.status();
        });
      });
    }
    world.Settle();
    EXPECT_TRUE(ended[0].ok() && ended[1].ok());
    caller.request_stop();
    world.Settle();
    EXPECT_TRUE(absl::IsCancelled(ended[0])) << ended[0];
    EXPECT_TRUE(ended[1].ok()) << ended[1];
    ASSERT_TRUE(world.Until([&] { return !ended[1].ok(); }, seconds(45)));
    // It was sent, so it is not Unavailable.
    EXPECT_TRUE(absl::IsCancelled(ended[1])) << ended[1];
    EXPECT_TRUE(Holds(std::string(MessageOf(ended[1])), "n1 (10.0.0.1:2375) is not healthy"))
        << ended[1];
    EXPECT_EQ(world.StateOf(1), NodeState::kUnhealthy);
  }
}

TEST(Watch, RealCallsThatTimeOutCountAndOneAnswerHeals) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  world.engine(1).SetMode(FakeEngine::Mode::kFrozen);
  const auto client = world.cluster().EngineClient(World::AddressOf(1));
  int answered = 0;
  for (int i = 0; i < 20; ++i) {  // at once: one incident, not twenty
    world.OnLoop([&] {
      Request request;
      request.method = "GET";
      request.target = "/v1.41/containers/x/top";
      CallOptions options;
      options.timeout = seconds(1);
      client->Call(std::move(request), options, [&answered](absl::StatusOr<Reply>) { ++answered; });
    });
  }
  ASSERT_TRUE(world.Until([&] { return answered == 20; }, seconds(2)));
  // A ping beside is not answered either.
  ASSERT_TRUE(
      world.Until([&] { return world.cluster().FindNode("n1")->failures == 1; }, seconds(1)));
  world.engine(1).SetMode(FakeEngine::Mode::kWell);
  ASSERT_TRUE(
      world.Until([&] { return world.cluster().FindNode("n1")->failures == 0; }, seconds(6)));
  EXPECT_EQ(world.cluster().FindNode("n1")->error, "");
}

TEST(Watch, WhatIsNoEngineStaysPendingWithTheReason) {
  World world(4);
  world.engine(1).SetMode(FakeEngine::Mode::kHtml);
  world.engine(2).SetMode(FakeEngine::Mode::kRefusing);
  world.engine(3).SetMode(FakeEngine::Mode::kFrozen);
  ASSERT_TRUE(world.Connect());
  EXPECT_EQ(world.StateOf(1), NodeState::kPending);
  EXPECT_TRUE(Holds(world.ErrorOf(1), "not a Docker engine")) << world.ErrorOf(1);
  EXPECT_EQ(world.StateOf(2), NodeState::kPending);
  EXPECT_TRUE(Holds(world.ErrorOf(2), "refused")) << world.ErrorOf(2);
  EXPECT_EQ(world.StateOf(3), NodeState::kPending);
  EXPECT_TRUE(Holds(world.ErrorOf(3), "no answer in time")) << world.ErrorOf(3);
  EXPECT_EQ(world.StateOf(4), NodeState::kHealthy);
  for (int i = 1; i <= 3; ++i) world.engine(i).SetMode(FakeEngine::Mode::kWell);
  EXPECT_TRUE(world.Until(
      [&] {
        return world.StateOf(1) == NodeState::kHealthy && world.StateOf(2) == NodeState::kHealthy &&
               world.StateOf(3) == NodeState::kHealthy;
      },
      seconds(21)));
}

TEST(Watch, TheSecondOfADoubledIdWaitsUntilTheFirstLeaves) {
  World world(2);
  world.engine(2).SetId("ID1");
  ASSERT_TRUE(world.Connect());
  const int waits = world.StateOf(1) == NodeState::kPending ? 1 : 2;
  const int holds = 3 - waits;
  EXPECT_EQ(world.StateOf(holds), NodeState::kHealthy);
  EXPECT_EQ(world.StateOf(waits), NodeState::kPending);
  EXPECT_TRUE(Holds(world.ErrorOf(waits),
                    "ID duplicated. ID1 is shared by this node " + World::AddressOf(waits)));
  EXPECT_TRUE(Holds(world.ErrorOf(waits), World::AddressOf(holds)));
  world.cluster().SetAddresses({World::AddressOf(waits)});
  EXPECT_TRUE(world.Until([&] { return world.StateOf(waits) == NodeState::kHealthy; }, seconds(1)));
}

TEST(Watch, AnotherEngineAtTheSameAddressReplacesTheFirst) {
  World world(1);
  world.engine(1).Run("old", "running");
  ASSERT_TRUE(world.Connect());
  world.engine(1).SetId("ID9");
  world.engine(1).Remove("old");
  world.engine(1).Run("new", "running");
  world.engine(1).BreakStreams();
  ASSERT_TRUE(world.Until([&] { return world.cluster().FindNode("ID9") != nullptr; }, seconds(10)));
  EXPECT_EQ(world.StateOf(1), NodeState::kHealthy);
  EXPECT_EQ(NamesOf(world.cluster()), (std::vector<std::string>{"new"}));
  EXPECT_EQ(world.cluster().FindNode("ID1"), nullptr);
}

TEST(Watch, WhatLeavesDiscoveryIsDroppedAndMayComeBack) {
  World world(2);
  world.engine(1).Run("a", "running");
  ASSERT_TRUE(world.Connect());
  std::vector<std::string> seen;
  const auto subscription =
      world.cluster().Subscribe([&](std::shared_ptr<const ClusterEvent> event) {
        seen.push_back(event->action + " " + event->node);
      });
  world.cluster().SetAddresses({World::AddressOf(2)});
  EXPECT_EQ(world.cluster().Nodes().size(), 1U);
  EXPECT_FALSE(world.cluster().FindContainer("a").ok());
  world.Settle();
  const int calls = world.engine(1).Calls("");
  world.Pass(minutes(2));
  EXPECT_EQ(world.engine(1).Calls(""), calls);  // nobody asks it any more
  world.Announce();
  ASSERT_TRUE(world.Until([&] { return world.cluster().FindContainer("a").ok(); }, seconds(5)));
  world.Settle();
  EXPECT_EQ(seen, (std::vector<std::string>{"engine_disconnect " + World::AddressOf(1),
                                            "engine_connect " + World::AddressOf(1)}));
}

TEST(Watch, ANewManagerFindsEverythingAgain) {
  World world(3);
  ASSERT_TRUE(world.Connect());
  for (int i = 0; i < 9; ++i) {
    const auto made =
        world.Create(CreateOf("box" + std::to_string(i), "busybox", std::to_string(8000 + i)));
    ASSERT_TRUE(made && made->ok());
  }
  const std::vector<std::string> before = NamesOf(world.cluster());
  world.Start();
  EXPECT_TRUE(world.cluster().Containers().empty());
  ASSERT_TRUE(world.Connect());
  EXPECT_EQ(NamesOf(world.cluster()), before);
  const auto taken = world.Create(CreateOf("box3", "busybox"));
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(HttpStatusOf(taken->status()), 409);
}

TEST(Watch, NothingIsAskedAfterStop) {
  World world(2);
  ASSERT_TRUE(world.Connect());
  EXPECT_FALSE(world.cluster().Stopped());
  world.cluster().Stop();
  world.Settle();
  EXPECT_TRUE(world.cluster().Stopped());
  const int calls = world.engine(1).Calls("") + world.engine(2).Calls("");
  world.Pass(minutes(2));
  EXPECT_EQ(world.engine(1).Calls("") + world.engine(2).Calls(""), calls);
  const auto refused = world.Create(CreateOf("aa", "busybox"));
  ASSERT_TRUE(refused.has_value());
  EXPECT_TRUE(absl::IsUnavailable(refused->status()));
}

TEST(Watch, TheSameSeedAsksTheSameQuestions) {
  std::vector<std::string> runs;
  for (int run = 0; run < 2; ++run) {
    World world(3);
    world.Connect();
    world.engine(2).SetMode(FakeEngine::Mode::kRefusing);
    world.Pass(minutes(3));
    runs.push_back(std::to_string(world.engine(1).Calls("")) + "/" +
                   std::to_string(world.engine(2).Calls("")) + "/" +
                   std::to_string(world.clock().Now().time_since_epoch().count()));
  }
  EXPECT_EQ(runs[0], runs[1]);
}

}  // namespace
}  // namespace swarm
