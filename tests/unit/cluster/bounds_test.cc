// How much is asked of many engines at once.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "cluster/hub.h"
#include "unit/cluster/forwarding_client.h"
#include "unit/cluster/world.h"

namespace swarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Flow {
  int now = 0;
  int most = 0;
};

struct Flows {
  Flow described, read, inspects;

  Flow* Of(const std::string& target) {
    const std::string path = target.substr(0, target.find('?'));
    if (path.ends_with("/info") || path.ends_with("/version")) return &described;
    if (path.ends_with("/containers/json") || path.ends_with("/images/json")) return &read;
    return path.find("/containers/") != std::string::npos ? &inspects : nullptr;
  }
};

// Counts the calls under way.
class CountingClient final : public ForwardingClient {
 public:
  CountingClient(std::unique_ptr<BackendClient> inner, Flows& flows)
      : ForwardingClient(std::move(inner)), flows_(flows) {}
  void Call(Request request, CallOptions options, ResultCallback<Reply> done) override {
    Flow* const flow = flows_.Of(request.target);
    if (flow != nullptr) flow->most = std::max(flow->most, ++flow->now);
    ForwardingClient::Call(std::move(request), std::move(options),
                           [flow, done = std::move(done)](absl::StatusOr<Reply> reply) mutable {
                             if (flow != nullptr) --flow->now;
                             done(std::move(reply));
                           });
  }

 private:
  Flows& flows_;
};

TEST(Bounds, AStartAsksNoMoreAtOnceThanItSays) {
  constexpr int kEngines = kMostDescribed + 100;
  constexpr int kContainers = kMostInspectsPerEngine + 4;
  Flows flows;
  World world(kEngines);
  for (int i = 1; i <= kEngines; ++i) {
    world.engine(i).SetLatency(milliseconds(20));
    for (int c = 0; c < (i <= 100 ? kContainers : 0); ++c)
      world.engine(i).Run("box" + std::to_string(c) + "of" + std::to_string(i), "created");
  }
  world.Start([&](EngineClusterOptions& options) {
    options.backend = [&, make = options.backend](const std::string& address) {
      return std::make_unique<CountingClient>(make(address), flows);
    };
  });
  ASSERT_TRUE(world.Connect());
  for (int i = 1; i <= kEngines; ++i) ASSERT_EQ(world.StateOf(i), NodeState::kHealthy) << i;
  EXPECT_EQ(world.cluster().Containers().size(), static_cast<std::size_t>(100 * kContainers));
  EXPECT_EQ(flows.described.most, kMostDescribed);
  EXPECT_EQ(flows.read.most, kMostRead);
  EXPECT_GT(flows.inspects.most, kMostInspectsPerEngine);
  EXPECT_LE(flows.inspects.most, kMostInspects);
}

TEST(Bounds, WhoWaitsForItsTurnLeavesWhenItIsStopped) {
  World world(kMostDescribed + 50);
  for (int i = 1; i <= kMostDescribed + 50; ++i) world.engine(i).SetMode(FakeEngine::Mode::kFrozen);
  world.Announce();
  world.Settle();
  const TimePoint before = world.clock().Now();
  world.cluster().Stop();
  world.Settle();
  EXPECT_TRUE(world.cluster().Stopped());
  EXPECT_EQ(world.clock().Now(), before);
}

TEST(Bounds, SilentEnginesDoNotKeepTheOthersWaiting) {
  constexpr int kSilent = 300;
  World world(kSilent + 1);
  for (int i = 1; i <= kSilent; ++i) world.engine(i).SetMode(FakeEngine::Mode::kFrozen);
  world.Announce();
  EXPECT_TRUE(
      world.Until([&] { return world.StateOf(kSilent + 1) == NodeState::kHealthy; }, seconds(1)));
}

}  // namespace
}  // namespace swarm
