// Which of two readings of one container is believed.
#include "cluster/shared_state.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "swarmlib/filter.h"
#include "swarmlib/strategy.h"
#include "unit/cluster/one_engine.h"

namespace swarm {
namespace {

class SharedStateTest : public testing::Test {
 protected:
  SharedStateTest() : state_({}, {}, (*BuiltinStrategies().Find("spread"))(), 1) {
    Node node = OneNode(NodeState::kHealthy);
    member_ = state_.Join(node);
  }

  // A whole reading, in all its steps.
  void PublishWhole(std::uint64_t read, TimePoint began, std::vector<ContainerRecord> records) {
    std::vector<ReadRow> rows;
    IdViews ids;
    for (ContainerRecord& record : records)
      rows.push_back({nullptr, std::make_unique<ContainerRecord>(std::move(record))});
    for (const ReadRow& row : rows) ids.insert(row.container().id);
    std::string last;
    do {
      last = state_.EraseAbsent(member_, read, ids, last);
    } while (!last.empty());
    state_.PublishRows(member_, read, std::make_shared<const Node>(OneNode(NodeState::kHealthy)),
                       rows);
    state_.PublishAll(member_, read, began, OneNode(NodeState::kHealthy), {});
    state_.EndRead(member_, read);
  }

  std::string Shown(const std::string& id) {
    const ContainerPointer entry =
        state_.With([&id](const ClusterState& state) { return state.FindById(id); });
    return entry ? std::string(ContainerStateName(entry->container.state)) : "gone";
  }

  SharedState state_;
  Member member_ = 0;
};

TEST_F(SharedStateTest, TheReadingBegunLaterIsBelievedWhicheverEndsLast) {
  const std::uint64_t early = state_.BeginRead(member_);
  const std::uint64_t late = state_.BeginRead(member_);
  const ContainerRecord running = RecordOf("a", ContainerState::kRunning);
  const ContainerRecord created = RecordOf("a", ContainerState::kCreated);
  state_.PublishContainer(member_, late, "a", &running);
  state_.EndRead(member_, late);
  state_.PublishContainer(member_, early, "a", &created);
  state_.EndRead(member_, early);
  EXPECT_EQ(Shown("a"), "running");
}

TEST_F(SharedStateTest, AWholeReadingDoesNotUndoWhatWasReadSince) {
  const std::uint64_t whole = state_.BeginRead(member_);
  const std::uint64_t one = state_.BeginRead(member_);
  const ContainerRecord made = RecordOf("new", ContainerState::kCreated);
  state_.PublishContainer(member_, one, "new", &made);
  state_.EndRead(member_, one);
  const std::uint64_t other = state_.BeginRead(member_);
  state_.PublishContainer(member_, other, "removed", nullptr);
  state_.EndRead(member_, other);
  PublishWhole(
      whole, TimePoint{},
      {RecordOf("removed", ContainerState::kRunning), RecordOf("old", ContainerState::kRunning)});
  EXPECT_EQ(Shown("new"), "created");
  EXPECT_EQ(Shown("removed"), "gone");
  EXPECT_EQ(Shown("old"), "running");
  const std::uint64_t next = state_.BeginRead(member_);
  PublishWhole(next, TimePoint{}, {});
  EXPECT_EQ(Shown("new"), "gone");
}

TEST_F(SharedStateTest, AReadingSettlesTheCreateItShows) {
  ContainerSpec spec;
  spec.name = "web";
  spec.swarm_id = std::string(64, 'a');
  const auto place = state_.Place(spec);
  ASSERT_TRUE(place.ok()) << place.status();
  EXPECT_EQ(place->member, member_);
  const std::uint64_t read = state_.BeginRead(member_);
  const ContainerRecord record = RecordOf("x", ContainerState::kCreated, spec.swarm_id);
  state_.PublishContainer(member_, read, "x", &record);
  state_.EndRead(member_, read);
  state_.GiveBack(place->reservation.ticket);  // settled already: nothing happens
  EXPECT_EQ(Shown("x"), "created");
}

TEST_F(SharedStateTest, ADoubtEndsWithAWholeReadingBegunAfterItsTimeAndNoEarlierOne) {
  const TimePoint doubted = TimePoint{} + std::chrono::seconds(100);
  const TimePoint until = doubted + std::chrono::seconds(60);
  ContainerSpec spec;
  spec.name = "web";
  spec.swarm_id = std::string(64, 'a');
  const auto place = state_.Place(spec);
  ASSERT_TRUE(place.ok());
  const std::uint64_t before = state_.BeginRead(member_);
  state_.Doubt(place->reservation.ticket, until);
  const auto whole = [this](std::uint64_t read, TimePoint began) { PublishWhole(read, began, {}); };
  whole(before, until);  // not begun after the doubt
  EXPECT_FALSE(state_.Place(spec).ok());
  whole(state_.BeginRead(member_), until - std::chrono::nanoseconds(1));
  EXPECT_FALSE(state_.Place(spec).ok());
  whole(state_.BeginRead(member_), until);
  EXPECT_TRUE(state_.Place(spec).ok());
}

TEST_F(SharedStateTest, HealthIsTakenFromAnEventOnlyWhereThatTellsAll) {
  struct Case {
    const char* what;
    std::string health = "unhealthy";
    ContainerState state = ContainerState::kRunning;
    bool has_health = true;
    std::string tail = "}";
    bool reading = false;
    std::string id = "a";
    bool taken = false;
  };
  std::vector<Case> cases(8);
  cases[0].what = "a running container with a check";
  cases[0].taken = true;
  cases[1].what = "a word that is none of the three";
  cases[1].health = "running: healthy";
  cases[2].what = "a container that does not run";
  cases[2].state = ContainerState::kExited;
  cases[3].what = "one without a check so far";
  cases[3].has_health = false;
  cases[4].what = "a row with the health in its own words";
  cases[4].tail = ",\"Health\":{\"Status\":\"healthy\"}}";
  cases[5].what = "while it is read";
  cases[5].reading = true;
  cases[6].what = "one that nobody knows";
  cases[6].id = "b";
  cases[7].what = "the same word again";
  cases[7].health = "healthy";
  cases[7].taken = true;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const std::uint64_t read = state_.BeginRead(member_);
    ContainerRecord record = RecordOf("a", c.state);
    record.container.has_health = c.has_health;
    record.container.health = "healthy";
    record.row.tail = c.tail;
    state_.PublishContainer(member_, read, "a", &record);
    if (!c.reading) state_.EndRead(member_, read);
    EXPECT_EQ(state_.PublishHealth(member_, c.id, c.health), c.taken);
    const ContainerPointer entry =
        state_.With([](const ClusterState& state) { return state.FindById("a"); });
    EXPECT_EQ(entry->container.health, c.taken ? c.health : "healthy");
    EXPECT_EQ(entry->row.tail, c.tail);
    if (c.reading) state_.EndRead(member_, read);
  }
  EXPECT_FALSE(state_.PublishHealth(member_ + 1, "a", "healthy"));
}

TEST_F(SharedStateTest, NothingIsPublishedForAMemberThatLeft) {
  const std::uint64_t read = state_.BeginRead(member_);
  state_.Leave(member_);
  const Member again = state_.Join(OneNode(NodeState::kHealthy));
  const ContainerRecord record = RecordOf("a", ContainerState::kRunning);
  state_.PublishContainer(member_, read, "a", &record);
  state_.SetNode(member_, Node{});
  state_.EndRead(member_, read);
  EXPECT_EQ(Shown("a"), "gone");
  EXPECT_NE(again, member_);
}

TEST_F(SharedStateTest, AnIdHasOneHolder) {
  Node other = OneNode(NodeState::kHealthy);
  other.address = "10.0.0.2:2375";
  const Member second = state_.Join(other);
  EXPECT_EQ(state_.ClaimId(member_, "ID1"), "");
  EXPECT_EQ(state_.ClaimId(member_, "ID1"), "");
  EXPECT_EQ(state_.ClaimId(second, "ID1"), kOneAddress);
  EXPECT_EQ(state_.ClaimId(member_, "ID2"), "");  // gives the first one up
  EXPECT_EQ(state_.ClaimId(second, "ID1"), "");
  state_.Leave(second);
  EXPECT_EQ(state_.ClaimId(member_, "ID1"), "");
}

TEST_F(SharedStateTest, TheListIsMadeOnceAGeneration) {
  const auto first = state_.Containers();
  EXPECT_EQ(first, state_.Containers());
  const std::uint64_t read = state_.BeginRead(member_);
  const ContainerRecord record = RecordOf("a", ContainerState::kRunning);
  state_.PublishContainer(member_, read, "a", &record);
  state_.EndRead(member_, read);
  EXPECT_NE(first, state_.Containers());
  EXPECT_EQ(state_.Containers()->size(), 1U);
}

}  // namespace
}  // namespace swarm
