#include "core/age_order.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "swarmlib/random.h"

namespace swarm {
namespace {

class AgeOrderTest : public ::testing::Test {
 protected:
  static ContainerPointer Make(int created, const std::string& node, const std::string& id) {
    auto owner = std::make_shared<Node>();
    owner->name = node;
    auto entry = std::make_shared<ContainerEntry>();
    entry->container.id = id;
    entry->container.created = WallTime(std::chrono::seconds(created));
    entry->node = owner;
    return entry;
  }

  std::string Ids() const {
    std::string ids;
    for (const ContainerPointer& entry : order_.All()) ids += entry->container.id + " ";
    return ids;
  }

  static std::vector<ContainerPointer> Flat(const ContainerGroups& groups) {
    std::vector<ContainerPointer> flat;
    for (const auto& group : groups) {
      EXPECT_FALSE(group->empty());
      EXPECT_LE(group->size(), AgeOrder::kMostInGroup);
      flat.insert(flat.end(), group->begin(), group->end());
    }
    return flat;
  }

  // How many groups of `before` are not in `after`.
  static std::size_t Lost(const ContainerGroups& before, const ContainerGroups& after) {
    return static_cast<std::size_t>(
        std::count_if(before.begin(), before.end(), [&after](const auto& group) {
          return std::find(after.begin(), after.end(), group) == after.end();
        }));
  }

  AgeOrder order_;
};

TEST_F(AgeOrderTest, NewestFirstThenNodeThenId) {
  for (const ContainerPointer& entry : {Make(5, "b", "1"), Make(5, "a", "3"), Make(5, "a", "2"),
                                        Make(9, "c", "4"), Make(1, "a", "5")}) {
    order_.Put(entry);
  }
  EXPECT_EQ(Ids(), "4 2 3 1 5 ");
  EXPECT_EQ(Flat(order_.Groups()), order_.All());
}

TEST_F(AgeOrderTest, ANodeWithoutNameCountsByItsAddress) {
  auto owner = std::make_shared<Node>();
  owner->address = "10.0.0.1:2375";
  auto entry = std::make_shared<ContainerEntry>();
  entry->container.id = "1";
  entry->container.created = WallTime(std::chrono::seconds(5));
  entry->node = owner;
  order_.Put(Make(5, "a", "2"));
  order_.Put(entry);
  EXPECT_EQ(Ids(), "1 2 ");
}

TEST_F(AgeOrderTest, AgreesWithASortedListUnderChurn) {
  Random random(7);
  std::vector<ContainerPointer> present;
  for (int step = 0; step < 20'000; ++step) {
    const bool grows = step % 4'000 < 2'500;
    if (present.empty() || random.Below(4) < (grows ? 3U : 1U)) {
      present.push_back(Make(static_cast<int>(random.Below(500)),
                             "n" + std::to_string(random.Below(5)), std::to_string(step)));
      order_.Put(present.back());
    } else {
      const std::size_t at = random.Below(present.size());
      order_.Erase(*present[at]);
      present.erase(present.begin() + static_cast<std::ptrdiff_t>(at));
    }
    if (step % 500 != 0) continue;
    std::vector<ContainerPointer> sorted = present;
    std::sort(sorted.begin(), sorted.end(), [](const auto& left, const auto& right) {
      return std::make_tuple(-left->container.created.time_since_epoch(), left->node->name,
                             left->container.id) <
             std::make_tuple(-right->container.created.time_since_epoch(), right->node->name,
                             right->container.id);
    });
    ASSERT_EQ(order_.All(), sorted);
    ASSERT_EQ(Flat(order_.Groups()), sorted);
  }
}

TEST_F(AgeOrderTest, AChangeCostsOneGroupAndLeavesWhatWasGivenOut) {
  std::vector<ContainerPointer> entries;
  for (int at = 0; at < 1'000; ++at) {
    entries.push_back(Make(at, "n1", std::to_string(at)));
    order_.Put(entries.back());
  }
  for (std::size_t at = 0; at < entries.size(); ++at) {
    const ContainerGroups before = order_.Groups();
    const std::vector<ContainerPointer> flat = Flat(before);
    order_.Erase(*entries[at]);
    entries[at] = Make(static_cast<int>(at), "n1", std::to_string(at));
    order_.Put(entries[at]);
    const ContainerGroups after = order_.Groups();
    ASSERT_EQ(Lost(before, after), 1U) << at;
    ASSERT_EQ(Flat(before), flat) << at;
    ASSERT_NE(Flat(after), flat) << at;
  }
}

TEST_F(AgeOrderTest, GroupsStayFew) {
  std::vector<ContainerPointer> entries;
  for (int at = 0; at < 6'400; ++at) {
    entries.push_back(Make(at, "n1", std::to_string(at)));
    order_.Put(entries.back());
  }
  EXPECT_LE(order_.Groups().size(), 101U);
  for (std::size_t at = 0; at < entries.size(); ++at) {
    if (at % 10 != 0) order_.Erase(*entries[at]);
  }
  EXPECT_EQ(order_.All().size(), 640U);
  EXPECT_LE(order_.Groups().size(), 42U);
  for (std::size_t at = 0; at < entries.size(); at += 10) order_.Erase(*entries[at]);
  EXPECT_TRUE(order_.Groups().empty());
}

TEST_F(AgeOrderTest, ErasingWhatIsNotThereIsABrokenPromise) {
  order_.Put(Make(1, "n1", "1"));
  const ContainerPointer other = Make(1, "n1", "1");
  EXPECT_DEATH(order_.Erase(*other), "is there");
}

}  // namespace
}  // namespace swarm
