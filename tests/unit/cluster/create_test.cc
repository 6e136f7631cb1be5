// Creates: placed, carried out once, and known afterwards.
#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "swarmlib/status.h"
#include "unit/cluster/world.h"

namespace swarm {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

std::size_t BoxesOf(World& world, int engines) {
  std::size_t count = 0;
  for (int i = 1; i <= engines; ++i) count += world.engine(i).boxes().size();
  return count;
}

TEST(Create, IsPublishedBeforeTheAnswer) {
  World world(3);
  ASSERT_TRUE(world.Connect());
  bool seen = false;
  world.OnLoop([&] {
    world.cluster().CreateContainer(CreateOf("web", "busybox", "8080"),
                                    [&](absl::StatusOr<CreateResult> made) {
                                      ASSERT_TRUE(made.ok()) << made.status();
                                      EXPECT_EQ(made->reply.status, 201);
                                      const auto found = world.cluster().FindContainer("web");
                                      ASSERT_TRUE(found.ok()) << found.status();
                                      EXPECT_EQ((*found)->container.id, made->entry->container.id);
                                      EXPECT_EQ((*found)->container.wanted_ports.size(), 1U);
                                      seen = true;
                                    });
  });
  ASSERT_TRUE(world.Until([&] { return seen; }, seconds(1)));
}

TEST(Create, WithoutANameGetsOneFromTheManager) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  const auto made = world.Create(CreateOf("", "busybox"));
  ASSERT_TRUE(made && made->ok());
  EXPECT_FALSE((*made)->entry->container.names.front().empty());
  EXPECT_EQ(world.engine(1).boxes()[0].name, (*made)->entry->container.names.front());
}

TEST(Create, ConstraintsChooseTheNodeAndStrangeOnesAreRefusedBeforeAnyEngineIsAsked) {
  World world(3);
  ASSERT_TRUE(world.Connect());
  const auto made = world.Create(CreateOf("aa", "busybox", "", "constraint:zone==n2"));
  ASSERT_TRUE(made && made->ok());
  EXPECT_EQ(world.engine(2).boxes().size(), 1U);
  const auto refused = world.Create(CreateOf("bb", "busybox", "", "constraint:zone==nowhere"));
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(HttpStatusOf(refused->status()), 409);
  EXPECT_EQ(BoxesOf(world, 3), 1U);
}

TEST(Create, TheNodeIsPreparedBeforeItsEngineIsAsked) {
  World world(2);
  ASSERT_TRUE(world.Connect());
  std::vector<std::string> prepared;
  absl::Status ready = absl::OkStatus();
  CreateRequest request = CreateOf("web", "busybox", "8080");
  request.prepare = [&](std::string address, Callback<absl::Status> done) {
    prepared.push_back(std::move(address));
    EXPECT_EQ(BoxesOf(world, 2), 0U);
    done(ready);
  };
  ready = FailedPrecondition("no such network can be made there");
  const auto refused = world.Create(request);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(MessageOf(refused->status()), "no such network can be made there");
  EXPECT_EQ(BoxesOf(world, 2), 0U);
  // Name and port are free again.
  ready = absl::OkStatus();
  const auto made = world.Create(request);
  ASSERT_TRUE(made && made->ok());
  ASSERT_EQ(prepared.size(), 2U);
  EXPECT_EQ(prepared[1], (*made)->entry->container.node);
}

// Nobody is left who could give the place back.
TEST(Create, ACreateThatBreaksOffGivesItsPlaceBack) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  const PrepareNode broken[] = {
      [](const std::string&, Callback<absl::Status>) {},  // never calls back
      [](const std::string&, Callback<absl::Status>) { throw std::runtime_error("no memory"); }};
  for (const PrepareNode& prepare : broken) {
    CreateRequest request = CreateOf("web", "busybox", "8080");
    request.prepare = prepare;
    const auto begin = [&world, &request] {
      world.OnLoop([&world, &request] {
        world.cluster().CreateContainer(std::move(request), [](absl::StatusOr<CreateResult>) {});
      });
      world.Settle();
    };
    if (&prepare == &broken[1]) {
      EXPECT_THROW(begin(), std::runtime_error);
    } else {
      begin();
    }
    world.Settle();  // what the exception unwound ends on the loop
    EXPECT_EQ(world.cluster().TotalsOf(World::AddressOf(1)).reserved, Resources());
    EXPECT_TRUE(world.cluster().Plan(CreateOf("next", "busybox", "8080").spec)->candidates.size());
  }
  const auto made = world.Create(CreateOf("web", "busybox", "8080"));
  ASSERT_TRUE(made.has_value() && made->ok()) << made->status();
  EXPECT_EQ((*made)->reply.status, 201);
}

TEST(Create, OfSixtyWithOnePortThreeAreMadeAndNoEngineIsAskedInVain) {
  World world(3);
  ASSERT_TRUE(world.Connect());
  for (int i = 1; i <= 3; ++i) world.engine(i).SetLatency(std::chrono::milliseconds(5 * i));
  int made = 0, refused = 0;
  for (int i = 0; i < 60; ++i) {
    world.OnLoop([&, i] {
      world.cluster().CreateContainer(CreateOf("web" + std::to_string(i), "busybox", "8080"),
                                      [&](absl::StatusOr<CreateResult> result) {
                                        if (result.ok()) {
                                          ++made;
                                        } else {
                                          ++refused;
                                          EXPECT_EQ(HttpStatusOf(result.status()), 409)
                                              << result.status();
                                        }
                                      });
    });
  }
  ASSERT_TRUE(world.Until([&] { return made + refused == 60; }, minutes(1)));
  EXPECT_EQ(made, 3);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(world.engine(i).Calls("POST /containers/create"), 1);
    EXPECT_EQ(world.engine(i).boxes().size(), 1U);
  }
}

TEST(Create, OfSixtyWithOneNameOneWins) {
  World world(3);
  ASSERT_TRUE(world.Connect());
  int made = 0, taken = 0;
  for (int i = 0; i < 60; ++i) {
    world.OnLoop([&] {
      world.cluster().CreateContainer(CreateOf("web", "busybox"),
                                      [&](absl::StatusOr<CreateResult> result) {
                                        ++(result.ok() ? made : taken);
                                        if (!result.ok()) {
                                          EXPECT_EQ(HttpStatusOf(result.status()), 409);
                                        }
                                      });
    });
  }
  ASSERT_TRUE(world.Until([&] { return made + taken == 60; }, minutes(1)));
  EXPECT_EQ(made, 1);
  EXPECT_EQ(BoxesOf(world, 3), 1U);
}

TEST(Create, ALostAnswerOfAMadeContainerIsFoundByItsLabel) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  world.engine(1).SetLoss(FakeEngine::Loss::kAfterItIsMade, Internal("connection reset"));
  const auto made = world.Create(CreateOf("web", "busybox"));
  ASSERT_TRUE(made && made->ok()) << made->status();
  EXPECT_EQ((*made)->reply.status, 201);
  EXPECT_EQ((*made)->entry->container.id, world.engine(1).boxes()[0].id);
  EXPECT_EQ((*made)->reply.body,
            "{\"Id\":\"" + world.engine(1).boxes()[0].id + "\",\"Warnings\":[]}\n");
  EXPECT_EQ(world.engine(1).Calls("POST /containers/create"), 1);
  EXPECT_EQ(world.cluster().Containers().size(), 1U);
}

// Nothing is ever asked of an engine under a name that is no id.
TEST(Create, AnAnswerWithoutAContainersIdCountsAsLost) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  world.engine(1).SetLoss(FakeEngine::Loss::kWrongId, absl::OkStatus());
  const auto made = world.Create(CreateOf("web", "busybox"));
  ASSERT_TRUE(made && made->ok()) << made->status();
  EXPECT_EQ((*made)->entry->container.id, world.engine(1).boxes()[0].id);
  EXPECT_EQ(world.engine(1).Calls("GET /containers/a "), 0);
}

TEST(Create, LabelsOfAnotherContainerDoNotMakeItTheSame) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  const CreateRequest first = CreateOf("web", "busybox");
  CreateRequest copy = first;
  copy.spec.name = "copy";
  const auto made = world.Create(first);
  ASSERT_TRUE(made && made->ok()) << made->status();
  const auto copied = world.Create(copy);
  ASSERT_TRUE(copied && copied->ok()) << copied->status();
  EXPECT_EQ(world.engine(1).boxes()[0].swarm_id, first.spec.swarm_id);
  EXPECT_NE(world.engine(1).boxes()[1].swarm_id, first.spec.swarm_id);
  EXPECT_EQ((*copied)->entry->container.swarm_id, world.engine(1).boxes()[1].swarm_id);
  const auto found = world.cluster().FindContainer(first.spec.swarm_id);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ((*found)->container.names.front(), "web");
}

TEST(Create, ALostAnswerOfNothingHoldsThePlaceAndIsNeverTriedAgain) {
  World world(2, [](EngineClusterOptions& options) { options.create_retry = 5; });
  ASSERT_TRUE(world.Connect());
  world.engine(1).SetLoss(FakeEngine::Loss::kBeforeItIsMade, DeadlineExceeded("no answer in time"));
  const auto lost = world.Create(CreateOf("web", "busybox", "8080", "constraint:node==n1"));
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(HttpStatusOf(lost->status()), 504) << lost->status();
  const std::string said(MessageOf(lost->status()));
  for (const char* part : {"container web", "node n1 (10.0.0.1:2375)", "no answer in time",
                           "not known yet", "stay reserved"}) {
    EXPECT_NE(said.find(part), std::string::npos) << said;
  }
  EXPECT_EQ(world.engine(1).Calls("POST /containers/create"), 1);
  EXPECT_EQ(world.engine(2).Calls("POST /containers/create"), 0);
  const auto name = world.Create(CreateOf("web", "busybox"));
  EXPECT_EQ(HttpStatusOf(name->status()), 409) << name->status();
  const auto port = world.Create(CreateOf("bb", "busybox", "8080", "constraint:node==n1"));
  EXPECT_EQ(HttpStatusOf(port->status()), 409) << port->status();
  world.Pass(minutes(4));  // seen without it
  const auto again = world.Create(CreateOf("web", "busybox", "8080", "constraint:node==n1"));
  ASSERT_TRUE(again && again->ok()) << again->status();
}

TEST(Create, ACreateThatIsCarriedOutLateIsTheOneThatWasAskedFor) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  world.engine(1).SetLoss(FakeEngine::Loss::kUntilMadeLate, Internal("connection reset"));
  const auto lost = world.Create(CreateOf("web", "busybox", "8080"));
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(HttpStatusOf(lost->status()), 504) << lost->status();
  world.Pass(seconds(100));  // read whole at least once meanwhile
  EXPECT_EQ(HttpStatusOf(world.Create(CreateOf("web", "busybox"))->status()), 409);
  world.engine(1).MakeLate();
  world.Settle();
  const auto found = world.cluster().FindContainer("web");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(world.cluster().Containers().size(), 1U);
  EXPECT_EQ(HttpStatusOf(world.Create(CreateOf("web", "busybox"))->status()), 409);
  world.Pass(minutes(5));
  EXPECT_EQ(BoxesOf(world, 1), 1U);
  EXPECT_EQ(HttpStatusOf(world.Create(CreateOf("web", "busybox"))->status()), 409);
}

TEST(Create, WhileNobodyKnowsTheNameStaysHeldAndTheNextReadingTells) {
  for (const bool was_made : {true, false}) {
    World world(2);
    ASSERT_TRUE(world.Connect());
    CreateRequest request = CreateOf("web", "busybox", "8080", "constraint:node==n1");
    world.engine(1).SetLoss(
        was_made ? FakeEngine::Loss::kAfterItIsMade : FakeEngine::Loss::kBeforeItIsMade,
        Internal("connection reset"));
    std::optional<absl::StatusOr<CreateResult>> lost;
    world.OnLoop([&] {
      world.cluster().CreateContainer(
          std::move(request), [&](absl::StatusOr<CreateResult> got) { lost = std::move(got); });
      world.OnLoop([&] { world.engine(1).SetMode(FakeEngine::Mode::kFrozen); });
    });
    ASSERT_TRUE(world.Until([&] { return lost.has_value(); }, minutes(2)));
    EXPECT_EQ(HttpStatusOf(lost->status()), 504) << lost->status();
    const auto held = world.Create(CreateOf("web", "busybox"));
    ASSERT_TRUE(held.has_value());
    EXPECT_EQ(HttpStatusOf(held->status()), 409) << held->status();
    ASSERT_TRUE(world.Until([&] { return world.StateOf(1) == NodeState::kUnhealthy; }, minutes(2)));
    world.engine(1).SetMode(FakeEngine::Mode::kWell);
    ASSERT_TRUE(world.Until([&] { return world.StateOf(1) == NodeState::kHealthy; }, minutes(1)));
    EXPECT_EQ(world.cluster().FindContainer("web").ok(), was_made);
    world.Pass(minutes(3));
    const auto after = world.Create(CreateOf("web", "busybox", "8080"));
    ASSERT_TRUE(after.has_value());
    EXPECT_EQ(after->ok(), !was_made);
    EXPECT_EQ(BoxesOf(world, 2), 1U);
  }
}

TEST(Create, AHeldNameIsFreeWhenItsNodeLeaves) {
  World world(2);
  ASSERT_TRUE(world.Connect());
  world.engine(1).SetLoss(FakeEngine::Loss::kBeforeItIsMade, Internal("connection reset"));
  std::optional<absl::StatusOr<CreateResult>> lost;
  world.OnLoop([&] {
    world.cluster().CreateContainer(
        CreateOf("web", "busybox", "", "constraint:node==n1"),
        [&](absl::StatusOr<CreateResult> got) { lost = std::move(got); });
    world.OnLoop([&] { world.engine(1).SetMode(FakeEngine::Mode::kFrozen); });
  });
  ASSERT_TRUE(world.Until([&] { return lost.has_value(); }, minutes(2)));
  world.cluster().SetAddresses({World::AddressOf(2)});
  const auto made = world.Create(CreateOf("web", "busybox"));
  ASSERT_TRUE(made && made->ok()) << made->status();
}

TEST(Create, ARefusedConnectionIsNotACreateAndIsTriedAgainOnlyWhenAsked) {
  for (const int retries : {0, 5}) {
    World world(1, [retries](EngineClusterOptions& options) { options.create_retry = retries; });
    ASSERT_TRUE(world.Connect());
    world.engine(1).SetLoss(FakeEngine::Loss::kBeforeItIsMade, Unavailable("connection refused"));
    const auto made = world.Create(CreateOf("web", "busybox"));
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->ok(), retries > 0);
    EXPECT_EQ(world.engine(1).Calls("POST /containers/create"), retries > 0 ? 2 : 1);
    EXPECT_EQ(world.engine(1).Calls("GET /containers/json"), retries > 0 ? 2 : 1);  // no look-up
  }
}

TEST(Create, WithoutASocketOnThisSideItIsKnownAsNotSent) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  world.engine(1).SetLoss(
      FakeEngine::Loss::kBeforeItIsMade,
      ResourceExhausted("cannot connect to 10.0.0.1:2375: no socket on this side"));
  const auto unsent = world.Create(CreateOf("web", "busybox", "8080"));
  ASSERT_TRUE(unsent.has_value());
  EXPECT_EQ(HttpStatusOf(unsent->status()), 503) << unsent->status();
  const std::string said(MessageOf(unsent->status()));
  for (const char* part : {"node n1 (10.0.0.1:2375)", "no socket on this side"}) {
    EXPECT_NE(said.find(part), std::string::npos) << said;
  }
  EXPECT_EQ(world.StateOf(1), NodeState::kHealthy);
  const auto again = world.Create(CreateOf("web", "busybox", "8080"));
  ASSERT_TRUE(again && again->ok()) << again->status();
}

TEST(Create, AnImageOnAnotherNodeIsFollowed) {
  World world(3);
  world.engine(3).AddImage("nginx:latest");
  world.engine(3).Run("busy", "running");  // spread would take another one
  ASSERT_TRUE(world.Connect());
  const auto made = world.Create(CreateOf("web", "nginx"));
  ASSERT_TRUE(made && made->ok());
  EXPECT_EQ((*made)->reply.status, 201);
  EXPECT_EQ((*made)->entry->container.node, World::AddressOf(3));
}

TEST(Create, AMissingImageIsTheEnginesOwn404AndHoldsNothing) {
  World world(2);
  world.engine(2).AddImage("nginx:latest");
  ASSERT_TRUE(world.Connect());
  const auto nowhere = world.Create(CreateOf("web", "redis"));
  ASSERT_TRUE(nowhere && nowhere->ok());
  EXPECT_EQ((*nowhere)->reply.status, 404);
  EXPECT_EQ((*nowhere)->reply.body, "{\"message\":\"No such image: redis:latest\"}\n");
  EXPECT_EQ((*nowhere)->entry, nullptr);
  const auto pinned = world.Create(CreateOf("web", "nginx", "", "constraint:node==n1"));
  ASSERT_TRUE(pinned && pinned->ok());
  EXPECT_EQ((*pinned)->reply.status, 404);
  const auto made = world.Create(CreateOf("web", "busybox"));
  ASSERT_TRUE(made && made->ok());
}

// Pulls that succeed at once, and where.
PullOnNode PullsInto(World& world, std::vector<std::string>& pulled, const std::string& image) {
  return [&world, &pulled, image](std::string address, Callback<absl::Status> done) {
    pulled.push_back(address);
    for (int i = 1; i <= 3; ++i) {
      if (World::AddressOf(i) == address) world.engine(i).AddImage(image);
    }
    done(absl::OkStatus());
  };
}

TEST(Create, AnImageOfAnotherNodeIsPulledWhereTheContainerMustGo) {
  World world(3);
  world.engine(2).AddImage("nginx:latest");
  ASSERT_TRUE(world.Connect());
  std::vector<std::string> pulled;
  CreateRequest request = CreateOf("web", "nginx", "", "constraint:node==n1");
  request.pull = PullsInto(world, pulled, "nginx:latest");
  const auto made = world.Create(request);
  ASSERT_TRUE(made && made->ok()) << made->status();
  EXPECT_EQ((*made)->reply.status, 201);
  EXPECT_EQ(pulled, std::vector<std::string>{World::AddressOf(1)});
  EXPECT_EQ(world.engine(1).boxes().size(), 1U);
  // Where another node with the image will do, nothing is pulled.
  CreateRequest free = CreateOf("free", "nginx", "", "constraint:node!=n1");
  free.pull = PullsInto(world, pulled, "nginx:latest");
  const auto followed = world.Create(free);
  ASSERT_TRUE(followed && followed->ok()) << followed->status();
  EXPECT_EQ((*followed)->entry->container.node, World::AddressOf(2));
  EXPECT_EQ(pulled.size(), 1U);
}

TEST(Create, AnImageWhoseNodesCannotTakeTheContainerIsPulled) {
  World world(2);
  world.engine(2).AddImage("nginx:latest");
  ASSERT_TRUE(world.Connect());
  ASSERT_TRUE(world.Create(CreateOf("first", "nginx", "8080"))->ok());
  std::vector<std::string> pulled;
  CreateRequest request = CreateOf("second", "nginx", "8080");
  request.pull = PullsInto(world, pulled, "nginx:latest");
  const auto made = world.Create(request);
  ASSERT_TRUE(made && made->ok()) << made->status();
  ASSERT_EQ((*made)->reply.status, 201) << (*made)->reply.body;
  EXPECT_EQ((*made)->entry->container.node, World::AddressOf(1));
  EXPECT_EQ(pulled.size(), 1U);
}

TEST(Create, WhatNoNodeHasIsPulledOnlyWhenThatIsWanted) {
  World world(2);
  ASSERT_TRUE(world.Connect());
  std::vector<std::string> pulled;
  CreateRequest request = CreateOf("web", "redis");
  request.pull = PullsInto(world, pulled, "redis:latest");
  EXPECT_EQ((*world.Create(request))->reply.status, 404);
  EXPECT_TRUE(pulled.empty());
  request.pull_unknown = true;
  const auto made = world.Create(request);
  ASSERT_TRUE(made && made->ok()) << made->status();
  EXPECT_EQ((*made)->reply.status, 201);
  EXPECT_EQ(pulled.size(), 1U);
  // A registry knows nothing of ids.
  CreateRequest by_id = CreateOf("by_id", "sha256:" + std::string(64, 'e'));
  by_id.pull = PullsInto(world, pulled, "none");
  by_id.pull_unknown = true;
  EXPECT_EQ((*world.Create(by_id))->reply.status, 404);
  EXPECT_EQ(pulled.size(), 1U);
}

TEST(Create, APullHoldsTheNameAndOneThatFailsGivesItBack) {
  for (const bool given_up : {false, true}) {
    World world(1);
    ASSERT_TRUE(world.Connect());
    Callback<absl::Status> pulled;
    CreateRequest request = CreateOf("web", "redis", "8080");
    request.pull_unknown = true;
    request.pull = [&](std::string, Callback<absl::Status> done) { pulled = std::move(done); };
    std::optional<absl::StatusOr<CreateResult>> result;
    world.OnLoop([&] {
      world.cluster().CreateContainer(
          request, [&](absl::StatusOr<CreateResult> got) { result = std::move(got); });
    });
    ASSERT_TRUE(world.Until([&] { return pulled != nullptr; }, seconds(1)));
    EXPECT_EQ(HttpStatusOf(world.Create(CreateOf("web", "busybox"))->status()), 409);
    world.OnLoop([&] {
      pulled(given_up ? Cancelled("the client went away") : Internal("toomanyrequests"));
    });
    ASSERT_TRUE(world.Until([&] { return result.has_value(); }, seconds(1)));
    if (given_up) {
      EXPECT_TRUE(absl::IsCancelled(result->status())) << result->status();
    } else {
      ASSERT_TRUE(result->ok()) << result->status();
      EXPECT_EQ((*result)->reply.status, 404);
      EXPECT_EQ((*result)->reply.body,
                "{\"message\":\"No such image: redis:latest (node n1 (10.0.0.1:2375) does not have "
                "it, and its pull failed: toomanyrequests)\"}\n");
    }
    EXPECT_EQ(world.engine(1).Calls("POST /containers/create"), 1);
    const auto made = world.Create(CreateOf("web", "busybox", "8080"));
    ASSERT_TRUE(made && made->ok()) << made->status();
  }
}

TEST(Create, GoesOnWhenTheEngineOfAnotherIsFrozen) {
  World world(2);
  ASSERT_TRUE(world.Connect());
  world.engine(1).SetMode(FakeEngine::Mode::kFrozen);
  int slow = 0;
  world.OnLoop([&] {
    world.cluster().CreateContainer(
        CreateOf("aa", "busybox", "", "constraint:node==n1"),
        [&](absl::StatusOr<CreateResult> result) { slow += result.ok() ? 100 : 1; });
  });
  const TimePoint before = world.clock().Now();
  const auto made = world.Create(CreateOf("bb", "busybox", "", "constraint:node==n2"));
  ASSERT_TRUE(made && made->ok());
  EXPECT_EQ(world.clock().Now(), before);
  // The frozen one is answered when it is known to be ill, not after the whole timeout of a create.
  EXPECT_TRUE(world.Until([&] { return slow == 1; }, seconds(45)));
}

}  // namespace
}  // namespace swarm
