// One container whose inspect fails is the fault of that container, not of its engine.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "swarmlib/status.h"
#include "unit/cluster/world.h"

namespace swarm {
namespace {

using Fault = FakeEngine::Fault;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// The 2 s that an inspect may take, and what the other steps of a refresh need.
constexpr Duration kFirstRefresh = milliseconds(2'100);

class UnreadContainer : public testing::TestWithParam<Fault> {
 protected:
  UnreadContainer()
      : world_(1, [this](EngineClusterOptions& options) {
          options.log = [this](const LogRecord& record) {
            log_.push_back(std::string(record.message));
          };
        }) {
    world_.engine(1).Run("bad", "running");
    world_.engine(1).Run("good", "running");
  }

  ContainerPointer Known(const std::string& name) {
    const auto entry = world_.cluster().FindContainer(name);
    return entry.ok() ? *entry : nullptr;
  }
  // Only an inspect tells when a container was started.
  bool IsRead(const std::string& name) {
    const ContainerPointer entry = Known(name);
    return entry != nullptr && entry->container.started_at != WallTime{};
  }
  ContainerState StateOf(const std::string& name) { return Known(name)->container.state; }
  int Complaints() const {
    return static_cast<int>(std::count_if(log_.begin(), log_.end(), [](const std::string& text) {
      return text.find("container") != std::string::npos;
    }));
  }
  void ExpectWell() {
    const NodePointer node = world_.cluster().FindNode("n1");
    ASSERT_NE(node, nullptr);
    EXPECT_EQ(node->state, NodeState::kHealthy) << node->error;
    EXPECT_EQ(node->failures, 0) << node->error;
    EXPECT_EQ(node->error, "");
    EXPECT_NE(node->updated_at, WallTime{});
  }

  std::vector<std::string> log_;
  World world_;
};

TEST_P(UnreadContainer, AtTheFirstRefreshIsListedAndItsNodeIsHealthy) {
  world_.engine(1).SpoilInspect("bad", GetParam());
  world_.Announce();
  ASSERT_TRUE(
      world_.Until([this] { return world_.StateOf(1) == NodeState::kHealthy; }, kFirstRefresh))
      << world_.ErrorOf(1);
  EXPECT_TRUE(IsRead("good"));
  ASSERT_NE(Known("bad"), nullptr);
  EXPECT_EQ(StateOf("bad"), ContainerState::kRunning);
  EXPECT_NE(Known("bad")->row.head.find("\"Command\":\"sh\""), std::string::npos);
  const auto made = world_.Create(CreateOf("new", "busybox"));
  ASSERT_TRUE(made && made->ok()) << made->status();
  world_.Pass(minutes(10));
  ExpectWell();
  EXPECT_EQ(Complaints(), 1);
  EXPECT_FALSE(IsRead("bad"));
  world_.engine(1).SpoilInspect("bad", Fault::kNone);
  EXPECT_TRUE(world_.Until([this] { return IsRead("bad"); }, seconds(61)));
}

TEST_P(UnreadContainer, AtALaterRefreshChangesByItsRow) {
  ASSERT_TRUE(world_.Connect());
  world_.engine(1).ForgetStreams();  // no event tells
  world_.engine(1).SpoilInspect("bad", GetParam());
  world_.engine(1).SetState("bad", "exited", false);
  world_.engine(1).Run("behind", "running");
  ASSERT_TRUE(world_.Until([this] { return IsRead("behind"); }, seconds(63)));
  EXPECT_EQ(StateOf("bad"), ContainerState::kExited);
  for (int i = 0; i < 5; ++i) {
    world_.Pass(minutes(1));
    ExpectWell();
  }
  EXPECT_EQ(Complaints(), 1);
}

TEST_P(UnreadContainer, AtAnEventChangesByItsRowAndKeepsNoOtherBack) {
  ASSERT_TRUE(world_.Connect());
  std::vector<std::string> seen;
  const auto subscription = world_.cluster().Subscribe(
      [&](std::shared_ptr<const ClusterEvent> event) { seen.push_back(event->action); });
  world_.engine(1).SpoilInspect("bad", GetParam());
  world_.engine(1).SetState("bad", "exited", true);
  world_.engine(1).Run("behind", "running");
  ASSERT_TRUE(world_.Until([&] { return seen.size() == 2; }, kFirstRefresh));
  EXPECT_EQ(StateOf("bad"), ContainerState::kExited);
  EXPECT_TRUE(IsRead("behind"));
  // It is known by now, and nothing waits for it again.
  world_.engine(1).SetState("bad", "running", true);
  world_.engine(1).Run("second", "running");
  world_.Settle();
  EXPECT_EQ(seen, (std::vector<std::string>{"die", "create", "start", "create"}));
  EXPECT_EQ(StateOf("bad"), ContainerState::kRunning);
  EXPECT_TRUE(IsRead("second"));
  world_.Pass(minutes(5));
  ExpectWell();
  EXPECT_EQ(Complaints(), 1);
  world_.engine(1).SpoilInspect("bad", Fault::kNone);
  world_.engine(1).SetState("bad", "exited", true);
  world_.Pass(seconds(1));
  EXPECT_TRUE(IsRead("bad"));  // an event brings the next try forward
}

TEST_P(UnreadContainer, DoesNotKeepTheReservationOfALostCreate) {
  ASSERT_TRUE(world_.Connect());
  world_.engine(1).SpoilInspect("bad", GetParam());
  world_.engine(1).SetState("bad", "exited", true);
  world_.Pass(seconds(5));
  world_.engine(1).SetLoss(FakeEngine::Loss::kBeforeItIsMade, DeadlineExceeded("no answer"));
  const auto lost = world_.Create(CreateOf("web", "busybox", "8080"));
  ASSERT_TRUE(lost.has_value());
  EXPECT_TRUE(absl::IsDeadlineExceeded(lost->status())) << lost->status();
  world_.Pass(minutes(4));
  const auto again = world_.Create(CreateOf("web", "busybox", "8080"));
  ASSERT_TRUE(again && again->ok()) << again->status();
}

TEST_P(UnreadContainer, OfALostCreateIsFoundByItsRow) {
  ASSERT_TRUE(world_.Connect());
  world_.engine(1).SetLoss(FakeEngine::Loss::kUntilMadeLate, DeadlineExceeded("no answer"));
  const auto lost = world_.Create(CreateOf("web", "busybox", "8080"));
  ASSERT_TRUE(lost && absl::IsDeadlineExceeded(lost->status()));
  world_.engine(1).ForgetStreams();
  world_.engine(1).MakeLate();
  world_.engine(1).SpoilInspect("web", GetParam());
  ASSERT_TRUE(world_.Until([this] { return Known("web") != nullptr; }, seconds(65)));
  EXPECT_EQ(Known("web")->container.id, world_.engine(1).boxes().back().id);
  // The name is its own, and not reserved any more.
  const auto removed = world_.Operate(world_.OperationOf(ContainerOperation::Verb::kRemove, "web"));
  ASSERT_TRUE(removed && removed->ok());
  const auto again = world_.Create(CreateOf("web", "busybox", "8080"));
  EXPECT_TRUE(again && again->ok()) << again->status();
}

TEST_P(UnreadContainer, MadeByACreateKeepsWhatItsRequestDescribed) {
  ASSERT_TRUE(world_.Connect());
  world_.engine(1).SetLatency(milliseconds(10));
  CreateRequest request = CreateOf("web", "busybox", "8080");
  request.may_be_read_later = true;
  const auto made = world_.Create(std::move(request));
  ASSERT_TRUE(made && made->ok()) << made->status();
  world_.engine(1).SpoilInspect("web", GetParam());
  world_.Pass(minutes(2));
  EXPECT_NE(Known("web")->row.head.find("\"Command\":\"sh\""), std::string::npos);
  EXPECT_EQ(Known("web")->container.wanted_ports.size(), 1U);
  ExpectWell();
}

TEST_P(UnreadContainer, CountsAgainstAnEngineThatAnswersNoPing) {
  ASSERT_TRUE(world_.Connect());
  world_.engine(1).SpoilInspect("bad", GetParam());
  world_.engine(1).SetMode(FakeEngine::Mode::kFrozen);
  ASSERT_TRUE(
      world_.Until([this] { return world_.StateOf(1) == NodeState::kUnhealthy; }, seconds(41)));
  EXPECT_NE(world_.cluster().FindNode("n1")->updated_at, WallTime{});
  world_.engine(1).SetMode(FakeEngine::Mode::kWell);
  EXPECT_TRUE(
      world_.Until([this] { return world_.StateOf(1) == NodeState::kHealthy; }, seconds(21)));
}

TEST_P(UnreadContainer, OfManyDelayTheFirstRefreshNoMoreThanOne) {
  world_.engine(1).SetLatency(milliseconds(1));
  constexpr int kMany = 300;
  for (int i = 0; i < kMany; ++i) {
    const std::string name = "c" + std::to_string(i);
    world_.engine(1).Run(name, "running");
    if (i % 2 == 0) world_.engine(1).SpoilInspect(name, GetParam());
  }
  world_.Announce();
  ASSERT_TRUE(
      world_.Until([this] { return world_.StateOf(1) == NodeState::kHealthy; }, kFirstRefresh))
      << world_.ErrorOf(1);
  EXPECT_EQ(world_.cluster().Containers().size(), kMany + 2U);
  world_.Pass(seconds(10));
  for (int i = 1; i < kMany; i += 2) EXPECT_TRUE(IsRead("c" + std::to_string(i))) << i;
  ExpectWell();
}

std::string NameOf(const testing::TestParamInfo<Fault>& info) {
  switch (info.param) {
    case Fault::kStatus500: return "Status500";
    case Fault::kSilence: return "Silence";
    case Fault::kCut: return "Cut";
    default: return "Malformed";
  }
}

INSTANTIATE_TEST_SUITE_P(Each, UnreadContainer,
                         testing::Values(Fault::kStatus500, Fault::kSilence, Fault::kCut,
                                         Fault::kMalformed),
                         NameOf);

// As engines do while their containerd is stopped.
TEST(UnreadEngine, ThatDoesNotTellWhoItIsIsStillRead) {
  World world(1);
  ASSERT_TRUE(world.Connect());
  const WallTime updated_at = world.cluster().FindNode("n1")->updated_at;
  world.engine(1).Spoil("/info", Fault::kSilence);
  world.engine(1).Spoil("/version", Fault::kSilence);
  world.engine(1).ForgetStreams();
  world.engine(1).Run("behind", "running");
  EXPECT_TRUE(
      world.Until([&] { return world.cluster().FindContainer("behind").ok(); }, seconds(75)));
  EXPECT_EQ(world.StateOf(1), NodeState::kHealthy) << world.ErrorOf(1);
  EXPECT_GT(world.cluster().FindNode("n1")->updated_at, updated_at);
}

class UnreadImages : public testing::TestWithParam<Fault> {};

TEST_P(UnreadImages, LeaveTheNodeHealthyAndAreReadLater) {
  World world(1);
  world.engine(1).Run("a", "running");
  world.engine(1).Spoil("/images/json", GetParam());
  world.Announce();
  ASSERT_TRUE(world.Until([&] { return world.StateOf(1) == NodeState::kHealthy; }, kFirstRefresh))
      << world.ErrorOf(1);
  EXPECT_TRUE(world.cluster().FindContainer("a").ok());
  EXPECT_TRUE(world.cluster().Images().empty());
  world.engine(1).Unlock();
  ASSERT_TRUE(world.Until([&] { return !world.cluster().Images().empty(); }, seconds(65)));
  // Those that are known stay.
  world.engine(1).Spoil("/images/json", GetParam());
  world.engine(1).AddImage("redis:7");
  world.engine(1).Run("b", "running");
  world.Pass(minutes(2));
  EXPECT_EQ(world.StateOf(1), NodeState::kHealthy);
  EXPECT_EQ(world.cluster().FindNode("n1")->failures, 0) << world.ErrorOf(1);
  EXPECT_EQ(world.cluster().Images().size(), 1U);
  EXPECT_TRUE(world.cluster().FindContainer("b").ok());
}

INSTANTIATE_TEST_SUITE_P(Each, UnreadImages,
                         testing::Values(Fault::kStatus500, Fault::kSilence, Fault::kCut,
                                         Fault::kMalformed),
                         NameOf);

}  // namespace
}  // namespace swarm
