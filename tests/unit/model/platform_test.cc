#include "model/platform.h"

#include <gtest/gtest.h>

namespace swarm {
namespace {

TEST(PlatformTest, EnginesAndClientsHaveDifferentWords) {
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

}  // namespace
}  // namespace swarm
