// An engine makes who asks for a container wait while it starts that one.
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "unit/cluster/world.h"

namespace swarm {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(SlowReading, AContainerThatIsNotDescribedInTimeSaysNothingAgainstItsEngine) {
  World world(1, [](EngineClusterOptions& options) {
    options.engine_timeout = seconds(1);
    options.state.failure_retry = 1;
  });
  world.engine(1).Run("a", "created");
  ASSERT_TRUE(world.Connect());
  std::vector<std::string> seen;
  const auto subscription =
      world.cluster().Subscribe([&](std::shared_ptr<const ClusterEvent> event) {
        seen.push_back(event->type + " " + event->action);
      });
  world.engine(1).Lock("a");
  world.engine(1).SetState("a", "running", true);
  // Its reading is given up; the event is told all the same.
  ASSERT_TRUE(world.Until([&] { return !seen.empty(); }, seconds(2)));
  world.Settle();
  EXPECT_EQ(seen, std::vector<std::string>{"container start"});
  EXPECT_EQ(world.StateOf(1), NodeState::kHealthy) << world.ErrorOf(1);
  EXPECT_EQ(world.cluster().FindNode("n1")->failures, 0);
  world.engine(1).Unlock();
  ASSERT_TRUE(world.Until([&] { return world.cluster().Totals().running == 1; }, seconds(10)));
  EXPECT_EQ(seen, std::vector<std::string>{"container start"});
}

TEST(SlowReading, AReadingOfEverythingThatOneContainerHoldsUpSaysNothingAgainstItsEngine) {
  World world(1, [](EngineClusterOptions& options) {
    options.engine_timeout = seconds(1);
    options.state.failure_retry = 1;
  });
  ASSERT_TRUE(world.Connect());
  int ill = 0;
  const auto subscription =
      world.cluster().Subscribe([&](std::shared_ptr<const ClusterEvent> event) {
        if (event->action == "engine_disconnect") ++ill;
      });
  // The reading for its event is given up; each of everything comes upon it again.
  world.engine(1).Run("a", "running");
  world.engine(1).Lock("a");
  world.Pass(minutes(3));
  EXPECT_EQ(ill, 0) << world.ErrorOf(1);
  EXPECT_EQ(world.cluster().FindNode("n1")->failures, 0);
  world.engine(1).Unlock();
  EXPECT_TRUE(world.Until([&] { return world.cluster().Totals().running == 1; }, minutes(2)));
}

}  // namespace
}  // namespace swarm
