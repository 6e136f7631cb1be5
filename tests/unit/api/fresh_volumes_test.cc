#include "api/fresh_volumes.h"

#include <gtest/gtest.h>

namespace swarm {
namespace {

TEST(FreshVolumes, TheOldestIsForgottenFirst) {
  FreshVolumes fresh;
  fresh.Remember("old", {"n1", "{}", "1", {}});
  fresh.Remember("again", {"n1", "{}", "1", {}});
  for (std::size_t i = 0; i + 2 < FreshVolumes::kMost; ++i) {
    fresh.Remember("v" + std::to_string(i), {"n1", "{}", "1", {}});
  }
  fresh.Remember("old", {"n2", "{}", "1", {}});  // the youngest now
  fresh.Remember("one more", {"n1", "{}", "1", {}});
  EXPECT_FALSE(fresh.Find("again"));
  ASSERT_TRUE(fresh.Find("old"));
  EXPECT_EQ(fresh.Find("old")->node, "n2");
  fresh.Forget("old");
  fresh.Forget("never");
  EXPECT_FALSE(fresh.Find("old"));
}

}  // namespace
}  // namespace swarm
