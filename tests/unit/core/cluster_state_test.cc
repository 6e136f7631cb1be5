#include "core/cluster_state.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "model/expression.h"
#include "unit/core/state_fixture.h"

namespace swarm {
namespace {

TEST_F(ClusterStateTest, FindsContainersInDockersOrder) {
  AddNode("n1");
  AddNode("n2");
  Container web = MakeContainer("abc1", "web");
  web.swarm_id = Id("fed1");
  web.names.emplace_back("db/alias");
  Put("n1", web);
  Put("n2", "abc2", "db");
  Put("n1", "0123456789ab", "twelve");
  Put("n2", "77", "abc");  // a name that is a prefix of two ids
  Put("n2", "88", "fed");  // a name that is a prefix of a swarm id
  Put("n1", "99", "cafe");
  Put("n1", "cafe", "other");  // "cafe" is a name and a prefix: the name wins
  const std::vector<std::pair<std::string, std::string>> table = {
      {Id("abc1"), "n1/web"},
      {"0123456789ab", "n1/twelve"},
      {Id("fed1"), "n1/web"},
      {Id("fed1").substr(0, 12), "n1/web"},
      {"web", "n1/web"},
      {"/web", "n1/web"},
      {"n1/web", "n1/web"},
      {"/n1/web", "n1/web"},
      {"ID-n1/web", "n1/web"},
      {"n1:2375/web", "n1/web"},
      {"db/alias", "n1/web"},
      {"abc", "n2/abc"},
      {"fed", "n2/fed"},
      {"cafe", "n1/cafe"},
      {"cafe0", "n1/other"},
      {"abc1", "n1/web"},
      {"n2/web", "No such container: n2/web"},
      {"n3/web", "No such container: n3/web"},
      {"", "No such container: "},
      {"nobody", "No such container: nobody"},
      {"fe", "No such container: fe"},
      {"WEB", "No such container: WEB"},
  };
  for (const auto& [reference, answer] : table) EXPECT_EQ(Find(reference), answer) << reference;
  EXPECT_EQ(http_, 404);
  EXPECT_EQ(
      Find("ab"),
      "multiple IDs found with provided prefix: ab (abc100000000 n1/web, abc200000000 n2/db): "
      "give more digits");
  EXPECT_EQ(http_, 400);
}

TEST_F(ClusterStateTest, NamesOnTwoNodesAreAConflict) {
  AddNode("n1");
  AddNode("n2");
  Put("n1", "a1", "web");
  Put("n2", "a2", "web");
  EXPECT_EQ(Find("web"),
            "The container name \"web\" is on several nodes: n1/web, n2/web. Use node/name.");
  EXPECT_EQ(http_, 409);
  EXPECT_EQ(Find("n2/web"), "n2/web");
  // Two nodes of one name: the address still tells them apart.
  Node twin = MakeNode("n1");
  twin.address = "other:2375";
  state_.SetNode(twin);
  state_.PutContainer("other:2375", ContainerRecord{MakeContainer("a3", "web"), {}});
  EXPECT_EQ(Find("/n1/web"),
            "The container name \"web\" is on several nodes: n1/web, n1/web. Use node/name.");
  EXPECT_EQ(Find("other:2375/web"), "n1/web");
}

TEST_F(ClusterStateTest, ManyIdsOfOnePrefixAreNamedUpToFive) {
  AddNode("n1");
  for (int i = 0; i < 9; ++i) Put("n1", "ab" + std::to_string(i), "c" + std::to_string(i));
  EXPECT_NE(Find("ab").find("ab4000000000 n1/c4, ...)"), std::string::npos) << Find("ab");
}

TEST_F(ClusterStateTest, FindsNodes) {
  AddNode("n2");
  AddNode("n1");
  EXPECT_EQ(state_.FindNode("n1:2375")->name, "n1");
  EXPECT_EQ(state_.FindNode("n2")->address, "n2:2375");
  EXPECT_EQ(state_.FindNode("ID-n2")->name, "n2");
  EXPECT_EQ(state_.FindNode("n3"), nullptr);
  EXPECT_EQ(state_.FindNode(""), nullptr);
  ASSERT_EQ(state_.Nodes().size(), 2U);
  EXPECT_EQ(state_.Nodes()[0]->name, "n1");
  Node renamed = MakeNode("n1");
  renamed.name = "n9";
  renamed.id = "ID-9";
  state_.SetNode(renamed);
  EXPECT_EQ(state_.FindNode("n1"), nullptr);
  EXPECT_EQ(state_.FindNode("ID-n1"), nullptr);
  EXPECT_EQ(state_.FindNode("n9")->address, "n1:2375");
  EXPECT_EQ(state_.FindNode("ID-9")->address, "n1:2375");
  EXPECT_EQ(state_.Nodes()[1]->name, "n9");
}

TEST_F(ClusterStateTest, ListsNewestFirstThenNodeThenId) {
  AddNode("n2");
  AddNode("n1");
  const auto put = [this](const std::string& node, const std::string& id, int created) {
    Container container = MakeContainer(id, id);
    container.created = WallTime(std::chrono::seconds(created));
    Put(node, container);
  };
  put("n1", "a1", 5);
  put("n2", "a2", 9);
  put("n2", "a3", 7);
  put("n1", "a5", 7);
  put("n1", "a4", 7);
  EXPECT_EQ(ListedNames(), (std::vector<std::string>{"a2", "a4", "a5", "a3", "a1"}));
  put("n1", "a1", 99);
  state_.EraseContainer("n2:2375", Id("a2"));
  EXPECT_EQ(ListedNames(), (std::vector<std::string>{"a1", "a4", "a5", "a3"}));
  // A node's new name changes the order.
  Node renamed = MakeNode("n1");
  renamed.name = "n3";
  state_.SetNode(renamed);
  EXPECT_EQ(ListedNames(), (std::vector<std::string>{"a1", "a3", "a4", "a5"}));
  EXPECT_EQ(state_.TotalsOf("n1:2375").containers, 3);
  EXPECT_EQ(state_.TotalsOf("nowhere").containers, 0);
}

TEST_F(ClusterStateTest, WhatAWholeReadingLeavesUnchangedStaysPublished) {
  AddNode("n1");
  const auto records = [this] {
    std::vector<ContainerRecord> both;
    both.push_back({MakeContainer("a1", "one"), {"h", "t"}});
    both.push_back({MakeContainer("a2", "two"), {"h", "t"}});
    return both;
  };
  state_.SetContainers("n1:2375", records());
  const ContainerPointer one = state_.FindById(Id("a1"));
  const ContainerPointer two = state_.FindById(Id("a2"));
  const ContainerGroups groups = state_.ContainersInGroups();
  const std::uint64_t before = state_.generation();
  state_.SetContainers("n1:2375", records());
  EXPECT_EQ(state_.generation(), before);
  EXPECT_EQ(state_.FindById(Id("a1")), one);
  EXPECT_EQ(state_.ContainersInGroups(), groups);
  // Another row, or another container behind the same row.
  std::vector<ContainerRecord> changed = records();
  changed[0].row.tail = "T";
  state_.SetContainers("n1:2375", changed);
  EXPECT_NE(state_.FindById(Id("a1")), one);
  EXPECT_EQ(state_.FindById(Id("a2")), two);
  EXPECT_NE(state_.ContainersInGroups(), groups);
  changed[1].container.exit_code = 3;
  state_.SetContainers("n1:2375", std::move(changed));
  EXPECT_EQ(state_.FindById(Id("a2"))->container.exit_code, 3);
  EXPECT_GT(state_.generation(), before);
}

TEST_F(ClusterStateTest, TheWholeTruthOfAnEngineReplacesWhatWasKnown) {
  AddNode("n1");
  AddNode("n2");
  Put("n1", "a1", "gone");
  Put("n1", "a2", "stays");
  Put("n2", "a3", "elsewhere");
  std::vector<ContainerRecord> records;
  records.push_back({MakeContainer("a2", "renamed"), {"h", "t"}});
  records.push_back({MakeContainer("a4", "fresh"), {}});
  const std::uint64_t before = state_.generation();
  state_.SetContainers("n1:2375", std::move(records));
  EXPECT_GT(state_.generation(), before);
  EXPECT_EQ(Find("gone"), "No such container: gone");
  EXPECT_EQ(Find("stays"), "No such container: stays");
  EXPECT_EQ(Find("renamed"), "n1/renamed");
  EXPECT_EQ(Find("fresh"), "n1/fresh");
  EXPECT_EQ(Find("elsewhere"), "n2/elsewhere");
  EXPECT_EQ(state_.FindById(Id("a2"))->row.head, "h");
  EXPECT_EQ(state_.FindById(Id("a1")), nullptr);
  state_.SetContainers("nowhere", {});
  state_.PutContainer("nowhere", ContainerRecord{MakeContainer("a9", "lost"), {}});
  EXPECT_EQ(state_.FindById(Id("a9")), nullptr);
}

TEST_F(ClusterStateTest, EntriesAreNewOnlyWhenWhatTheyShowOfTheNodeChanged) {
  AddNode("n1");
  Put("n1", "a1", "web");
  const ContainerPointer before = state_.FindById(Id("a1"));
  Node node = MakeNode("n1");
  node.labels["zone"] = "a";
  node.failures = 1;
  state_.SetNode(node);
  EXPECT_EQ(state_.FindById(Id("a1")), before);
  node.state = NodeState::kUnhealthy;
  state_.SetNode(node);
  const ContainerPointer after = state_.FindById(Id("a1"));
  EXPECT_NE(after, before);
  EXPECT_EQ(after->node->state, NodeState::kUnhealthy);
  EXPECT_EQ(after->row.head, "head");
  EXPECT_EQ(before->node->state, NodeState::kHealthy);
  EXPECT_EQ(Find("web"), "n1/web");
}

TEST_F(ClusterStateTest, CountsAsDockerCounts) {
  AddNode("n1");
  AddNode("n2");
  const std::vector<ContainerState> states = {ContainerState::kRunning, ContainerState::kRestarting,
                                              ContainerState::kPaused,  ContainerState::kExited,
                                              ContainerState::kCreated, ContainerState::kDead,
                                              ContainerState::kRemoving};
  for (std::size_t i = 0; i < states.size(); ++i) {
    Container container = MakeContainer("a" + std::to_string(i), "c" + std::to_string(i));
    container.state = states[i];
    container.request = {kCpu / 10, kGiB / 10};
    Put(i % 2 == 0 ? "n1" : "n2", container);
  }
  const ClusterTotals totals = state_.Totals();
  EXPECT_EQ(totals.containers, 7);
  EXPECT_EQ(totals.running, 2);
  EXPECT_EQ(totals.paused, 1);
  EXPECT_EQ(totals.stopped, 4);
  EXPECT_EQ(totals.total, (Resources{8 * kCpu, 2 * (4 * kGiB + 4 * kGiB * 5 / 100)}));
  EXPECT_EQ(state_.TotalsOf("n1:2375").containers, 4);
  EXPECT_EQ(state_.TotalsOf("n1:2375").reserved, (Resources{4 * (kCpu / 10), 4 * (kGiB / 10)}));
  EXPECT_EQ(state_.TotalsOf("n2:2375").running, 1);
  EXPECT_EQ(state_.TotalsOf("nowhere").containers, 0);
  // Stopped ones still count against the node, pending creates too.
  ContainerSpec spec;
  spec.request.memory = kGiB;
  EXPECT_EQ(PlaceOn(spec), "n2");
  EXPECT_EQ(state_.TotalsOf("n2:2375").reserved.memory, 3 * (kGiB / 10) + kGiB);
  state_.DropNode("n1:2375");
  EXPECT_EQ(state_.Totals().containers, 3);
  EXPECT_EQ(state_.Totals().total.nano_cpus, 4 * kCpu);
  state_.DropNode("n1:2375");
}

TEST_F(ClusterStateTest, ImagesByIdThenNode) {
  AddNode("n2");
  AddNode("n1");
  const auto image = [](const std::string& id) {
    Image made;
    made.id = "sha256:" + id;
    made.repo_tags = {id + ":latest"};
    return made;
  };
  state_.SetImages("n2:2375", {image("b"), image("a")}, {"{b}", "{a}"});
  state_.SetImages("n1:2375", {image("b")}, {});
  state_.SetImages("nowhere", {image("c")}, {});
  std::vector<std::string> seen;
  for (const auto& entry : state_.Images())
    seen.push_back(entry->image.id + "@" + entry->node + entry->row);
  EXPECT_EQ(seen, (std::vector<std::string>{"sha256:a@n2:2375{a}", "sha256:b@n1:2375",
                                            "sha256:b@n2:2375{b}"}));
  EXPECT_EQ(state_.Totals().images, 3);
  Node renamed = MakeNode("n2");
  renamed.name = "n0";
  state_.SetNode(renamed);
  EXPECT_EQ(state_.Images()[1]->node, "n2:2375");
  ContainerSpec spec;
  spec.affinities = {*ParseExpression("image==a")};
  EXPECT_EQ(PlaceOn(spec), "n0");
  state_.SetImages("n2:2375", {image("b")}, {});
  EXPECT_EQ(state_.Totals().images, 2);
  state_.DropNode("n2:2375");
  EXPECT_EQ(state_.Totals().images, 1);
}

}  // namespace
}  // namespace swarm
