#include "sched/usage.h"

#include <gtest/gtest.h>

#include <limits>

namespace swarm {
namespace {

constexpr std::int64_t kCpu = 1'000'000'000;

TEST(UsageTest, OvercommitCountsWholeProcessors) {
  const std::int64_t cpu = kCpu;
  EXPECT_EQ(WithOvercommit({2 * cpu, 1000}, 0.05), (Resources{2 * cpu, 1050}));
  EXPECT_EQ(WithOvercommit({64 * cpu, 1000}, 0.05), (Resources{67 * cpu, 1050}));
  EXPECT_EQ(WithOvercommit({64 * cpu, 999}, 0.059), (Resources{67 * cpu, 1048}));
  EXPECT_EQ(WithOvercommit({10 * cpu, 1000}, -0.5), (Resources{5 * cpu, 500}));
  EXPECT_EQ(WithOvercommit({3 * cpu, std::int64_t{1} << 60}, 1),
            (Resources{6 * cpu, std::int64_t{1} << 61}));
}

TEST(UsageTest, OvercommitThatIsNoneStaysWithinNumbers) {
  const Resources most = {std::int64_t{1 << 20} * kCpu, std::int64_t{1} << 50};
  for (const double overcommit : {1e300, 1e9, 1000.0}) {
    EXPECT_EQ(WithOvercommit(most, overcommit), WithOvercommit(most, 1000)) << overcommit;
    EXPECT_GT(WithOvercommit(most, overcommit).memory, most.memory);
  }
  EXPECT_EQ(WithOvercommit(most, std::numeric_limits<double>::quiet_NaN()), most);
  EXPECT_EQ(WithOvercommit(most, -1e300), Resources());
  EXPECT_EQ(WithOvercommit({INT64_MAX, INT64_MAX}, 1000).memory, INT64_MAX);
}

TEST(UsageTest, SumsComeBackFromBeyond64Bits) {
  constexpr Resources kMost = {INT64_MAX, INT64_MAX};
  ResourceSum sum;
  sum.Add({5, 7}, 1);
  for (int i = 0; i < 3; ++i) sum.Add(kMost, 1);
  EXPECT_EQ(sum.value(), kMost);
  NodeUsage usage;
  usage.total = {10, 10};
  usage.reserved = sum.value();
  EXPECT_FALSE(PeerWeight(usage, {1, 0}, 0));
  EXPECT_FALSE(PeerWeight(usage, {0, 1}, 0));
  for (int i = 0; i < 3; ++i) sum.Add(kMost, -1);
  EXPECT_EQ(sum.value(), (Resources{5, 7}));
}

TEST(UsageTest, HealthFallsWithFailures) {
  Node node;
  node.state = NodeState::kHealthy;
  EXPECT_EQ(HealthOf(node, 3), 100);
  node.failures = 1;
  EXPECT_EQ(HealthOf(node, 3), 67);
  node.failures = 9;
  EXPECT_EQ(HealthOf(node, 3), 0);
  EXPECT_EQ(HealthOf(node, 0), 0);
  node.failures = 0;
  node.state = NodeState::kUnhealthy;
  EXPECT_EQ(HealthOf(node, 3), 0);
}

TEST(UsageTest, Texts) {
  EXPECT_EQ(BytesText(0), "0 B");
  EXPECT_EQ(BytesText(1023), "1023 B");
  EXPECT_EQ(BytesText(1536), "1.5 KiB");
  EXPECT_EQ(BytesText(std::int64_t{3} << 60), "3072.0 PiB");
  EXPECT_EQ(CpusText(1'500'000'000), "1.5");
}

}  // namespace
}  // namespace swarm
