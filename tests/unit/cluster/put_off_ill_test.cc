// Containers that are deferred while their engine is not healthy.
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "cluster/put_off.h"
#include "swarmlib/status.h"
#include "unit/cluster/forwarding_client.h"
#include "unit/cluster/world.h"

namespace swarm {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// Keeps a create back until the test lets it through, and its answer comes also when it is given
// up, as one that is on its way does.
class HoldingClient final : public ForwardingClient {
 public:
  HoldingClient(std::unique_ptr<BackendClient> inner, Callback<>& held)
      : ForwardingClient(std::move(inner)), held_(held) {}
  void Call(Request request, CallOptions options, ResultCallback<Reply> done) override {
    const bool creates = request.target.find("/containers/create?") != std::string::npos;
    if (!creates)
      return ForwardingClient::Call(std::move(request), std::move(options), std::move(done));
    options.stop = {};
    held_ = [this, request = std::move(request), options, done = std::move(done)]() mutable {
      ForwardingClient::Call(std::move(request), std::move(options), std::move(done));
    };
  }

 private:
  Callback<>& held_;
};

class DeferredWhileUnhealthy : public testing::Test {
 protected:
  DeferredWhileUnhealthy()
      : world_(1, [this](EngineClusterOptions& options) {
          options.backend = [this, inner = options.backend](const std::string& address) {
            return std::make_unique<HoldingClient>(inner(address), held_);
          };
        }) {}
  void SetUp() override {
    ASSERT_TRUE(world_.Connect());
    world_.OnLoop([this] {
      CreateRequest request = CreateOf("web", "busybox");
      request.may_be_read_later = true;
      world_.cluster().CreateContainer(
          std::move(request), [this](absl::StatusOr<CreateResult> made) { is_made_ = made.ok(); });
    });
    world_.Settle();
    ASSERT_TRUE(held_);
  }
  void LetThrough() {
    world_.OnLoop([this] { std::exchange(held_, nullptr)(); });
    world_.Settle();
    ASSERT_TRUE(is_made_);
  }
  bool IsRead() {
    const auto entry = world_.cluster().FindContainer("web");
    return entry.ok() && (*entry)->row.head.find("\"Command\":\"\"") == std::string::npos;
  }
  bool IsHealthy() const { return world_.StateOf(1) == NodeState::kHealthy; }

  Callback<> held_;
  bool is_made_ = false;
  World world_;
};

TEST_F(DeferredWhileUnhealthy, AreReadOnceItIsHealthyAlsoAfterAnOlderRefresh) {
  FakeEngine& engine = world_.engine(1);
  engine.SetMode(FakeEngine::Mode::kRefusing);
  ASSERT_TRUE(world_.Until([this] { return !IsHealthy(); }, minutes(1)));
  // A refresh that has listed the containers and goes on.
  engine.Spoil("/images/json", FakeEngine::Fault::kSilence);
  const int lists = engine.Calls("GET /containers/json");
  engine.SetMode(FakeEngine::Mode::kWell);
  ASSERT_TRUE(
      world_.Until([&] { return engine.Calls("GET /containers/json") > lists; }, minutes(1)));
  world_.Settle();
  engine.ForgetStreams();  // no event tells
  LetThrough();
  world_.Pass(kPutOff);
  EXPECT_FALSE(IsHealthy());
  EXPECT_FALSE(IsRead());
  ASSERT_TRUE(world_.Until([this] { return IsHealthy(); }, minutes(1)));
  EXPECT_EQ(engine.Calls("GET /containers/json"), lists + 1);
  EXPECT_TRUE(world_.Until([this] { return IsRead(); }, seconds(3)));
}

TEST_F(DeferredWhileUnhealthy, AreForgottenWhenItLeaves) {
  world_.cluster().SetAddresses({});
  world_.Settle();
  LetThrough();
  // Nothing is tried again for ever.
  const TimePoint began = world_.clock().Now();
  world_.Until([] { return false; }, minutes(30));
  EXPECT_LT(world_.clock().Now() - began, minutes(10));
}

}  // namespace
}  // namespace swarm
