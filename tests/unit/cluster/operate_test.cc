// start, stop and the like; execs; images.
#include "cluster/operate.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "swarmlib/status.h"
#include "unit/cluster/world.h"

namespace swarm {
namespace {

using Verb = ContainerOperation::Verb;
using std::chrono::minutes;
using std::chrono::seconds;

struct VerbCase {
  const char* name;
  Verb verb;
  const char* before;
  ContainerState after;
  const char* call;
};

class Operations : public testing::TestWithParam<VerbCase> {};

TEST_P(Operations, ArePublishedBeforeTheAnswer) {
  World world(1);
  const std::string id = world.engine(1).Run("web", GetParam().before);
  ASSERT_TRUE(world.Connect());
  ContainerOperation operation = world.OperationOf(GetParam().verb, "web");
  bool answered = false;
  world.OnLoop([&, operation = std::move(operation)]() mutable {
    world.cluster().Operate(std::move(operation), [&](absl::StatusOr<Reply> reply) {
      ASSERT_TRUE(reply.ok()) << reply.status();
      EXPECT_EQ(reply->status, 204);
      EXPECT_EQ((*world.cluster().FindContainer("web"))->container.state, GetParam().after);
      answered = true;
    });
  });
  ASSERT_TRUE(world.Until([&] { return answered; }, seconds(1)));
  EXPECT_EQ(world.engine(1).Calls("POST /containers/" + id + "/" + GetParam().call), 1);
}

INSTANTIATE_TEST_SUITE_P(
    , Operations,
    testing::Values(
        VerbCase{"Start", Verb::kStart, "created", ContainerState::kRunning, "start"},
        VerbCase{"Stop", Verb::kStop, "running", ContainerState::kExited, "stop"},
        VerbCase{"Restart", Verb::kRestart, "running", ContainerState::kRunning, "restart"},
        VerbCase{"Kill", Verb::kKill, "running", ContainerState::kExited, "kill"},
        VerbCase{"Pause", Verb::kPause, "running", ContainerState::kPaused, "pause"},
        VerbCase{"Unpause", Verb::kUnpause, "paused", ContainerState::kRunning, "unpause"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Operate, TheEventOfOurOwnChangeReadsNothingAgain) {
  for (const int latency_ms : {0, 1, 15}) {
    SCOPED_TRACE(latency_ms);
    World world(1);
    world.engine(1).SetLatency(std::chrono::milliseconds(latency_ms));
    world.engine(1).Run("web", "created");
    ASSERT_TRUE(world.Connect());
    const int before = world.engine(1).Calls("GET /containers/json");
    std::vector<std::string> seen;
    const auto subscription =
        world.cluster().Subscribe([&](std::shared_ptr<const ClusterEvent> event) {
          seen.push_back(event->action);
          EXPECT_EQ((*world.cluster().FindContainer("web"))->container.state,
                    ContainerState::kRunning);
        });
    bool answered = false;
    world.OnLoop([&, operation = world.OperationOf(Verb::kStart, "web")]() mutable {
      world.cluster().Operate(std::move(operation), [&](absl::StatusOr<Reply> reply) {
        EXPECT_TRUE(reply.ok()) << reply.status();
        answered = true;
      });
    });
    ASSERT_TRUE(world.Until([&] { return answered && !seen.empty(); }, seconds(1)));
    world.Settle();
    EXPECT_EQ(seen, std::vector<std::string>{"start"});
    EXPECT_EQ(world.engine(1).Calls("GET /containers/json") - before, 1);
  }
}

TEST(Operate, RemoveAndRenameAreSeenAtOnce) {
  World world(2);
  world.engine(1).Run("aa", "created");
  world.engine(2).Run("bb", "created");
  ASSERT_TRUE(world.Connect());
  ContainerOperation taken = world.OperationOf(Verb::kRename, "aa");
  taken.new_name = "bb";
  EXPECT_EQ(HttpStatusOf(world.Operate(std::move(taken))->status()), 409);
  ContainerOperation rename = world.OperationOf(Verb::kRename, "aa");
  rename.new_name = "cc";
  EXPECT_EQ((*world.Operate(std::move(rename)))->status, 204);
  EXPECT_TRUE(world.cluster().FindContainer("cc").ok());
  EXPECT_FALSE(world.cluster().FindContainer("aa").ok());
  EXPECT_EQ((*world.Operate(world.OperationOf(Verb::kRemove, "cc")))->status, 204);
  EXPECT_FALSE(world.cluster().FindContainer("cc").ok());
  EXPECT_EQ(world.cluster().Containers().size(), 1U);
}

TEST(Operate, StartOfATakenPortIsRefusedNamingTheHolder) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  ASSERT_TRUE(world.Create(CreateOf("first", "busybox", "8080"))->ok());
  ASSERT_EQ((*world.Operate(world.OperationOf(Verb::kStart, "first")))->status, 204);
  ASSERT_EQ((*world.Operate(world.OperationOf(Verb::kStop, "first")))->status, 204);
  ASSERT_TRUE(
      world.Create(CreateOf("second", "busybox", "8080"))->ok());  // a stopped one holds no port
  ASSERT_EQ((*world.Operate(world.OperationOf(Verb::kStart, "second")))->status, 204);
  const auto refused = world.Operate(world.OperationOf(Verb::kStart, "first"));
  EXPECT_EQ(HttpStatusOf(refused->status()), 409);
  EXPECT_NE(std::string(MessageOf(refused->status())).find("second"), std::string::npos)
      << refused->status();
}

TEST(Operate, AContainerThatIsGoneIsForgotten) {
  World world(1);
  world.engine(1).Run("a", "created");
  ASSERT_TRUE(world.Connect());
  ContainerOperation operation = world.OperationOf(Verb::kStart, "a");
  world.engine(1).SetMode(FakeEngine::Mode::kWell);
  world.engine(1).Remove("a");  // the event is not applied yet
  const auto reply = world.Operate(std::move(operation));
  ASSERT_TRUE(reply && reply->ok());
  EXPECT_EQ((*reply)->status, 404);
  EXPECT_FALSE(world.cluster().FindContainer("a").ok());
}

TEST(Operate, OnAFrozenEngineEndsWhenItIsKnownToBeIll) {
  World world(1);
  world.engine(1).Run("a", "running");
  ASSERT_TRUE(world.Connect());
  ContainerOperation stop = world.OperationOf(Verb::kStop, "a");
  ContainerOperation again = stop;
  world.engine(1).SetMode(FakeEngine::Mode::kFrozen);
  const auto reply = world.Operate(std::move(stop), seconds(60));
  ASSERT_TRUE(reply.has_value());
  EXPECT_TRUE(absl::IsUnavailable(reply->status())) << reply->status();
  EXPECT_LE(world.clock().Now(), TimePoint{} + seconds(41));
  const auto at_once = world.Operate(std::move(again), seconds(0));
  ASSERT_TRUE(at_once.has_value());
  EXPECT_NE(std::string(MessageOf(at_once->status())).find("is not healthy"), std::string::npos);
}

struct TimeoutCase {
  const char* name;
  Verb verb;
  const char* query;
  Duration expected;
};

class Timeouts : public testing::TestWithParam<TimeoutCase> {};

TEST_P(Timeouts, FollowTheVerbAndItsQuery) {
  ContainerOperation operation;
  operation.verb = GetParam().verb;
  operation.query = GetParam().query;
  EXPECT_EQ(OperationTimeout(operation), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    , Timeouts,
    testing::Values(TimeoutCase{"Start", Verb::kStart, "t=5", kOperationTimeout},
                    TimeoutCase{"StopGiven", Verb::kStop, "t=90", seconds(90) + kStopMargin},
                    TimeoutCase{"StopDefault", Verb::kStop, "", kStopTimeout},
                    TimeoutCase{"StopForEver", Verb::kStop, "t=-1", kLongestStop},
                    TimeoutCase{"RestartHuge", Verb::kRestart, "signal=9&t=18446744073709551615",
                                kLongestStop + kStopMargin},
                    TimeoutCase{"Remove", Verb::kRemove, "force=1", kStopTimeout}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(FindExec, AsksEveryHealthyEngineOnceAndRemembers) {
  World world(3);
  ASSERT_TRUE(world.Connect());
  std::string id = std::to_string(std::hash<std::string>{}(World::AddressOf(2))) + "0";
  id.insert(0, 64 - id.size(), 'a');
  const auto find = [&](const std::string& exec_id) {
    absl::StatusOr<std::string> result = Internal("no answer");
    world.OnLoop([&] {
      world.cluster().FindExec(
          exec_id, [&result](absl::StatusOr<std::string> found) { result = std::move(found); });
    });
    world.Settle();
    return result;
  };
  EXPECT_EQ(*find(id), World::AddressOf(2));
  const int calls = world.engine(2).Calls("GET /exec/");
  EXPECT_EQ(*find(id), World::AddressOf(2));
  EXPECT_EQ(world.engine(2).Calls("GET /exec/"), calls);
  EXPECT_TRUE(absl::IsNotFound(find(std::string(64, 'b')).status()));
  EXPECT_TRUE(absl::IsNotFound(find(id.substr(0, 12)).status()));
  EXPECT_EQ(world.engine(1).Calls("GET /exec/" + id.substr(0, 12) + "/"), 0);
}

TEST(RefreshImages, ShowsThemBeforeItCallsBack) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  absl::Status status = Internal("no answer");
  world.engine(1).AddImage("redis:7");
  world.OnLoop([&] {
    world.cluster().RefreshImages(World::AddressOf(1), [&](absl::Status refreshed) {
      status = refreshed;
      EXPECT_EQ(world.cluster().Images().size(), 2U);
    });
  });
  world.Settle();
  EXPECT_TRUE(status.ok()) << status;
  world.OnLoop([&] {
    world.cluster().RefreshImages("1.2.3.4:5", [&](absl::Status refreshed) { status = refreshed; });
  });
  world.Settle();
  EXPECT_TRUE(absl::IsNotFound(status));
}

TEST(RefreshContainer, ReadsOneAgain) {
  World world(1);
  world.engine(1).Run("a", "running");
  ASSERT_TRUE(world.Connect());
  world.engine(1).SetState("a", "exited", false);
  const ContainerPointer entry = *world.cluster().FindContainer("a");
  absl::Status status = Internal("no answer");
  world.OnLoop([&] {
    world.cluster().RefreshContainer(entry, [&](absl::Status refreshed) { status = refreshed; });
  });
  world.Settle();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ((*world.cluster().FindContainer("a"))->container.state, ContainerState::kExited);
}

}  // namespace
}  // namespace swarm
