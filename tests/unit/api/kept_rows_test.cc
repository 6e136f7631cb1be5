#include "api/kept_rows.h"

#include <chrono>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace swarm {
namespace {

using std::chrono::seconds;

class KeptRowsTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const ContainerGroup> Group() {
    return std::make_shared<const ContainerGroup>(1);
  }
  static Piece Text(std::size_t size) { return std::make_shared<const std::string>(size, 'x'); }

  const WallTime now_{seconds(1'000)};
  KeptRows rows_;
};

TEST_F(KeptRowsTest, FormsAreKeptApart) {
  const std::uint64_t list = rows_.Begin();
  const auto group = Group();
  const Piece text = Text(3);
  rows_.Keep(list, group, {true, false}, text, WallTime::max());
  EXPECT_EQ(rows_.Find(list, *group, {true, false}, now_), text);
  EXPECT_EQ(rows_.Find(list, *group, {true, true}, now_), nullptr);
  EXPECT_EQ(rows_.Find(list, *group, {false, false}, now_), nullptr);
  EXPECT_EQ(rows_.Find(list, *Group(), {true, false}, now_), nullptr);
}

TEST_F(KeptRowsTest, ATextHoldsUntilItsTime) {
  const std::uint64_t list = rows_.Begin();
  const auto group = Group();
  rows_.Keep(list, group, {true, true}, Text(3), now_ + seconds(1));
  EXPECT_NE(rows_.Find(list, *group, {true, true}, now_), nullptr);
  EXPECT_EQ(rows_.Find(list, *group, {true, true}, now_ + seconds(1)), nullptr);
  EXPECT_EQ(rows_.Find(list, *group, {true, true}, now_), nullptr);
}

TEST_F(KeptRowsTest, WhatNoNewerListUsesIsDroppedWithItsKind) {
  const auto used = Group(), left = Group(), other = Group();
  const std::uint64_t first = rows_.Begin();
  rows_.Keep(first, used, {true, true}, Text(3), WallTime::max());
  rows_.Keep(first, left, {true, false}, Text(3), WallTime::max());
  rows_.Keep(first, other, {false, true}, Text(3), WallTime::max());
  EXPECT_EQ(left.use_count(), 2);
  const std::uint64_t second = rows_.Begin();
  EXPECT_NE(rows_.Find(second, *used, {true, true}, now_), nullptr);
  rows_.End(second, true);
  EXPECT_EQ(left.use_count(), 1);
  EXPECT_EQ(rows_.Find(second, *left, {true, false}, now_), nullptr);
  EXPECT_NE(rows_.Find(second, *used, {true, true}, now_), nullptr);
  EXPECT_NE(rows_.Find(second, *other, {false, true}, now_), nullptr);
}

TEST_F(KeptRowsTest, KeepsNoMoreThanItsBound) {
  const std::uint64_t first = rows_.Begin();
  const auto large = Group(), more = Group();
  rows_.Keep(first, large, {true, true}, Text(KeptRows::kMostBytes), WallTime::max());
  rows_.Keep(first, more, {true, false}, Text(1), WallTime::max());
  EXPECT_NE(rows_.Find(first, *large, {true, true}, now_), nullptr);
  EXPECT_EQ(rows_.Find(first, *more, {true, false}, now_), nullptr);
  rows_.End(rows_.Begin(), true);
  rows_.Keep(first, more, {true, false}, Text(1), WallTime::max());
  EXPECT_NE(rows_.Find(first, *more, {true, false}, now_), nullptr);
}

}  // namespace
}  // namespace swarm
