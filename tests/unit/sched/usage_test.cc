#include "sched/usage.h"

#include <gtest/gtest.h>

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

TEST(UsageTest, Platforms) {
  Node node;
  node.os = "linux";
  node.architecture = "x86_64";
  for (const char* platform :
       {"linux/amd64", "linux", "amd64", "Linux/AMD64", "linux/x86_64", "linux/amd64/v2"}) {
    EXPECT_TRUE(PlatformMatches(platform, node)) << platform;
  }
  for (const char* platform : {"linux/arm64", "windows/amd64", "windows", "arm64", "linux/386"}) {
    EXPECT_FALSE(PlatformMatches(platform, node)) << platform;
  }
  node.architecture = "armv7l";
  EXPECT_TRUE(PlatformMatches("linux/arm/v7", node));
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
