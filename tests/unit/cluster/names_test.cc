// Engines named by host names.
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "swarmlib/status.h"
#include "unit/cluster/world.h"

namespace swarm {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// One engine under a name, and a resolver that does as it is told.
class NamedWorld {
  World world_;

 public:
  NamedWorld() : world_(1) {
    world_.Start([this](EngineClusterOptions& options) {
      options.backend = [this](const std::string&) { return world_.engine(1).MakeClient(); };
      options.resolve = [this](std::string, ResultCallback<std::string> done) {
        ++asked;
        if (answer) {
          done(*answer);
        } else {
          hanging.push_back(std::move(done));
        }
      };
    });
    world_.cluster().SetAddresses({kAddress});
  }
  static constexpr char kAddress[] = "engine1.example:2375";
  World& world() { return world_; }
  NodePointer node() { return world_.cluster().FindNode(kAddress); }

  int asked = 0;
  std::optional<absl::StatusOr<std::string>> answer;  // none: it hangs
  std::vector<ResultCallback<std::string>> hanging;
};

TEST(Names, ANameServerThatDoesNotAnswerIsGivenUp) {
  NamedWorld named;
  World& world = named.world();
  ASSERT_TRUE(world.Until([&] { return world.cluster().Ready(); }, seconds(6)));
  EXPECT_EQ(named.node()->state, NodeState::kPending);
  EXPECT_NE(named.node()->error.find("engine1.example cannot be resolved"), std::string::npos)
      << named.node()->error;
  named.answer = std::string("10.1.1.1");
  ASSERT_TRUE(world.Until([&] { return named.node()->state == NodeState::kHealthy; }, seconds(15)));
  EXPECT_EQ(named.node()->ip, "10.1.1.1");
  for (ResultCallback<std::string>& late : named.hanging) late(std::string("10.9.9.9"));
  world.Settle();
  EXPECT_EQ(named.node()->ip, "10.1.1.1");
}

TEST(Names, TheLastGoodAddressOfANameStays) {
  NamedWorld named;
  World& world = named.world();
  named.answer = std::string("10.1.1.1");
  ASSERT_TRUE(world.Until([&] { return world.cluster().Ready(); }, seconds(1)));
  const std::optional<absl::StatusOr<std::string>> answers[] = {
      absl::StatusOr<std::string>(NotFound("no such name")), std::nullopt};
  for (const auto& answer : answers) {
    const int before = named.asked;
    named.answer = answer;
    world.Pass(minutes(2));
    EXPECT_GT(named.asked, before);
    EXPECT_EQ(named.node()->ip, "10.1.1.1");
    EXPECT_EQ(named.node()->state, NodeState::kHealthy) << named.node()->error;
    EXPECT_EQ(named.node()->failures, 0);
  }
  named.answer = std::string("10.1.1.2");
  ASSERT_TRUE(world.Until([&] { return named.node()->ip == "10.1.1.2"; }, minutes(2)));
}

TEST(Names, ALookUpThatHangsDoesNotHoldUpTheEnd) {
  NamedWorld named;
  World& world = named.world();
  world.Settle();
  EXPECT_EQ(named.hanging.size(), 1U);
  const TimePoint before = world.clock().Now();
  world.cluster().Stop();
  world.Settle();
  EXPECT_TRUE(world.cluster().Stopped());
  EXPECT_EQ(world.clock().Now(), before);
}

}  // namespace
}  // namespace swarm
