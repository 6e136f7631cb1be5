// The table of builds under way, on a clock moved by hand.
#include "api/build_sessions.h"

#include <gtest/gtest.h>

#include "swarmlib/status.h"

namespace swarm::testing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using Key = BuildSessions::Key;
using Keys = BuildSessions::Keys;

const Key kSession{Key::Kind::kSession, "s"};
const Key kBuild{Key::Kind::kBuild, "b"};
const Key kClient{Key::Kind::kClient, "10.0.0.9 Docker-Client/28"};

class BuildSessionsTest : public ::testing::Test {
 protected:
  std::shared_ptr<BuildSessions::Hold> Open(Keys keys, const std::string& node) {
    return std::make_shared<BuildSessions::Hold>(sessions_, std::move(keys), node);
  }

  ManualClock clock_;
  std::shared_ptr<BuildSessions> sessions_ = std::make_shared<BuildSessions>(clock_);
};

TEST_F(BuildSessionsTest, TheFirstThatDecidesCounts) {
  EXPECT_EQ(sessions_->NodeOf({kSession, kBuild}), "");
  EXPECT_EQ(*sessions_->Decide({kSession, kBuild}, "n1"), "n1");
  EXPECT_EQ(*sessions_->Decide({kSession}, "n2"), "n1");
  EXPECT_EQ(sessions_->NodeOf({kBuild}), "n1");
  // A part with one known key brings its others there.
  const Key further{Key::Kind::kBuild, "later"};
  EXPECT_EQ(*sessions_->Decide({kSession, further}, "n3"), "n1");
  EXPECT_EQ(sessions_->NodeOf({further}), "n1");
}

TEST_F(BuildSessionsTest, ASessionAndABuildOfOneNameAreTwo) {
  EXPECT_TRUE(sessions_->Decide({{Key::Kind::kSession, "x"}}, "n1").ok());
  EXPECT_EQ(sessions_->NodeOf({{Key::Kind::kBuild, "x"}}), "");
}

TEST_F(BuildSessionsTest, KeptWhileOpenAndSixtySecondsLonger) {
  EXPECT_TRUE(sessions_->Decide({kSession}, "n1").ok());
  auto build = Open({kSession}, "n1");
  auto session = Open({kSession}, "n1");
  clock_.Advance(minutes(30));
  EXPECT_EQ(sessions_->OpenNodeOf({kSession}), "n1");
  build.reset();
  clock_.Advance(minutes(30));
  EXPECT_EQ(sessions_->NodeOf({kSession}), "n1");
  session.reset();
  EXPECT_EQ(sessions_->OpenNodeOf({kSession}), "");
  clock_.Advance(seconds(59));
  EXPECT_EQ(sessions_->NodeOf({kSession}), "n1");
  session = Open({kSession}, "n1");  // it comes again
  clock_.Advance(minutes(2));
  session.reset();
  clock_.Advance(seconds(60));
  EXPECT_EQ(sessions_->NodeOf({kSession}), "");
}

TEST_F(BuildSessionsTest, AClientKeepsItsBuilderForTenMinutes) {
  EXPECT_TRUE(sessions_->Decide({kClient}, "n2").ok());
  Open({kClient}, "n2").reset();
  clock_.Advance(minutes(10) - seconds(1));
  EXPECT_EQ(sessions_->NodeOf({kClient}), "n2");
  clock_.Advance(seconds(1));
  EXPECT_EQ(sessions_->NodeOf({kClient}), "");
}

TEST_F(BuildSessionsTest, WhoeverWaitsIsToldOnce) {
  std::string told;
  int times = 0;
  const auto waits = [&](std::string node) {
    told = std::move(node);
    ++times;
  };
  EXPECT_NE(sessions_->Await({kSession, kClient}, waits), 0U);
  EXPECT_TRUE(sessions_->Decide({kBuild}, "n9").ok());
  EXPECT_EQ(times, 0);
  EXPECT_TRUE(sessions_->Decide({kClient}, "n2").ok());
  EXPECT_EQ(told, "n2");
  EXPECT_TRUE(sessions_->Decide({kSession}, "n3").ok());
  EXPECT_EQ(times, 1);
  // At once when it is decided already.
  EXPECT_NE(sessions_->Await({kSession}, waits), 0U);
  EXPECT_EQ(told, "n3");
  EXPECT_EQ(times, 2);
  const BuildSessions::WaitId id = sessions_->Await({{Key::Kind::kSession, "other"}}, waits);
  sessions_->GiveUp(id);
  EXPECT_TRUE(sessions_->Decide({{Key::Kind::kSession, "other"}}, "n1").ok());
  EXPECT_EQ(times, 2);
}

TEST_F(BuildSessionsTest, WaitersAreBounded) {
  for (std::size_t at = 0; at < BuildSessions::kMostWaiting; ++at)
    EXPECT_NE(sessions_->Await({kSession}, [](std::string) {}), 0U);
  EXPECT_EQ(sessions_->Await({kSession}, [](std::string) {}), 0U);
}

TEST_F(BuildSessionsTest, WhatIsDecidedAnewKeepsNothingOfTheOld) {
  EXPECT_TRUE(sessions_->Decide({kClient}, "n1").ok());
  auto old = Open({kClient}, "n1");
  sessions_->Forget(kClient);
  EXPECT_EQ(*sessions_->Decide({kClient}, "n2"), "n2");
  auto fresh = Open({kClient}, "n2");
  old.reset();
  EXPECT_EQ(sessions_->OpenNodeOf({kClient}), "n2");
  EXPECT_EQ(sessions_->OpenOn("n1"), 0U);
  EXPECT_EQ(sessions_->OpenOn("n2"), 1U);
}

TEST_F(BuildSessionsTest, NodesStayFreshForAWhile) {
  EXPECT_TRUE(sessions_->FreshNodes().empty());
  auto one = Open({}, "n2");
  auto other = Open({}, "n1");
  EXPECT_EQ(sessions_->FreshNodes(), (std::vector<std::string>{"n1", "n2"}));
  other.reset();
  clock_.Advance(seconds(59));
  EXPECT_EQ(sessions_->FreshNodes(), (std::vector<std::string>{"n1", "n2"}));
  clock_.Advance(seconds(1));
  EXPECT_EQ(sessions_->FreshNodes(), (std::vector<std::string>{"n2"}));
}

TEST_F(BuildSessionsTest, TheTableIsBoundedAndTheOldestClosedGoesFirst) {
  const auto numbered = [](std::size_t at) {
    return Keys{{Key::Kind::kSession, std::to_string(at)}};
  };
  EXPECT_TRUE(sessions_->Decide(numbered(0), "n1").ok());
  auto held = Open(numbered(0), "n1");
  for (std::size_t at = 1; at <= BuildSessions::kMostKeys; ++at) {
    ASSERT_TRUE(sessions_->Decide(numbered(at), "n1").ok());
    clock_.Advance(std::chrono::microseconds(1));
  }
  EXPECT_EQ(sessions_->size(), BuildSessions::kMostKeys);
  EXPECT_EQ(sessions_->NodeOf(numbered(0)), "n1");  // open
  EXPECT_EQ(sessions_->NodeOf(numbered(1)), "");
  std::vector<std::shared_ptr<BuildSessions::Hold>> holds;
  for (std::size_t at = 2; at <= BuildSessions::kMostKeys; ++at)
    holds.push_back(Open(numbered(at), "n1"));
  EXPECT_EQ(HttpStatusOf(sessions_->Decide(numbered(999'999), "n1").status()), 503);
  holds.clear();
  held.reset();
  clock_.Advance(minutes(2));
  EXPECT_TRUE(sessions_->Decide({kClient}, "n1").ok());
  EXPECT_EQ(sessions_->size(), 1U);  // the rest was swept
}

}  // namespace
}  // namespace swarm::testing
