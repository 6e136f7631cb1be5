#include "base/memory_budget.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

namespace swarm {
namespace {

constexpr std::size_t kMiB = 1U << 20U;

TEST(MemoryBudget, LargeWorkLeavesTheLastEighthToSmall) {
  const auto budget = std::make_shared<MemoryBudget>(8 * kMiB);
  MemoryShare large(budget);
  EXPECT_TRUE(large.TryGrow(6 * kMiB));
  EXPECT_FALSE(large.TryGrow(kMiB + 1));
  EXPECT_TRUE(large.TryGrow(kMiB));
  MemoryShare small(budget);
  EXPECT_TRUE(small.TryGrow(MemoryBudget::kSmallWork));
  EXPECT_FALSE(small.TryGrow(1));  // now it is large
  EXPECT_FALSE(budget->exhausted());
}

TEST(MemoryBudget, SharesReleaseWhatTheyTook) {
  const auto budget = std::make_shared<MemoryBudget>(kMiB);
  {
    MemoryShare first(budget);
    first.Set(3 * kMiB);  // accepted: in any case
    EXPECT_TRUE(budget->exhausted());
    MemoryShare moved = std::move(first);
    EXPECT_EQ(budget->used(), 3 * kMiB);
    moved.Set(1000);
    EXPECT_EQ(budget->used(), 1000U);
    MemoryShare other(budget);
    EXPECT_TRUE(other.TryGrow(10));
    other = std::move(moved);
    EXPECT_EQ(budget->used(), 1000U);
  }
  EXPECT_EQ(budget->used(), 0U);
  EXPECT_EQ(budget->TakePeak(), 3 * kMiB);
  EXPECT_EQ(budget->TakePeak(), 0U);
}

TEST(MemoryBudget, ARefusalIsCountedAndTold) {
  const auto budget = std::make_shared<MemoryBudget>(kMiB);
  int told = 0;
  budget->OnRefused([&] { ++told; });
  MemoryShare share(budget);
  EXPECT_FALSE(share.TryGrow(2 * kMiB));
  EXPECT_EQ(told, 0);
  EXPECT_FALSE(share.Admit(2 * kMiB));
  EXPECT_EQ(budget->refused(), 1U);
  EXPECT_EQ(told, 0);  // no room would be large enough
  budget->Take(kMiB);
  EXPECT_FALSE(share.Admit(1));
  EXPECT_EQ(budget->refused(), 2U);
  EXPECT_EQ(told, 1);
  budget->Release(kMiB);
  EXPECT_EQ(share.bytes(), 0U);
}

}  // namespace
}  // namespace swarm
