#include "async/one_a_turn.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "async/per_loop.h"
#include "swarmlib/clock.h"

namespace swarm {
namespace {

TEST(OneATurn, RunsPiecesInOrderWithOthersBetween) {
  ManualClock clock;
  Loop loop(clock, nullptr);
  const auto turns = std::make_shared<OneATurn>(loop);
  std::vector<std::string> ran;
  for (const char* name : {"a", "b", "c"}) turns->Run([&ran, name] { ran.push_back(name); });
  EXPECT_TRUE(ran.empty());
  loop.Post([&loop, &ran] {
    ran.push_back("other");
    loop.Post([&ran] { ran.push_back("another"); });
  });
  loop.RunReady();
  EXPECT_EQ(ran, (std::vector<std::string>{"a", "other", "b", "another", "c"}));
}

TEST(OneATurn, APieceMayAskForTheNext) {
  ManualClock clock;
  Loop loop(clock, nullptr);
  const auto turns = std::make_shared<OneATurn>(loop);
  std::vector<int> ran;
  turns->Run([&] {
    ran.push_back(1);
    turns->Run([&ran] { ran.push_back(3); });
  });
  turns->Run([&ran] { ran.push_back(2); });
  loop.RunReady();
  EXPECT_EQ(ran, (std::vector<int>{1, 2, 3}));
}

TEST(OneATurn, WhatWaitsGoesWithTheLoop) {
  ManualClock clock;
  const auto held = std::make_shared<int>();
  {
    Loop loop(clock, nullptr);
    std::make_shared<OneATurn>(loop)->Run([held] {});
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(PerLoop, UsersOfOneLoopShareWhatLivesAsLongAsTheyDo) {
  ManualClock clock;
  Loop loop(clock, nullptr), other(clock, nullptr);
  PerLoop<OneATurn> turns;
  auto first = turns.Of(loop);
  EXPECT_EQ(first, turns.Of(loop));
  EXPECT_NE(first, turns.Of(other));
  const std::weak_ptr<OneATurn> weak = first;
  first.reset();
  EXPECT_TRUE(weak.expired());
}

}  // namespace
}  // namespace swarm
