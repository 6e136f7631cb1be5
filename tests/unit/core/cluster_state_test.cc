#include "core/cluster_state.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/expression.h"
#include "model/names.h"
#include "swarmlib/status.h"
#include "unit/core/cluster_world.h"

namespace swarm {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;
constexpr std::int64_t kCpu = 1'000'000'000;

std::string Id(const std::string& start) { return start + std::string(64 - start.size(), '0'); }

PortBinding Port(int number) {
  PortBinding port;
  port.host_first = port.host_last = static_cast<std::uint16_t>(number);
  port.container_port = 80;
  return port;
}

class ClusterStateTest : public ::testing::Test {
 protected:
  ClusterStateTest() : state_(StateOptions(), AllFilters(), MakeSpreadStrategy(), random_) {}

  Node MakeNode(const std::string& name) {
    Node node;
    node.name = name;
    node.address = name + ":2375";
    node.id = "ID-" + name;
    node.ip = "10.0.0.1";
    node.state = NodeState::kHealthy;
    node.total = {4 * kCpu, 4 * kGiB};
    return node;
  }
  void AddNode(const std::string& name) { state_.SetNode(MakeNode(name)); }

  Container MakeContainer(const std::string& id, const std::string& name) {
    Container container;
    container.id = Id(id);
    container.names = {name};
    container.state = ContainerState::kRunning;
    return container;
  }
  void Put(const std::string& node, Container container) {
    state_.PutContainer(node + ":2375", ContainerRecord{std::move(container), {"head", "tail"}});
  }
  void Put(const std::string& node, const std::string& id, const std::string& name) {
    Put(node, MakeContainer(id, name));
  }

  // "node/id..." of what it names, or the message.
  std::string Find(std::string_view reference) {
    const absl::StatusOr<ContainerPointer> found = state_.FindContainer(reference);
    if (!found.ok()) {
      http_ = HttpStatusOf(found.status());
      return std::string(MessageOf(found.status()));
    }
    return (*found)->node->name + "/" + (*found)->container.names[0];
  }
  std::string PlaceOn(ContainerSpec spec) {
    const absl::StatusOr<Reservation> place = state_.Place(spec);
    if (!place.ok()) {
      http_ = HttpStatusOf(place.status());
      return std::string(MessageOf(place.status()));
    }
    ticket_ = place->ticket;
    name_ = place->name;
    swarm_id_ = place->swarm_id;
    return place->placement.node_name;
  }
  std::vector<std::string> ListedNames() {
    std::vector<std::string> names;
    for (const ContainerPointer& entry : state_.Containers()) names.push_back(entry->container.names[0]);
    return names;
  }

  Random random_{1};
  ClusterState state_;
  int http_ = 0;
  std::uint64_t ticket_ = 0;
  std::string name_;
  std::string swarm_id_;
};

TEST_F(ClusterStateTest, FindsContainersInDockersOrder) {
  AddNode("n1");
  AddNode("n2");
  Container web = MakeContainer("abc1", "web");
  web.swarm_id = Id("fed1");
  web.names.emplace_back("db/alias");
  Put("n1", web);
  Put("n2", "abc2", "db");
  Put("n1", "0123456789ab", "twelve");
  Put("n2", "77", "abc");     // a name that is a prefix of two ids
  Put("n2", "88", "fed");     // a name that is a prefix of a swarm id
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
  EXPECT_EQ(Find("ab"), "multiple IDs found with provided prefix: ab (abc100000000 n1/web, abc200000000 n2/db): "
                        "give more digits");
  EXPECT_EQ(http_, 400);
}

TEST_F(ClusterStateTest, NamesOnTwoNodesAreAConflict) {
  AddNode("n1");
  AddNode("n2");
  Put("n1", "a1", "web");
  Put("n2", "a2", "web");
  EXPECT_EQ(Find("web"), "The container name \"web\" is on several nodes: n1/web, n2/web. Use node/name.");
  EXPECT_EQ(http_, 409);
  EXPECT_EQ(Find("n2/web"), "n2/web");
  // Two nodes of one name: the address still tells them apart.
  Node twin = MakeNode("n1");
  twin.address = "other:2375";
  state_.SetNode(twin);
  state_.PutContainer("other:2375", ContainerRecord{MakeContainer("a3", "web"), {}});
  EXPECT_EQ(Find("/n1/web"), "The container name \"web\" is on several nodes: n1/web, n1/web. Use node/name.");
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
  EXPECT_EQ(state_.ContainersOf("n1:2375").size(), 3U);
  EXPECT_TRUE(state_.ContainersOf("nowhere").empty());
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
  for (const auto& entry : state_.Images()) seen.push_back(entry->image.id + "@" + entry->node + entry->row);
  EXPECT_EQ(seen, (std::vector<std::string>{"sha256:a@n2:2375{a}", "sha256:b@n1:2375", "sha256:b@n2:2375{b}"}));
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

TEST_F(ClusterStateTest, PlaceHoldsTheName) {
  AddNode("n1");
  ContainerSpec spec;
  spec.name = "web";
  spec.swarm_id = Id("51");
  EXPECT_EQ(PlaceOn(spec), "n1");
  EXPECT_EQ(swarm_id_, Id("51"));
  const std::uint64_t ticket = ticket_;
  EXPECT_EQ(PlaceOn(spec), "Conflict. The container name \"/web\" is already in use by container \"" + Id("51") +
                               "\" (being created on n1). You have to remove (or rename) that container to be able to "
                               "reuse that name.");
  EXPECT_EQ(http_, 409);
  ContainerRecord record{MakeContainer("a1", "web"), {}};
  record.container.swarm_id = Id("51");
  state_.Settle(ticket, &record);
  EXPECT_EQ(Find("web"), "n1/web");
  EXPECT_EQ(state_.FindBySwarmId(Id("51"))->container.id, Id("a1"));
  EXPECT_EQ(state_.FindBySwarmId(Id("52")), nullptr);
  EXPECT_EQ(state_.FindBySwarmId(""), nullptr);
  EXPECT_EQ(PlaceOn(spec), "Conflict. The container name \"/web\" is already in use by container \"" + Id("a1") +
                               "\". You have to remove (or rename) that container to be able to reuse that name.");
  state_.EraseContainer("n1:2375", Id("a1"));
  EXPECT_EQ(PlaceOn(spec), "n1");
  state_.Settle(ticket_, nullptr);
  EXPECT_EQ(PlaceOn(spec), "n1");
  state_.Settle(999, nullptr);
}

TEST_F(ClusterStateTest, PlaceRefusesNamesThatTheEngineWould) {
  AddNode("n1");
  ContainerSpec spec;
  spec.name = "we b";
  EXPECT_EQ(PlaceOn(spec), "Invalid container name (we b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
  EXPECT_EQ(http_, 400);
}

TEST_F(ClusterStateTest, InventsNamesAndIds) {
  AddNode("n1");
  StringSet names;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(PlaceOn({}), "n1");
    EXPECT_TRUE(IsContainerName(name_)) << name_;
    EXPECT_TRUE(IsFullId(swarm_id_));
    EXPECT_TRUE(names.insert(name_).second) << name_;
  }
}

TEST_F(ClusterStateTest, ConcurrentCreatesNeverShareAPort) {
  for (const char* name : {"n1", "n2", "n3"}) AddNode(name);
  ContainerSpec spec;
  spec.ports = {Port(8080)};
  std::vector<std::uint64_t> tickets;
  for (int i = 0; i < 60; ++i) {
    const absl::StatusOr<Reservation> place = state_.Place(spec);
    if (place.ok()) tickets.push_back(place->ticket);
  }
  EXPECT_EQ(tickets.size(), 3U);
  EXPECT_NE(PlaceOn(spec).find("n1: host port 8080/tcp is held by "), std::string::npos);
  state_.Settle(tickets[1], nullptr);
  EXPECT_NE(PlaceOn(spec).find("n"), std::string::npos);
  EXPECT_NE(PlaceOn(spec).find("Unable to find a node"), std::string::npos);
}

TEST_F(ClusterStateTest, TheEnginesEventMayComeBeforeItsAnswer) {
  AddNode("n1");
  ContainerSpec spec;
  spec.name = "web";
  spec.request.memory = 2 * kGiB;
  EXPECT_EQ(PlaceOn(spec), "n1");
  ContainerRecord record{MakeContainer("a1", "web"), {}};
  record.container.swarm_id = swarm_id_;
  record.container.request = spec.request;
  state_.PutContainer("n1:2375", record);
  EXPECT_EQ(state_.TotalsOf("n1:2375").reserved.memory, 2 * kGiB);
  state_.Settle(ticket_, &record);
  EXPECT_EQ(state_.TotalsOf("n1:2375").reserved.memory, 2 * kGiB);
  EXPECT_EQ(state_.TotalsOf("n1:2375").containers, 1);
}

TEST_F(ClusterStateTest, PendingCreatesCanBeReferredTo) {
  AddNode("n1");
  AddNode("n2");
  ContainerSpec spec;
  spec.name = "db";
  spec.labels["app"] = "db";
  EXPECT_EQ(PlaceOn(spec), "n1");
  ContainerSpec linked;
  linked.links = {"db"};
  EXPECT_EQ(PlaceOn(linked), "n1");
  ContainerSpec with;
  with.affinities = {*ParseExpression("container==db")};
  EXPECT_EQ(PlaceOn(with), "n1");
  ContainerSpec labelled;
  labelled.affinities = {*ParseExpression("app==db")};
  EXPECT_EQ(PlaceOn(labelled), "n1");
}

TEST_F(ClusterStateTest, ReservationsOutliveTheirNode) {
  AddNode("n1");
  ContainerSpec spec;
  spec.name = "web";
  spec.request.memory = 3 * kGiB;
  EXPECT_EQ(PlaceOn(spec), "n1");
  const std::uint64_t ticket = ticket_;
  state_.DropNode("n1:2375");
  AddNode("n2");
  EXPECT_NE(PlaceOn(spec).find("is already in use"), std::string::npos);
  AddNode("n1");
  EXPECT_EQ(state_.TotalsOf("n1:2375").reserved.memory, 3 * kGiB);
  state_.DropNode("n1:2375");
  const ContainerRecord record{MakeContainer("a1", "web"), {}};
  state_.Settle(ticket, &record);
  EXPECT_EQ(state_.FindById(Id("a1")), nullptr);
  EXPECT_EQ(PlaceOn(spec), "n2");
}

TEST_F(ClusterStateTest, AContainerThatMovedIsOnOneNodeOnly) {
  AddNode("n1");
  AddNode("n2");
  Put("n1", "a1", "web");
  Put("n2", "a1", "web");
  EXPECT_EQ(Find("web"), "n2/web");
  EXPECT_EQ(state_.Totals().containers, 1);
  EXPECT_TRUE(state_.ContainersOf("n1:2375").empty());
  state_.EraseContainer("n1:2375", Id("a1"));
  EXPECT_EQ(Find("web"), "n2/web");
}

TEST_F(ClusterStateTest, ReserveNameHoldsBothNames) {
  AddNode("n1");
  Put("n1", "a1", "web");
  Put("n1", "a2", "db");
  EXPECT_EQ(HttpStatusOf(state_.ReserveName(Id("a9"), "new").status()), 404);
  EXPECT_EQ(HttpStatusOf(state_.ReserveName(Id("a1"), "a b").status()), 400);
  EXPECT_EQ(HttpStatusOf(state_.ReserveName(Id("a1"), "web").status()), 400);
  EXPECT_EQ(HttpStatusOf(state_.ReserveName(Id("a1"), "db").status()), 409);
  const absl::StatusOr<std::uint64_t> ticket = state_.ReserveName(Id("a1"), "new");
  ASSERT_TRUE(ticket.ok());
  const absl::StatusOr<std::uint64_t> second = state_.ReserveName(Id("a2"), "new");
  EXPECT_NE(MessageOf(second.status()).find("is already in use by container \"" + Id("a1") + "\""),
            std::string_view::npos);
  ContainerSpec spec;
  spec.name = "new";
  EXPECT_NE(PlaceOn(spec).find("is already in use"), std::string::npos);
  spec.name = "web";
  EXPECT_NE(PlaceOn(spec).find("is already in use"), std::string::npos);
  Put("n1", "a1", "new");
  state_.Release(*ticket);
  EXPECT_EQ(PlaceOn(spec), "n1");
  EXPECT_EQ(Find("new"), "n1/new");
}

struct StartRow {
  const char* name;
  ContainerState starting;
  ContainerState other;
  bool starts;
};

TEST_F(ClusterStateTest, ReserveStartLooksAtWhoHoldsThePort) {
  AddNode("n1");
  const std::vector<StartRow> table = {
      {"held by a running one", ContainerState::kExited, ContainerState::kRunning, false},
      {"a stopped one holds nothing", ContainerState::kExited, ContainerState::kExited, true},
      {"one just created holds against a stopped one", ContainerState::kExited, ContainerState::kCreated, false},
      {"of two created ones the first wins", ContainerState::kCreated, ContainerState::kCreated, true},
      {"a running one holds against a created one", ContainerState::kCreated, ContainerState::kRunning, false},
      {"what runs starts again", ContainerState::kRunning, ContainerState::kExited, true},
  };
  for (const StartRow& row : table) {
    SCOPED_TRACE(row.name);
    Container starting = MakeContainer("a1", "web");
    starting.state = row.starting;
    starting.wanted_ports = {Port(80)};
    Container other = MakeContainer("a2", "other");
    other.state = row.other;
    other.wanted_ports = {Port(80)};
    if (row.other == ContainerState::kRunning) other.bound_ports = {Port(80)};
    Put("n1", starting);
    Put("n1", other);
    const absl::StatusOr<std::uint64_t> ticket = state_.ReserveStart(Id("a1"));
    EXPECT_EQ(ticket.ok(), row.starts);
    if (!ticket.ok()) {
      EXPECT_EQ(MessageOf(ticket.status()),
                "Cannot start container web on node n1: host port 80/tcp is held by other. Stop the holder first, or "
                "create the container with another port.");
      EXPECT_EQ(HttpStatusOf(ticket.status()), 409);
      continue;
    }
    // While it starts, nobody else gets the port.
    if (row.starting != ContainerState::kRunning) {
      const absl::StatusOr<std::uint64_t> late = state_.ReserveStart(Id("a2"));
      EXPECT_FALSE(late.ok());
      ContainerSpec spec;
      spec.ports = {Port(80)};
      EXPECT_NE(PlaceOn(spec).find("host port 80/tcp is held by"), std::string::npos);
    }
    state_.Release(*ticket);
    state_.Release(*ticket);
  }
  EXPECT_EQ(HttpStatusOf(state_.ReserveStart(Id("a9")).status()), 404);
}

TEST_F(ClusterStateTest, ReserveStartOfARangeAndAgainstPendingCreates) {
  AddNode("n1");
  Container ranged = MakeContainer("a1", "ranged");
  ranged.state = ContainerState::kExited;
  PortBinding range = Port(80);
  range.host_last = 81;
  ranged.wanted_ports = {range};
  Put("n1", ranged);
  ContainerSpec spec;
  spec.ports = {Port(80), Port(81)};
  EXPECT_EQ(PlaceOn(spec), "n1");
  const absl::StatusOr<std::uint64_t> start = state_.ReserveStart(Id("a1"));
  EXPECT_EQ(MessageOf(start.status()),
            "Cannot start container ranged on node n1: no host port of 80-81/tcp is free. Stop the holder first, or "
            "create the container with another port.");
  state_.Settle(ticket_, nullptr);
  EXPECT_TRUE(state_.ReserveStart(Id("a1")).ok());
  EXPECT_TRUE(state_.ReserveStart(Id("a1")).ok()) << "its own start does not stand in its way";
}

TEST_F(ClusterStateTest, ReserveUpdateHoldsWhatIsAdded) {
  AddNode("n1");
  Container container = MakeContainer("a1", "web");
  container.request = {kCpu, kGiB};
  Put("n1", container);
  EXPECT_EQ(HttpStatusOf(state_.ReserveUpdate(Id("a9"), {}).status()), 404);
  const absl::StatusOr<std::uint64_t> ticket = state_.ReserveUpdate(Id("a1"), {2 * kCpu, 3 * kGiB});
  ASSERT_TRUE(ticket.ok());
  EXPECT_EQ(state_.TotalsOf("n1:2375").reserved, (Resources{2 * kCpu, 3 * kGiB}));
  const absl::StatusOr<std::uint64_t> memory = state_.ReserveUpdate(Id("a1"), {0, 4 * kGiB});
  EXPECT_EQ(MessageOf(memory.status()), "Cannot update container web on node n1: memory: 3.0 GiB more asked, 1.2 GiB "
                                        "of 4.2 GiB left. Ask for less, or make room on the node.");
  EXPECT_EQ(HttpStatusOf(memory.status()), 409);
  const absl::StatusOr<std::uint64_t> cpus = state_.ReserveUpdate(Id("a1"), {4 * kCpu, 0});
  EXPECT_EQ(MessageOf(cpus.status()), "Cannot update container web on node n1: cpus: 3.0 more asked, 2.0 of 4.0 left. "
                                      "Ask for less, or make room on the node.");
  state_.Release(*ticket);
  EXPECT_EQ(state_.TotalsOf("n1:2375").reserved, (Resources{kCpu, kGiB}));
  EXPECT_TRUE(state_.ReserveUpdate(Id("a1"), {kCpu / 2, kGiB / 2}).ok()) << "less is always granted";
}

TEST_F(ClusterStateTest, ExplainChangesNothing) {
  AddNode("n1");
  const std::uint64_t before = state_.generation();
  const absl::StatusOr<Explanation> explanation = state_.Explain({});
  ASSERT_TRUE(explanation.ok());
  EXPECT_EQ(explanation->chosen->node_name, "n1");
  EXPECT_EQ(state_.generation(), before);
  EXPECT_EQ(state_.strategy(), "spread");
  EXPECT_EQ(state_.filters().size(), 8U);
  EXPECT_EQ(state_.filters()[0], "health");
}

TEST(RandomStateTest, UpdatesAreNotCheckedWhereNothingIs) {
  Random random(3);
  ClusterState state(StateOptions(), AllFilters(), MakeRandomStrategy(), random);
  Node node;
  node.address = "n1:2375";
  node.name = "n1";
  node.state = NodeState::kHealthy;
  state.SetNode(node);
  Container container;
  container.id = Id("a1");
  state.PutContainer("n1:2375", ContainerRecord{container, {}});
  EXPECT_TRUE(state.ReserveUpdate(Id("a1"), {kCpu, kGiB}).ok());
}

}  // namespace
}  // namespace swarm
