// A whole reading of an engine is published in steps, between which others publish.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cluster/shared_state.h"
#include "swarmlib/filter.h"
#include "swarmlib/strategy.h"
#include "unit/cluster/one_engine.h"

namespace swarm {
namespace {

constexpr std::int64_t kMemory = 1 << 20;  // of each container

class WholeReadingSteps : public testing::Test {
 protected:
  WholeReadingSteps() : state_({}, {}, (*BuiltinStrategies().Find("spread"))(), 1) {
    member_ = state_.Join(OneNode(NodeState::kHealthy));
  }

  static NodePointer Shown() { return std::make_shared<const Node>(OneNode(NodeState::kHealthy)); }
  // Three digits, so that their order is that of the numbers.
  static std::string IdOf(int number) { return std::to_string(100 + number); }
  static ContainerRecord Record(const std::string& id, ContainerState state,
                                const std::string& swarm_id = {}) {
    ContainerRecord record = RecordOf(id, state, swarm_id);
    record.container.request.memory = kMemory;
    return record;
  }

  // One reading of one container.
  void Read(const std::string& id, const ContainerRecord* record) {
    const std::uint64_t read = state_.BeginRead(member_);
    state_.PublishContainer(member_, read, id, record);
    state_.EndRead(member_, read);
  }
  void Fill(int count) {
    for (int i = 0; i < count; ++i) {
      const ContainerRecord record = Record(IdOf(i), ContainerState::kExited);
      Read(record.container.id, &record);
    }
  }
  // What a whole reading has found: all of these running.
  void Find(int count) {
    for (int i = 0; i < count; ++i) {
      rows_.push_back(
          {nullptr, std::make_unique<ContainerRecord>(Record(IdOf(i), ContainerState::kRunning))});
    }
    for (const ReadRow& row : rows_) ids_.insert(row.container().id);
  }
  std::string Erase(const std::string& after) {
    return state_.EraseAbsent(member_, read_, ids_, after);
  }
  void EraseAll() {
    std::string last;
    do {
      last = Erase(last);
      ExpectSums();
    } while (!last.empty());
  }
  void Put(std::size_t first, std::size_t count) {
    state_.PublishRows(member_, read_, Shown(), std::span(rows_).subspan(first, count));
    ExpectSums();
  }
  void End() {
    state_.PublishAll(member_, read_, TimePoint{}, OneNode(NodeState::kHealthy), {});
    state_.EndRead(member_, read_);
    ExpectSums();
  }

  std::string StateOf(const std::string& id) {
    const ContainerPointer entry =
        state_.With([&id](const ClusterState& state) { return state.FindById(id); });
    return entry ? std::string(ContainerStateName(entry->container.state)) : "gone";
  }
  // What is counted is what is there, and what is held for creates.
  void ExpectSums() {
    state_.With([this](const ClusterState& state) {
      const auto there = static_cast<std::int64_t>(state.Containers().size());
      EXPECT_EQ(state.Totals().containers, there);
      EXPECT_EQ(state.TotalsOf(kOneAddress).containers, there);
      EXPECT_EQ(state.TotalsOf(kOneAddress).reserved.memory, (there + held_) * kMemory);
    });
  }

  SharedState state_;
  Member member_ = 0;
  std::uint64_t read_ = 0;
  std::vector<ReadRow> rows_;
  IdViews ids_;
  std::int64_t held_ = 0;
};

TEST_F(WholeReadingSteps, LookAtNoMoreAtOnceThanAllowed) {
  constexpr int kMost = static_cast<int>(kMaxRowsAtOnce);
  Fill(3 * kMost - 1);
  read_ = state_.BeginRead(member_);
  std::string last;
  for (int steps = 1; steps <= 3; ++steps) {
    last = Erase(last);
    const auto left = static_cast<int>(state_.Containers()->size());
    EXPECT_EQ(left, std::max(0, 3 * kMost - 1 - steps * kMost));
    ExpectSums();
  }
  EXPECT_EQ(last, "");
}

TEST_F(WholeReadingSteps, BelieveWhatWasReadSince) {
  Fill(100);
  read_ = state_.BeginRead(member_);
  Find(90);
  const ContainerRecord paused = Record(IdOf(20), ContainerState::kPaused);
  const ContainerRecord made = Record(IdOf(95) + "made", ContainerState::kCreated);
  const std::string last = Erase("");
  Read(made.container.id, &made);
  Read(IdOf(5), nullptr);
  ASSERT_NE(last, "");
  EraseAll();
  Put(0, 10);
  Read(IdOf(20), &paused);
  Read(IdOf(30), nullptr);
  Read(IdOf(2), &paused);  // was put just now, and tells of another
  Put(10, 80);
  End();
  EXPECT_EQ(StateOf(made.container.id), "created");
  EXPECT_EQ(StateOf(IdOf(5)), "gone");
  EXPECT_EQ(StateOf(IdOf(20)), "paused");
  EXPECT_EQ(StateOf(IdOf(30)), "gone");
  EXPECT_EQ(StateOf(IdOf(40)), "running");
  EXPECT_EQ(StateOf(IdOf(95)), "gone");
}

TEST_F(WholeReadingSteps, AreBelievedAboutWhatWasReadBefore) {
  Fill(3);
  const std::uint64_t early = state_.BeginRead(member_);
  read_ = state_.BeginRead(member_);
  Find(3);
  EraseAll();
  const ContainerRecord created = Record(IdOf(1), ContainerState::kCreated);
  state_.PublishContainer(member_, early, IdOf(1), &created);
  state_.PublishContainer(member_, early, IdOf(2), nullptr);
  state_.EndRead(member_, early);
  Put(0, 3);
  End();
  EXPECT_EQ(StateOf(IdOf(1)), "running");
  EXPECT_EQ(StateOf(IdOf(2)), "running");
}

TEST_F(WholeReadingSteps, KeepAnEntryThatSaysTheSame) {
  Fill(2);
  const auto entry = [this](int number) {
    return state_.With(
        [number](const ClusterState& state) { return state.FindById(IdOf(number)); });
  };
  const ContainerPointer kept = entry(0);
  const ContainerPointer changed = entry(1);
  read_ = state_.BeginRead(member_);
  rows_.push_back({kept, nullptr});
  rows_.push_back({changed, nullptr});
  ids_.insert(kept->container.id);
  ids_.insert(changed->container.id);
  EraseAll();
  // An earlier reading ends late, and says something else.
  const ContainerRecord paused = Record(IdOf(1), ContainerState::kPaused);
  state_.PublishContainer(member_, read_ - 1, IdOf(1), &paused);
  Put(0, 2);
  End();
  EXPECT_EQ(entry(0), kept);
  EXPECT_EQ(StateOf(IdOf(1)), "exited");
}

TEST_F(WholeReadingSteps, SettleTheCreateTheyShowAndKeepTheOthers) {
  ContainerSpec spec;
  spec.request.memory = kMemory;
  std::vector<std::string> swarm_ids;
  for (const char* const name : {"shown", "removed", "doubted"}) {
    spec.name = name;
    const auto place = state_.Place(spec);
    ASSERT_TRUE(place.ok()) << place.status();
    swarm_ids.push_back(place->reservation.swarm_id);
    state_.Doubt(place->reservation.ticket, TimePoint{});
    ++held_;
  }
  ExpectSums();
  read_ = state_.BeginRead(member_);
  for (int i = 0; i < 2; ++i) {
    rows_.push_back(
        {nullptr, std::make_unique<ContainerRecord>(Record(
                      IdOf(i), ContainerState::kCreated, swarm_ids[static_cast<std::size_t>(i)]))});
    ids_.insert(rows_.back().container().id);
  }
  EraseAll();
  --held_;
  Put(0, 1);
  // Its engine tells that it is gone before its row is published.
  Read(IdOf(1), nullptr);
  --held_;
  Put(1, 1);
  EXPECT_EQ(StateOf(IdOf(0)), "created");
  EXPECT_EQ(StateOf(IdOf(1)), "gone");
  spec.name = "doubted";
  EXPECT_FALSE(state_.Place(spec).ok());
  --held_;
  End();
  EXPECT_TRUE(state_.Place(spec).ok());
}

TEST_F(WholeReadingSteps, TurnTheNodeHealthyLast) {
  state_.SetNode(member_, OneNode(NodeState::kUnhealthy));
  Fill(2);
  const auto node_of = [this](int number) {
    return state_.With([number](const ClusterState& state) {
      const ContainerPointer entry = state.FindById(IdOf(number));
      return entry ? entry->node->state : NodeState::kPending;
    });
  };
  read_ = state_.BeginRead(member_);
  Find(3);
  EraseAll();
  EXPECT_EQ(node_of(0), NodeState::kUnhealthy);
  Put(0, 3);
  const auto node_state = [this] {
    return state_.With(
        [](const ClusterState& state) { return state.FindNode(kOneAddress)->state; });
  };
  EXPECT_EQ(node_state(), NodeState::kUnhealthy);
  const ContainerPointer before =
      state_.With([](const ClusterState& state) { return state.FindById(IdOf(1)); });
  End();
  EXPECT_EQ(node_state(), NodeState::kHealthy);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(node_of(i), NodeState::kHealthy) << i;
  // Its last step makes no entry anew.
  EXPECT_EQ(before, state_.With([](const ClusterState& state) { return state.FindById(IdOf(1)); }));
  state_.SetNode(member_, OneNode(NodeState::kUnhealthy));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(node_of(i), NodeState::kUnhealthy) << i;
}

TEST_F(WholeReadingSteps, PublishNothingOfANodeThatLeft) {
  Fill(2);
  read_ = state_.BeginRead(member_);
  Find(3);
  EraseAll();
  state_.Leave(member_);
  EXPECT_EQ(Erase(""), "");
  state_.PublishRows(member_, read_, Shown(), rows_);
  state_.PublishAll(member_, read_, TimePoint{}, OneNode(NodeState::kHealthy), {});
  state_.EndRead(member_, read_);
  EXPECT_TRUE(state_.Containers()->empty());
  EXPECT_EQ(state_.With([](const ClusterState& state) { return state.FindNode(kOneAddress); }),
            nullptr);
}

}  // namespace
}  // namespace swarm
