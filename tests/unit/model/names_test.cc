#include "model/names.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "model/name_words.h"
#include "swarmlib/model.h"

namespace swarm {
namespace {

TEST(NamesTest, ContainerNamesAreThoseOfTheEngine) {
  for (const char* name : {"web", "a1", "0x", "my.web-1_a", "Web"})
    EXPECT_TRUE(IsContainerName(name)) << name;
  for (const char* name : {"", "a", "-web", ".web", "_web", "we b", "we/b", "web\n", "wéb"}) {
    EXPECT_FALSE(IsContainerName(name)) << name;
  }
}

TEST(NamesTest, FullIdsHave64LowerCaseDigits) {
  EXPECT_TRUE(IsFullId(std::string(64, 'a')));
  EXPECT_TRUE(IsFullId(std::string(32, '0') + std::string(32, 'f')));
  EXPECT_FALSE(IsFullId(std::string(63, 'a')));
  EXPECT_FALSE(IsFullId(std::string(65, 'a')));
  EXPECT_FALSE(IsFullId(std::string(64, 'A')));
  EXPECT_FALSE(IsFullId(std::string(64, 'g')));
}

TEST(NamesTest, InventedNamesAreValidManyAndReplayable) {
  Random random(7);
  Random again(7);
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = InventName(random, i % 2);
    EXPECT_TRUE(IsContainerName(name)) << name;
    EXPECT_EQ(name, InventName(again, i % 2));
    const bool has_digit = name.back() >= '0' && name.back() <= '9';
    EXPECT_EQ(has_digit, i % 2 == 1) << name;
    EXPECT_NE(name.find('_'), std::string::npos);
    names.insert(name);
  }
  EXPECT_GT(names.size(), 950U);
}

TEST(NamesTest, WordsAreDistinctAndPlenty) {
  EXPECT_GE(kManners.size(), 100U);
  EXPECT_GE(kPeople.size(), 150U);
  EXPECT_EQ(std::set<std::string_view>(kManners.begin(), kManners.end()).size(), kManners.size());
  EXPECT_EQ(std::set<std::string_view>(kPeople.begin(), kPeople.end()).size(), kPeople.size());
}

TEST(ModelTest, ContainerStatesHaveNames) {
  for (const char* name :
       {"created", "running", "paused", "restarting", "removing", "exited", "dead"}) {
    const std::optional<ContainerState> state = ParseContainerState(name);
    ASSERT_TRUE(state) << name;
    EXPECT_EQ(ContainerStateName(*state), name);
  }
  EXPECT_FALSE(ParseContainerState("Running"));
  EXPECT_FALSE(ParseContainerState(""));
}

TEST(ModelTest, NodeStatesHaveNames) {
  EXPECT_EQ(NodeStateName(NodeState::kPending), "Pending");
  EXPECT_EQ(NodeStateName(NodeState::kHealthy), "Healthy");
  EXPECT_EQ(NodeStateName(NodeState::kUnhealthy), "Unhealthy");
  EXPECT_EQ(NodeStateName(NodeState::kDisconnected), "Disconnected");
}

}  // namespace
}  // namespace swarm
