// An engine that inspects slowly: who waits for it, and how long.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "swarmlib/status.h"
#include "unit/cluster/forwarding_client.h"
#include "unit/cluster/world.h"

namespace swarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kListPatience = seconds(2);

// Inspects take `delay`, lists of containers `list_delay`, pings `ping_delay`.
class SlowClient final : public ForwardingClient {
 public:
  SlowClient(std::unique_ptr<BackendClient> inner, const Duration& delay,
             const Duration& list_delay, const Duration& ping_delay)
      : ForwardingClient(std::move(inner)),
        delay_(delay),
        list_delay_(list_delay),
        ping_delay_(ping_delay) {}
  void Call(Request request, CallOptions options, ResultCallback<Reply> done) override {
    const std::string path = request.target.substr(0, request.target.find('?'));
    const bool pings = path.ends_with("/_ping");
    const bool reads = request.method == "GET" && path.ends_with("/json") &&
                       path.find("/containers/") != std::string::npos;
    const Duration delay = pings                                ? ping_delay_
                           : path.ends_with("/containers/json") ? list_delay_
                                                                : delay_;
    if (!(reads || pings) || delay == Duration::zero())
      return ForwardingClient::Call(std::move(request), std::move(options), std::move(done));
    auto waiting = std::make_shared<ResultCallback<Reply>>(std::move(done));
    if (delay > options.timeout) {
      Loop::Current()->After(options.timeout,
                             [waiting] { (*waiting)(DeadlineExceeded("no answer in time")); });
      return;
    }
    auto kept = std::make_shared<Request>(std::move(request));
    Loop::Current()->After(delay, [this, kept, options, waiting] {
      ForwardingClient::Call(std::move(*kept), options, std::move(*waiting));
    });
  }

 private:
  const Duration& delay_;
  const Duration& list_delay_;
  const Duration& ping_delay_;
};

class SlowInspect : public testing::Test {
 protected:
  SlowInspect()
      : world_(1, [this](EngineClusterOptions& options) {
          const auto inner = options.backend;
          options.backend = [this, inner](const std::string& address) {
            return std::make_unique<SlowClient>(inner(address), delay_, list_delay_, ping_delay_);
          };
        }) {}
  void SetUp() override { ASSERT_TRUE(world_.Connect()); }

  void Create(const std::string& name) {
    CreateRequest request = CreateOf(name, "busybox");
    request.may_be_read_later = true;
    const auto made = world_.Create(std::move(request));
    ASSERT_TRUE(made && made->ok()) << made->status();
  }
  // Only an inspect tells when a container was started.
  bool IsRead(const std::string& name) {
    const auto entry = world_.cluster().FindContainer(name);
    return entry.ok() && (*entry)->container.started_at != WallTime{};
  }
  // How long a list waits.
  std::optional<Duration> AwaitRead() {
    auto done = std::make_shared<bool>(false);
    const TimePoint began = world_.clock().Now();
    world_.OnLoop(
        [this, done] { world_.cluster().WhenRead(kListPatience, [done] { *done = true; }); });
    if (!world_.Until([done] { return *done; }, seconds(30))) return std::nullopt;
    return world_.clock().Now() - began;
  }

  Duration delay_{}, list_delay_{}, ping_delay_{};
  World world_;
};

TEST_F(SlowInspect, OfLessThanTwoSecondsIsAwaited) {
  delay_ = milliseconds(1'500);
  for (const char* const name : {"c1", "c2", "c3"}) Create(name);
  EXPECT_EQ(AwaitRead(), delay_);
  for (const char* const name : {"c1", "c2", "c3"}) EXPECT_TRUE(IsRead(name)) << name;
}

TEST_F(SlowInspect, OfMoreIsAwaitedTwoSecondsAndOnlyOnce) {
  delay_ = seconds(3);
  Create("one");
  EXPECT_EQ(AwaitRead(), kListPatience);
  EXPECT_FALSE(IsRead("one"));
  EXPECT_EQ(AwaitRead(), Duration::zero());
  Create("two");  // another one
  EXPECT_EQ(AwaitRead(), kListPatience);
  EXPECT_EQ(AwaitRead(), Duration::zero());
  // Nobody waits for the next tries, so they have the time that any call has.
  EXPECT_TRUE(world_.Until([this] { return IsRead("one") && IsRead("two"); }, seconds(15)));
}

TEST_F(SlowInspect, OfAnEngineThatPingsSlowlyIsAwaited) {
  Create("one");
  delay_ = milliseconds(1'500);
  ping_delay_ = milliseconds(500);
  EXPECT_EQ(AwaitRead(), delay_);
  EXPECT_TRUE(IsRead("one"));
}

TEST_F(SlowInspect, OfTwoTogetherIsAwaitedOnlyOnceByListsAndEvents) {
  world_.engine(1).SetLatency(milliseconds(1));
  delay_ = seconds(3);
  Create("one");
  Create("two");
  const std::optional<Duration> waited = AwaitRead();
  ASSERT_TRUE(waited);
  EXPECT_LE(*waited, kListPatience + milliseconds(10));
  EXPECT_EQ(AwaitRead(), Duration::zero());
  std::vector<std::string> seen;
  const auto subscription = world_.cluster().Subscribe(
      [&seen](std::shared_ptr<const ClusterEvent> event) { seen.push_back(event->action); });
  Create("three");
  EXPECT_TRUE(world_.Until([&seen] { return !seen.empty(); }, seconds(4)));
  EXPECT_EQ(AwaitRead(), Duration::zero());
}

TEST_F(SlowInspect, AfterASlowListIsAwaitedOnlyOnce) {
  Create("one");
  Create("two");
  list_delay_ = delay_ = seconds(3);
  ASSERT_TRUE(AwaitRead());
  EXPECT_EQ(AwaitRead(), Duration::zero());
}

TEST_F(SlowInspect, OfManyInTurnMarksNone) {
  delay_ = milliseconds(1'500);
  constexpr int kMany = 50;
  for (int i = 0; i < kMany; ++i) Create("c" + std::to_string(i));
  // Those that were begun late are not taken for slow ones.
  EXPECT_TRUE(AwaitRead());
  for (int i = 0; i < kMany; ++i) EXPECT_TRUE(IsRead("c" + std::to_string(i))) << i;
}

TEST_F(SlowInspect, BegunBeforeAStartIsFollowedByOneThatShowsIt) {
  delay_ = milliseconds(500);
  Create("web");
  world_.OnLoop([this] { world_.cluster().WhenRead(kListPatience, [] {}); });
  world_.Pass(milliseconds(100));
  ContainerOperation start = world_.OperationOf(ContainerOperation::Verb::kStart, "web");
  start.may_be_read_later = true;
  const auto started = world_.Operate(std::move(start));
  ASSERT_TRUE(started && started->ok()) << started->status();
  EXPECT_EQ(AwaitRead(), milliseconds(900));  // the rest of the first, and the second
  const auto web = world_.cluster().FindContainer("web");
  ASSERT_TRUE(web.ok()) << web.status();
  EXPECT_EQ((*web)->container.state, ContainerState::kRunning);
  EXPECT_NE((*web)->row.head.find("\"Command\":\"sh\""), std::string::npos);
}

}  // namespace
}  // namespace swarm
