// The indexed scheduler names the node that the plain oracle names, whatever happens in between.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "support/sanitized.h"
#include "unit/core/cluster_world.h"

namespace swarm {
namespace {

struct Stage {
  int nodes;
  int placements;
};

bool LongRun() {
  const char* const wanted = std::getenv("SWARM_LONG");
  return wanted != nullptr && std::string_view(wanted) == "1";
}

void Agree(const Stage& stage, const std::string& strategy, std::uint64_t seed,
           bool large = false) {
  ClusterWorld world({stage.nodes, strategy, seed, large});
  for (int i = 0; i < stage.placements; ++i) {
    const std::string difference = world.PlaceBoth();
    ASSERT_EQ(difference, "") << strategy << ", " << stage.nodes << " nodes, seed " << seed
                              << ", placement " << i;
    if (i % 2 == 0) world.Churn();
    // Keeps the cluster from only filling up.
    if (i % 3 == 0) world.Churn();
  }
  EXPECT_GT(world.placed(), stage.placements / 20);
  EXPECT_GT(world.refused(), 0);
}

class AgreementTest : public ::testing::TestWithParam<const char*> {};

TEST_P(AgreementTest, SmallAndMiddleClusters) {
  std::vector<Stage> runs = {{3, 1000}, {10, 2000}, {60, 2000}, {300, 1200}, {700, 300}};
  if (kSanitized) runs = {{3, 300}, {10, 600}, {60, 500}, {300, 200}};
  std::uint64_t seed = 11;
  for (const Stage& stage : runs) Agree(stage, GetParam(), seed++);
}

TEST_P(AgreementTest, LongForm) {
  if (!LongRun()) GTEST_SKIP() << "SWARM_LONG=1 runs it";
  // A third of a million for each of the three strategies.
  const std::vector<Stage> runs = {
      {10, 120'000}, {50, 110'000}, {200, 80'000}, {800, 20'000}, {2000, 4'000}};
  for (const Stage& stage : runs) {
    const int pieces = 10;  // a fresh cluster each
    for (int i = 0; i < pieces; ++i) {
      Agree({stage.nodes, stage.placements / pieces}, GetParam(),
            static_cast<std::uint64_t>(1000 + i));
    }
  }
}

TEST_P(AgreementTest, HundredThousandNodes) {
  if (!LongRun()) GTEST_SKIP() << "SWARM_LONG=1 runs it";
  Agree({100'000, 670}, GetParam(), 5, true);
}

INSTANTIATE_TEST_SUITE_P(Strategies, AgreementTest,
                         ::testing::Values("spread", "binpack", "random"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace swarm
