// The parts of the index, each against a plain container.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sched/column.h"
#include "sched/node_order.h"
#include "sched/port_index.h"
#include "sched/position_set.h"
#include "swarmlib/random.h"

namespace swarm {
namespace {

std::vector<Position> Members(const PositionSet& set) {
  std::vector<Position> members;
  for (Position at = set.NextFrom(0); at != kNoPosition; at = set.NextFrom(at + 1))
    members.push_back(at);
  return members;
}

TEST(PositionSetTest, EqualsASortedSetWhileItGrowsAndShrinks) {
  Random random(1);
  PositionSet set;
  std::set<Position> plain;
  bool was_dense = false;
  bool was_list_again = false;
  for (int round = 0; round < 12000; ++round) {
    const auto position = static_cast<Position>(random.Below(900));
    const bool grows = round / 3000 % 2 == 0;
    if (random.Below(100) < (grows ? 80U : 2U)) {
      set.Insert(position);
      plain.insert(position);
    } else {
      set.Erase(position);
      plain.erase(position);
    }
    ASSERT_EQ(set.size(), plain.size());
    ASSERT_EQ(set.Contains(position), plain.contains(position));
    const auto from = static_cast<Position>(random.Below(1000));
    const auto next = plain.lower_bound(from);
    ASSERT_EQ(set.NextFrom(from), next == plain.end() ? kNoPosition : *next);
    was_dense = was_dense || set.dense();
    was_list_again = was_list_again || (was_dense && !set.dense());
  }
  EXPECT_EQ(Members(set), std::vector<Position>(plain.begin(), plain.end()));
  EXPECT_TRUE(was_dense);
  EXPECT_TRUE(was_list_again);
  EXPECT_FALSE(set.Contains(1'000'000));
  set.Erase(1'000'000);
}

TEST(NodeOrderTest, PositionsFollowNamesThroughEveryMove) {
  Random random(2);
  NodeOrder order;
  std::map<std::pair<std::string, std::string>, Slot> plain;
  std::map<Slot, Position> positions;
  const auto moved = [&positions](Slot slot, Position from, Position to) {
    ASSERT_EQ(positions.at(slot), from);
    for (const auto& [other, position] : positions)
      ASSERT_NE(position, to) << "still taken by " << other;
    positions[slot] = to;
  };
  for (Slot slot = 0; slot < 1200; ++slot) {
    // Blocks that come in order, into one place, and at random.
    const int kind = static_cast<int>(slot / 200) % 3;
    std::string name = kind == 0   ? "m" + std::to_string(100'000 + slot)
                       : kind == 1 ? "k" + std::to_string(900'000 - slot)
                                   : std::string(1, static_cast<char>('a' + random.Below(26))) +
                                         std::to_string(random.Below(100'000));
    const std::pair<std::string, std::string> key(name, "address" + std::to_string(slot));
    positions[slot] = order.Insert(key.first, key.second, slot, moved);
    plain.emplace(key, slot);
    if (slot % 7 == 0) {
      const auto victim =
          std::next(plain.begin(), static_cast<std::ptrdiff_t>(random.Below(plain.size())));
      order.Erase(victim->first.first, victim->first.second);
      EXPECT_EQ(order.SlotAt(positions.at(victim->second)), kNoSlot);
      positions.erase(victim->second);
      plain.erase(victim);
    }
  }
  ASSERT_EQ(order.size(), plain.size());
  Position last = 0;
  bool first = true;
  for (const auto& [key, slot] : plain) {
    const Position position = positions.at(slot);
    ASSERT_EQ(order.SlotAt(position), slot);
    ASSERT_TRUE(first || position > last) << key.first;
    first = false;
    last = position;
  }
  // Gaps cost a bounded share.
  EXPECT_LT(last, plain.size() * 4);
}

TEST(NodeOrderTest, FindsAllOfOneName) {
  NodeOrder order;
  const NodeOrder::Mover nobody = [](Slot, Position, Position) {};
  order.Insert("twin", "b:1", 1, nobody);
  order.Insert("twin", "a:1", 2, nobody);
  order.Insert("other", "c:1", 3, nobody);
  std::vector<Slot> slots;
  order.AppendNamed("twin", slots);
  EXPECT_EQ(slots, (std::vector<Slot>{2, 1}));
  order.Erase("nobody", "x");
  EXPECT_EQ(order.size(), 3U);
}

Column::Matcher StartsWith(std::string prefix) {
  return [prefix](std::string_view text) { return text.starts_with(prefix); };
}

std::vector<Position> Selected(const NodeSelection& selection, const std::vector<Position>& all) {
  std::vector<Position> selected;
  for (const Position position : all) {
    const bool contains = selection.nodes != nullptr && selection.nodes->Contains(position);
    if (contains != selection.inverted) selected.push_back(position);
  }
  return selected;
}

TEST(ColumnTest, PatternsFollowTheNodes) {
  std::uint64_t revision = 1;
  Column labels(true, revision);
  const std::vector<Position> all = {0, 1, 2, 3};
  labels.Assign(0, {labels.Intern("ssd")});
  labels.Assign(1, {labels.Intern("hdd")});
  EXPECT_EQ(Selected(labels.Find("ssd"), all), (std::vector<Position>{0}));
  EXPECT_EQ(Selected(labels.Find("tape"), all), (std::vector<Position>{}));
  const NodeSelection starts = labels.Match("s", [] { return StartsWith("s"); });
  EXPECT_EQ(Selected(starts, all), (std::vector<Position>{0}));
  // Nodes without the label are empty, which every text starts with.
  const NodeSelection any = labels.Match("", [] { return StartsWith(""); });
  EXPECT_EQ(Selected(any, all), all);
  labels.Assign(3, {labels.Intern("scsi")});
  EXPECT_EQ(Selected(labels.Match("s", nullptr), all), (std::vector<Position>{0, 3}));
  labels.Move(3, 2, {labels.Intern("scsi")});
  EXPECT_EQ(Selected(labels.Match("s", nullptr), all), (std::vector<Position>{0, 2}));
  const std::uint64_t before = revision;
  labels.Unassign(2, {labels.Intern("scsi")});
  EXPECT_GT(revision, before);
  EXPECT_EQ(labels.distinct(), 2U);
  EXPECT_EQ(Selected(labels.Match("s", nullptr), all), (std::vector<Position>{0}));
  // A forgotten value's number is given out again.
  labels.Assign(2, {labels.Intern("sata")});
  EXPECT_EQ(Selected(labels.Match("s", nullptr), all), (std::vector<Position>{0, 2}));
}

TEST(ColumnTest, KeepsABoundedNumberOfPatterns) {
  std::uint64_t revision = 1;
  Column images(false, revision);
  images.Assign(5, {images.Intern("nginx"), images.Intern("redis")});
  int made = 0;
  const auto ask = [&](int number) {
    const std::string name = std::to_string(number);
    return images.Match(name, [&made, name] {
      ++made;
      return StartsWith(name);
    });
  };
  ask(0);
  for (std::size_t i = 1; i < Column::kMaxPatterns; ++i) ask(static_cast<int>(i));
  ask(0);
  const auto most = static_cast<int>(Column::kMaxPatterns);
  EXPECT_EQ(made, most);
  ask(1000);  // drives out the one unused longest: 1
  ask(0);
  EXPECT_EQ(made, most + 1);
  ask(1);
  EXPECT_EQ(made, most + 2);
}

TEST(PortIndexTest, KnowsWhoHoldsANumber) {
  PortIndex index;
  PortBinding port;
  port.host_first = port.host_last = 80;
  EXPECT_EQ(index.Holders(port), nullptr);
  index.Insert(3, port);
  PortBinding datagram = port;
  datagram.protocol = "udp";
  EXPECT_EQ(index.Holders(datagram), nullptr);
  datagram.protocol = "sctp";
  index.Insert(4, datagram);
  EXPECT_TRUE(index.Holders(port)->Contains(3));
  EXPECT_TRUE(index.Holders(datagram)->Contains(4));
  datagram.protocol = "dccp";
  index.Erase(9, datagram);
  index.Erase(3, port);
  EXPECT_EQ(index.Holders(port), nullptr);
}

}  // namespace
}  // namespace swarm
