// Readings that are put off: what is known meanwhile, who waits for them, and when there is none.
#include "cluster/put_off.h"

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
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

CreateRequest Unread(CreateRequest request) {
  request.may_be_read_later = true;
  return request;
}

constexpr Duration kPatience = milliseconds(500);

class PutOff : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world_.Connect()); }

  void Create(const std::string& name, const std::string& port = {}) {
    const auto made = world_.Create(Unread(CreateOf(name, "busybox", port)));
    ASSERT_TRUE(made && made->ok()) << made->status();
    ASSERT_EQ((*made)->reply.status, 201);
  }
  void Operate(Verb verb, const std::string& name) {
    ContainerOperation operation = world_.OperationOf(verb, name);
    operation.may_be_read_later = true;
    const auto reply = world_.Operate(std::move(operation));
    ASSERT_TRUE(reply && reply->ok()) << reply->status();
    ASSERT_EQ((*reply)->status, 204);
  }
  Container Known(const std::string& name) {
    const auto entry = world_.cluster().FindContainer(name);
    EXPECT_TRUE(entry.ok()) << entry.status();
    return entry.ok() ? (*entry)->container : Container();
  }
  // The engine's own row has its command, what a request describes has none.
  bool IsRead(const std::string& name) {
    const auto entry = world_.cluster().FindContainer(name);
    return entry.ok() && (*entry)->row.head.find("\"Command\":\"\"") == std::string::npos;
  }
  int Lists() { return world_.engine(1).Calls("GET /containers/json"); }
  int Inspects() { return world_.engine(1).Calls("GET /containers/") - Lists(); }
  // How long WhenRead took; nothing within `most`.
  std::optional<Duration> AwaitRead(Duration most) {
    auto done = std::make_shared<bool>(false);
    const TimePoint began = world_.clock().Now();
    world_.OnLoop([this, done] { world_.cluster().WhenRead(kPatience, [done] { *done = true; }); });
    if (!world_.Until([done] { return *done; }, most)) return std::nullopt;
    return world_.clock().Now() - began;
  }

  World world_{1};
};

TEST_F(PutOff, ALifeThatIsOverBeforeIsNeverRead) {
  const int lists = Lists(), inspects = Inspects();
  Create("web", "8080");
  Operate(Verb::kStart, "web");
  Operate(Verb::kRemove, "web");
  world_.Pass(seconds(1));
  EXPECT_EQ(Lists(), lists);
  EXPECT_EQ(Inspects(), inspects);
  EXPECT_FALSE(world_.cluster().FindContainer("web").ok());
  EXPECT_TRUE(world_.cluster().Containers().empty());
}

TEST_F(PutOff, MeanwhileItIsKnownAsItsRequestDescribesIt) {
  Create("web", "8080");
  EXPECT_FALSE(IsRead("web"));
  Container web = Known("web");
  EXPECT_EQ(web.id, world_.engine(1).boxes().at(0).id);
  EXPECT_EQ(web.image, "busybox");
  EXPECT_EQ(web.state, ContainerState::kCreated);
  EXPECT_EQ(web.wanted_ports.size(), 1U);
  Operate(Verb::kStart, "web");
  web = Known("web");
  EXPECT_EQ(web.state, ContainerState::kRunning);
  ASSERT_EQ(web.bound_ports.size(), 1U);
  EXPECT_EQ(web.bound_ports[0].host_first, 8080);
  EXPECT_EQ(world_.cluster().Totals().running, 1);
}

TEST_F(PutOff, ThePortOfAStartedContainerIsTakenAtOnce) {
  Create("web", "8080");
  Operate(Verb::kStart, "web");
  const auto second = world_.Create(Unread(CreateOf("other", "busybox", "8080")), milliseconds(1));
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->ok());
  EXPECT_EQ(world_.engine(1).Calls("POST /containers/create"), 1);
}

TEST_F(PutOff, IsReadSoonWithoutBeingAskedFor) {
  const int lists = Lists();
  Create("web", "8080");
  Operate(Verb::kStart, "web");
  EXPECT_TRUE(world_.Until([this] { return IsRead("web"); }, kPutOff + milliseconds(10)));
  EXPECT_EQ(Known("web").state, ContainerState::kRunning);
  world_.Pass(seconds(1));
  EXPECT_EQ(Lists(), lists + 1);  // for both changes
}

TEST_F(PutOff, WhoAsksForAllOfItHasItReadAtOnceAndTogether) {
  for (const char* const name : {"c1", "c2", "c3"}) Create(name);
  const int lists = Lists(), inspects = Inspects();
  EXPECT_EQ(AwaitRead(seconds(1)), Duration::zero());
  for (const char* const name : {"c1", "c2", "c3"}) EXPECT_TRUE(IsRead(name)) << name;
  EXPECT_EQ(Lists(), lists + 1);
  EXPECT_EQ(Inspects(), inspects + 3);
  EXPECT_EQ(AwaitRead(seconds(1)), Duration::zero());  // nothing is left
  EXPECT_EQ(Lists(), lists + 1);
}

TEST_F(PutOff, WhoAsksDuringAReadingWaitsForIt) {
  world_.engine(1).SetLatency(milliseconds(20));
  Create("web");
  const int lists = Lists();
  ASSERT_TRUE(world_.Until([&] { return Lists() > lists; }, seconds(1)));
  EXPECT_FALSE(IsRead("web"));
  const std::optional<Duration> waited = AwaitRead(seconds(1));
  ASSERT_TRUE(waited);
  EXPECT_GT(*waited, Duration::zero());
  EXPECT_TRUE(IsRead("web"));
}

TEST_F(PutOff, AnEventReachesItsFollowerAfterTheReading) {
  std::vector<std::string> seen;
  const auto subscription =
      world_.cluster().Subscribe([&](std::shared_ptr<const ClusterEvent> event) {
        seen.push_back(event->action);
        EXPECT_EQ(IsRead("web"), event->action != "destroy") << event->action;
      });
  for (const int latency_ms : {0, 5}) {
    seen.clear();
    world_.engine(1).SetLatency(milliseconds(latency_ms));
    Create("web");
    EXPECT_TRUE(
        world_.Until([&] { return seen == std::vector<std::string>{"create"}; }, kPutOff / 2));
    Operate(Verb::kStart, "web");
    EXPECT_TRUE(world_.Until([&] { return seen.size() == 2; }, kPutOff / 2));
    Operate(Verb::kRemove, "web");
    world_.Pass(seconds(1));
  }
}

TEST_F(PutOff, AnEventIsNotKeptBackByAReadingThatHangs) {
  std::vector<std::string> seen;
  const auto subscription = world_.cluster().Subscribe(
      [&seen](std::shared_ptr<const ClusterEvent> event) { seen.push_back(event->action); });
  world_.engine(1).Spoil("/containers/json", FakeEngine::Fault::kSilence);
  Create("web");
  EXPECT_TRUE(world_.Until([&] { return seen == std::vector<std::string>{"create"}; }, seconds(5)));
}

TEST_F(PutOff, OneThatEndsRightAfterItsStartIsSeenToHaveEnded) {
  Create("web");
  Operate(Verb::kStart, "web");
  world_.engine(1).SetState("web", "exited", true);
  EXPECT_TRUE(
      world_.Until([this] { return Known("web").state == ContainerState::kExited; }, kPutOff / 2));
}

TEST_F(PutOff, OneThatIsGoneBeforeIsForgotten) {
  Create("web");
  world_.engine(1).ForgetStreams();  // no event tells
  world_.engine(1).Remove("web");
  EXPECT_EQ(AwaitRead(seconds(1)), Duration::zero());
  EXPECT_FALSE(world_.cluster().FindContainer("web").ok());
}

TEST_F(PutOff, AFrozenEngineIsAwaitedLessThanASecond) {
  Create("aa");
  Create("bb");
  world_.engine(1).SetMode(FakeEngine::Mode::kFrozen);
  const std::optional<Duration> waited = AwaitRead(seconds(2));
  ASSERT_TRUE(waited);
  EXPECT_LT(*waited, milliseconds(900));
  EXPECT_EQ(AwaitRead(seconds(2)), Duration::zero());
  EXPECT_EQ(Known("aa").state, ContainerState::kCreated);  // what was acknowledged stays known
  world_.engine(1).SetMode(FakeEngine::Mode::kWell);
  EXPECT_TRUE(world_.Until([this] { return IsRead("aa") && IsRead("bb"); }, minutes(2)));
}

TEST_F(PutOff, OneThatCannotBeReadKeepsNoOtherBackAndIsTriedAgain) {
  for (const char* const name : {"c1", "c2", "c3"}) Create(name);
  world_.engine(1).Lock("c2");
  const auto told = std::make_shared<bool>(false);
  world_.OnLoop([&, told] { world_.cluster().WhenRead(kPatience, [told] { *told = true; }); });
  world_.Settle();
  EXPECT_TRUE(IsRead("c1") && IsRead("c3"));
  EXPECT_FALSE(IsRead("c2"));
  EXPECT_TRUE(world_.Until([told] { return *told; }, seconds(30)));
  EXPECT_TRUE(IsRead("c2"));  // its row alone: only an inspect tells when it was started
  EXPECT_EQ(Known("c2").started_at, WallTime{});
  EXPECT_EQ(AwaitRead(seconds(1)), Duration::zero());  // nobody waits for it again
  world_.engine(1).Unlock();
  EXPECT_TRUE(world_.Until([this] { return Known("c2").started_at != WallTime{}; },
                           OptionsFor({&world_.loop()}).engine_timeout + 2 * kReadAgain));
}

TEST_F(PutOff, AReadingBySomebodyElseIsWaitedForToo) {
  Create("web");
  Operate(Verb::kStart, "web");
  world_.engine(1).SetLatency(milliseconds(20));
  const int lists = Lists();
  world_.engine(1).SetState("web", "exited", true);
  ASSERT_TRUE(world_.Until([&] { return Lists() > lists; }, kPutOff / 2));  // for the event
  EXPECT_FALSE(IsRead("web"));
  ASSERT_TRUE(AwaitRead(seconds(1)));
  EXPECT_TRUE(IsRead("web"));
  EXPECT_EQ(Known("web").state, ContainerState::kExited);
}

TEST_F(PutOff, WhatIsReadWhileAStartIsUnderWayIsNewerThanItsAnswer) {
  Create("web");
  EXPECT_EQ(AwaitRead(seconds(1)), Duration::zero());
  // The answer comes after the container has ended and that was read.
  world_.engine(1).SetLatency(milliseconds(200));
  ContainerOperation start = world_.OperationOf(Verb::kStart, "web");
  start.may_be_read_later = true;
  bool answered = false;
  world_.OnLoop([&, start = std::move(start)]() mutable {
    world_.cluster().Operate(std::move(start), [&](absl::StatusOr<Reply> reply) {
      EXPECT_TRUE(reply.ok()) << reply.status();
      EXPECT_EQ(Known("web").state, ContainerState::kExited);
      answered = true;
    });
  });
  world_.Settle();
  world_.engine(1).SetLatency(Duration::zero());
  world_.engine(1).SetState("web", "exited", true);
  EXPECT_TRUE(world_.Until([&] { return answered; }, seconds(2)));
}

TEST_F(PutOff, AnEngineThatLeavesIsWaitedForByNobody) {
  Create("web");
  world_.cluster().SetAddresses({});
  ASSERT_TRUE(AwaitRead(seconds(1)));
  world_.Pass(seconds(1));
  EXPECT_TRUE(world_.cluster().Containers().empty());
}

TEST_F(PutOff, ManyAreReadByListsOfABoundedLength) {
  constexpr int kMany = 150;
  const int lists = Lists();
  for (int i = 0; i < kMany; ++i) Create("c" + std::to_string(i));
  EXPECT_EQ(AwaitRead(seconds(1)), Duration::zero());
  EXPECT_EQ(Lists() - lists, 3);  // of 64 each
  EXPECT_TRUE(world_.cluster().Containers().size() == kMany);
  EXPECT_TRUE(IsRead("c0"));
  EXPECT_TRUE(IsRead("c149"));
}

TEST_F(PutOff, WhatFailedIsReadAsBeforeWithItsAnswer) {
  world_.engine(1).Run("web", "created");
  world_.Settle();
  ContainerOperation start = world_.OperationOf(Verb::kStart, "web");
  start.may_be_read_later = true;
  world_.engine(1).ForgetStreams();
  world_.engine(1).Remove("web");
  const auto reply = world_.Operate(std::move(start));
  ASSERT_TRUE(reply && reply->ok());
  EXPECT_EQ((*reply)->status, 404);
  EXPECT_FALSE(world_.cluster().FindContainer("web").ok());
}

}  // namespace
}  // namespace swarm
