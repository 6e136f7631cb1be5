// The same container id on two engines.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "unit/core/state_fixture.h"

namespace swarm {
namespace {

class ClashTest : public ClusterStateTest {
 protected:
  ClashTest() {
    AddNode("n1");
    AddNode("n2");
  }
  // All that the node's engine has.
  void Tell(const std::string& node, const std::vector<std::string>& ids) {
    std::vector<ContainerRecord> records;
    for (const std::string& id : ids)
      records.push_back({MakeContainer(id, "on-" + node + "-" + id), {"head", "tail"}});
    state_.SetContainers(node + ":2375", std::move(records));
  }
  std::string HolderOf(const std::string& id) {
    const ContainerPointer entry = state_.FindById(Id(id));
    return entry ? entry->node->name : "";
  }
  std::string ErrorOf(const std::string& node) { return state_.FindNode(node)->error; }
};

TEST_F(ClashTest, StaysWithItsFirstHolder) {
  Tell("n1", {"aa", "ab"});
  Tell("n2", {"aa", "bb"});
  EXPECT_EQ(HolderOf("aa"), "n1") << "a whole reading";
  EXPECT_EQ(HolderOf("bb"), "n2");
  Put("n2", "ab", "mine");
  EXPECT_EQ(HolderOf("ab"), "n1") << "a single reading";
  EXPECT_EQ(Find("mine"), "No such container: mine");
  Tell("n1", {"aa", "ab"});
  Tell("n2", {"aa", "ab", "bb"});
  EXPECT_EQ(HolderOf("aa"), "n1");
  EXPECT_EQ(state_.Totals().containers, 3);
  EXPECT_EQ(state_.TotalsOf("n2:2375").containers, 1);
}

TEST_F(ClashTest, StaysWithASilentHolder) {
  Tell("n1", {"aa"});
  Node silent = MakeNode("n1");
  silent.state = NodeState::kUnhealthy;
  silent.error = "no answer";
  state_.SetNode(silent);
  Tell("n2", {"aa"});
  EXPECT_EQ(HolderOf("aa"), "n1");
}

TEST_F(ClashTest, GoesOnceItsHolderHasItNoMore) {
  Tell("n1", {"aa", "ab"});
  Tell("n2", {"aa", "ab"});
  state_.EraseContainer("n1:2375", Id("aa"));
  Tell("n2", {"aa", "ab"});
  EXPECT_EQ(HolderOf("aa"), "n2");
  state_.DropNode("n1:2375");
  Tell("n2", {"aa", "ab"});
  EXPECT_EQ(HolderOf("ab"), "n2");
  EXPECT_EQ(ErrorOf("n2"), "");
}

TEST_F(ClashTest, IsShownAtTheSecondNodeWhileItLasts) {
  Tell("n1", {"aa", "ab", "ac"});
  Tell("n2", {"aa"});
  EXPECT_EQ(ErrorOf("n1"), "");
  EXPECT_EQ(ErrorOf("n2"),
            "container aa0000000000 is on node n1 (n1:2375) too, which had it first: it is not "
            "shown here");
  state_.SetNode(MakeNode("n2"));  // as the engine's next reading publishes it
  EXPECT_NE(ErrorOf("n2"), "");
  Tell("n2", {"aa", "ab", "ac"});
  EXPECT_NE(ErrorOf("n2").find("nor are 2 more"), std::string::npos) << ErrorOf("n2");
  Node ill = MakeNode("n2");
  ill.error = "no answer";
  state_.SetNode(ill);
  EXPECT_EQ(ErrorOf("n2"), "no answer") << "its own error is said first";
  state_.SetNode(MakeNode("n2"));
  EXPECT_NE(ErrorOf("n2"), "");
  Tell("n2", {"bb"});
  EXPECT_EQ(ErrorOf("n2"), "");
  Put("n2", "aa", "x");
  EXPECT_NE(ErrorOf("n2"), "");
  state_.EraseContainer("n2:2375", Id("aa"));
  EXPECT_EQ(ErrorOf("n2"), "");
}

TEST_F(ClashTest, IsNotedOnce) {
  Tell("n1", {"aa", "ab"});
  Tell("n2", {"aa", "ab", "bb"});
  Tell("n2", {"aa", "ab", "bb"});
  Put("n2", "aa", "x");
  std::vector<ClashNote> notes = state_.TakeClashNotes();
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].node, "n2:2375");
  EXPECT_EQ(notes[0].text, ErrorOf("n2"));
  EXPECT_TRUE(state_.TakeClashNotes().empty());
}

// A create is answered with the id of another node's container.
TEST_F(ClashTest, ACreateTakesNothingOver) {
  Tell("n1", {"aa"});
  ContainerSpec spec;
  spec.name = "new";
  Expression only;
  only.key = "node";
  only.value = only.text = "n2";
  spec.constraints = {only};
  ASSERT_EQ(PlaceOn(spec), "n2");
  const ContainerRecord made{MakeContainer("aa", "new"), {"head", "tail"}};
  state_.Settle(ticket_, &made);
  EXPECT_EQ(HolderOf("aa"), "n1");
  EXPECT_NE(ErrorOf("n2"), "");
  EXPECT_EQ(state_.TotalsOf("n2:2375").containers, 0);
}

}  // namespace
}  // namespace swarm
