// An engine makes who asks for a container wait while it starts that one.
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "unit/cluster/world.h"

namespace swarm {
namespace {

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

}  // namespace
}  // namespace swarm
