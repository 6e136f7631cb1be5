#include "api/name_locks.h"

#include <memory>
#include <optional>
#include <stdexcept>

#include <gtest/gtest.h>

#include "api/held_names.h"
#include "async/loop.h"

namespace swarm {
namespace {

class NameLocksTest : public ::testing::Test {
 protected:
  NameLocksTest() : loop_(clock_, nullptr) {}

  static Task<void> Take(NameLocks* locks, std::vector<std::string> names,
                         std::optional<absl::Status>* into) {
    absl::Status status = co_await LockNames(*locks, std::move(names));
    into->emplace(std::move(status));
  }

  void Take(std::vector<std::string> names, std::optional<absl::Status>& into) {
    loop_.Spawn(Take(&locks_, std::move(names), &into));
    loop_.RunReady();
  }

  void Give(std::vector<std::string> names) {
    UnlockNames(locks_, std::move(names));
    loop_.RunReady();
  }

  ManualClock clock_;
  NameLocks locks_;
  Loop loop_;
};

TEST_F(NameLocksTest, OneAfterTheOtherInTheOrderOfAsking) {
  std::optional<absl::Status> first, second, third, other;
  Take({"b", "a", "b"}, first);
  Take({"b"}, second);
  Take({"a", "b"}, third);
  Take({"c"}, other);
  EXPECT_TRUE(first.has_value() && other.has_value());
  EXPECT_FALSE(second.has_value() || third.has_value());
  Give({"a", "b"});
  EXPECT_TRUE(second.has_value());
  EXPECT_FALSE(third.has_value());
  Give({"b"});
  EXPECT_TRUE(third.has_value());
  Give({"a", "b"});
  Give({"c"});
  // Free again.
  Take({"a", "b", "c"}, first);
  EXPECT_TRUE(first->ok());
  Give({"c", "b", "a"});
}

TEST_F(NameLocksTest, WhoComesTooLateGetsNoneOfThem) {
  std::optional<absl::Status> holder, late, free;
  Take({"b"}, holder);
  int called = 0;
  for (std::size_t i = 0; i < NameLocks::kMostWaiting; ++i) {
    locks_.Acquire("b", [&](const absl::Status&) { ++called; });
  }
  Take({"a", "b"}, late);
  ASSERT_TRUE(late.has_value());
  EXPECT_TRUE(absl::IsResourceExhausted(*late));
  Take({"a"}, free);
  EXPECT_TRUE(free.has_value() && free->ok());
  for (std::size_t i = 0; i <= NameLocks::kMostWaiting; ++i) locks_.Release("b");
  EXPECT_EQ(called, static_cast<int>(NameLocks::kMostWaiting));
}

Task<void> TakeAndThrow(std::shared_ptr<NameLocks> locks, std::vector<std::string> names) {
  const absl::Status taken = co_await LockNames(*locks, names);
  EXPECT_TRUE(taken.ok());
  const HeldNames held(locks, names);
  throw std::runtime_error("no memory");
}

TEST_F(NameLocksTest, AnExceptionGivesBackWhatIsHeld) {
  const std::shared_ptr<NameLocks> locks(&locks_, [](NameLocks*) {});
  loop_.Spawn(TakeAndThrow(locks, {"a", "b"}));
  loop_.RunReady();
  std::optional<absl::Status> next;
  Take({"b", "a"}, next);
  ASSERT_TRUE(next.has_value());
  {
    HeldNames first(locks, {"a", "b"});  // those of `next`
    HeldNames moved = std::move(first);
    first.GiveBack();  // holds nothing any more
    std::optional<absl::Status> waits;
    Take({"a"}, waits);
    EXPECT_FALSE(waits.has_value());
    moved.GiveBack();
    loop_.RunReady();
    EXPECT_TRUE(waits.has_value());
  }
  Give({"a"});
}

TEST_F(NameLocksTest, WhatWaitsIsDroppedAtTheEnd) {
  auto held = std::make_shared<int>(1);
  std::optional<absl::Status> first;
  Take({"a"}, first);
  locks_.Acquire("a", [held](const absl::Status&) { FAIL(); });
  EXPECT_EQ(held.use_count(), 2);
  locks_.Abandon();
  EXPECT_EQ(held.use_count(), 1);
  Give({"a"});  // by a request that ends later
}

TEST_F(NameLocksTest, ANameThatNobodyHoldsIsNotReleased) {
  EXPECT_DEATH(locks_.Release("a"), "released by who holds it");
}

}  // namespace
}  // namespace swarm
