// The indexed scheduler names the node that the plain oracle names, whatever happens in between.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iterator>
#include <optional>
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

// Among them some that are no whole percent, and one that takes half of each node away.
double OvercommitOf(std::uint64_t seed) {
  constexpr double kShares[] = {0.05, 0, 0.29, -0.5, 1, 0.007, 3.5, -0.05};
  return kShares[seed % std::size(kShares)];
}

void Agree(const Stage& stage, const std::string& strategy, std::uint64_t seed, bool large = false,
           std::optional<IndependentModel::Flaw> model = std::nullopt) {
  ClusterWorld world({stage.nodes, strategy, seed, large, OvercommitOf(seed), model});
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

TEST_P(AgreementTest, IndependentModelNamesTheSameNode) {
  const int runs = LongRun() ? 60 : (kSanitized ? 4 : 12);
  const int placements = LongRun() ? 2'000 : (kSanitized ? 100 : 500);
  for (int run = 0; run < runs; ++run) {
    const Stage stage{3 + run % 4 * 12, placements};
    Agree(stage, GetParam(), static_cast<std::uint64_t>(500 + run), false,
          IndependentModel::Flaw::kNone);
  }
}

INSTANTIATE_TEST_SUITE_P(Strategies, AgreementTest,
                         ::testing::Values("spread", "binpack", "random"),
                         [](const auto& info) { return std::string(info.param); });

// The comparison is worth something only if it sees a rule that is wrong.
class AgreementFlawTest : public ::testing::TestWithParam<int> {};

TEST_P(AgreementFlawTest, IsSeen) {
  constexpr int kMaxRuns = 40;
  const auto flaw = static_cast<IndependentModel::Flaw>(GetParam());
  for (std::uint64_t seed = 500; seed < 500 + kMaxRuns; ++seed) {
    const int nodes = seed % 2 == 0 ? 15 : 4;  // some are seen where nodes are crowded
    ClusterWorld world({nodes, "spread", seed, false, OvercommitOf(seed), flaw});
    for (int i = 0; i < 350; ++i) {
      if (!world.PlaceBoth().empty()) return;
      world.Churn();
    }
  }
  FAIL() << "no comparison has seen it";
}

INSTANTIATE_TEST_SUITE_P(Flaws, AgreementFlawTest,
                         ::testing::Range(1, static_cast<int>(IndependentModel::Flaw::kCount)));

}  // namespace
}  // namespace swarm
