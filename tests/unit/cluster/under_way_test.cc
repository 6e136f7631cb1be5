// Which events the reading at the end of our own change shows.
#include "cluster/under_way.h"

#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace swarm {
namespace {

using Answer = UnderWay::Answer;

class UnderWayTest : public testing::Test {
 protected:
  void Begin(const std::string& action) {
    change_ = std::make_unique<UnderWay::Change>(all_, "id", action);
  }
  Answer Ask(const std::string& action, UnderWay::Moment received) {
    told_.reset();
    return all_.Await({"id", action, received}, [this](bool published) { told_ = published; });
  }

  UnderWay all_;
  std::unique_ptr<UnderWay::Change> change_;
  std::optional<bool> told_;
};

TEST_F(UnderWayTest, NothingIsKnownOfWhatOthersChange) {
  EXPECT_FALSE(all_.Has("id"));
  EXPECT_EQ(Ask("start", all_.Now()), Answer::kNone);
  Begin("start");
  EXPECT_TRUE(all_.Has("id"));
  EXPECT_FALSE(all_.Has("other"));
}

TEST_F(UnderWayTest, AnEventBeforeTheReadingWaitsForIt) {
  for (const bool published : {true, false}) {
    SCOPED_TRACE(published);
    Begin("start");
    const UnderWay::Moment received = all_.Now();
    EXPECT_EQ(Ask("connect", received), Answer::kComing);
    change_->BeginReading(true);
    EXPECT_FALSE(told_.has_value());
    change_->EndReading(published);
    EXPECT_EQ(told_, published);
    EXPECT_EQ(Ask("connect", received), published ? Answer::kPublished : Answer::kNone);
  }
}

TEST_F(UnderWayTest, OfLaterEventsOnlyItsOwnAndOnlyOnce) {
  struct Case {
    const char* what;
    bool made;
    std::string action;
    Answer first, second;
  };
  const Case cases[] = {
      {"its own", true, "start", Answer::kComing, Answer::kNone},
      {"its own, but the engine refused", false, "start", Answer::kNone, Answer::kNone},
      {"another", true, "die", Answer::kNone, Answer::kNone},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    Begin("start");
    change_->BeginReading(c.made);
    EXPECT_EQ(Ask(c.action, all_.Now()), c.first);
    EXPECT_EQ(Ask(c.action, all_.Now()), c.second);
    change_.reset();
  }
}

TEST_F(UnderWayTest, TheNextOfItsKindIsSomebodyElses) {
  Begin("start");
  EXPECT_EQ(Ask("start", all_.Now()), Answer::kComing);
  change_->BeginReading(true);
  change_->EndReading(true);
  EXPECT_EQ(Ask("start", all_.Now()), Answer::kNone);
}

TEST_F(UnderWayTest, AnOwnEventThatIsPassedOverIsNotAwaited) {
  for (const bool finished : {false, true}) {
    SCOPED_TRACE(finished);
    Begin("start");
    change_->BeginReading(true);
    if (finished) change_->EndReading(true);
    all_.Pass({"id", "start", all_.Now()});
    EXPECT_EQ(Ask("start", all_.Now()), Answer::kNone);
    change_.reset();
  }
}

TEST_F(UnderWayTest, ANewStreamTellsNoOldOwnEvents) {
  Begin("start");
  change_->BeginReading(true);
  change_->EndReading(true);
  all_.ForgetFinished();
  EXPECT_EQ(Ask("start", all_.Now()), Answer::kNone);
}

TEST_F(UnderWayTest, ItsOwnEventMayComeAfterItsEnd) {
  Begin("create");
  change_->BeginReading(true);
  change_->EndReading(true);
  EXPECT_EQ(Ask("create", all_.Now()), Answer::kPublished);
  EXPECT_EQ(Ask("create", all_.Now()), Answer::kNone);
}

TEST_F(UnderWayTest, AChangeWithoutAReadingTellsThatThereIsNone) {
  Begin("start");
  EXPECT_EQ(Ask("start", all_.Now()), Answer::kComing);
  change_.reset();
  EXPECT_EQ(told_, false);
  EXPECT_FALSE(all_.Has("id"));
}

TEST_F(UnderWayTest, OfTwoChangesTheLaterReadingCounts) {
  Begin("start");
  UnderWay::Change other(all_, "id", "");
  change_->BeginReading(true);
  const UnderWay::Moment received = all_.Now();
  EXPECT_EQ(Ask("die", received), Answer::kComing);
  change_->EndReading(true);
  EXPECT_FALSE(told_.has_value());
  other.BeginReading(true);
  other.EndReading(true);
  EXPECT_EQ(told_, true);
}

}  // namespace
}  // namespace swarm
