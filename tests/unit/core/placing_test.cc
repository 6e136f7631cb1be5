// Reservations: of creates, names, starts and updates.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "model/expression.h"
#include "model/names.h"
#include "unit/core/state_fixture.h"

namespace swarm {
namespace {

TEST_F(ClusterStateTest, PlaceHoldsTheName) {
  AddNode("n1");
  ContainerSpec spec;
  spec.name = "web";
  spec.swarm_id = Id("51");
  EXPECT_EQ(PlaceOn(spec), "n1");
  EXPECT_EQ(swarm_id_, Id("51"));
  const std::uint64_t ticket = ticket_;
  EXPECT_EQ(
      PlaceOn(spec),
      "Conflict. The container name \"/web\" is already in use by container \"" + Id("51") +
          "\" (being created on n1). You have to remove (or rename) that container to be able to "
          "reuse that name.");
  EXPECT_EQ(http_, 409);
  ContainerRecord record{MakeContainer("a1", "web"), {}};
  record.container.swarm_id = Id("51");
  state_.Settle(ticket, &record);
  EXPECT_EQ(Find("web"), "n1/web");
  EXPECT_EQ((*state_.FindContainer(Id("51")))->container.id, Id("a1"));
  EXPECT_FALSE(state_.FindContainer(Id("52")).ok());
  EXPECT_EQ(PlaceOn(spec),
            "Conflict. The container name \"/web\" is already in use by container \"" + Id("a1") +
                "\". You have to remove (or rename) that container to be able to reuse that name.");
  state_.EraseContainer("n1:2375", Id("a1"));
  EXPECT_EQ(PlaceOn(spec), "n1");
  state_.Settle(ticket_, nullptr);
  EXPECT_EQ(PlaceOn(spec), "n1");
  state_.Settle(999, nullptr);
}

// Labels copied from another container, its id among them.
TEST_F(ClusterStateTest, ASwarmIdThatIsNotFreeIsReplaced) {
  AddNode("n1");
  Container known = MakeContainer("a1", "web");
  known.swarm_id = Id("51");
  Put("n1", known);
  ContainerSpec spec;
  for (const std::string& taken : {Id("51"), Id("a1"), std::string("web"), std::string()}) {
    spec.swarm_id = taken;
    EXPECT_EQ(PlaceOn(spec), "n1");
    EXPECT_NE(swarm_id_, taken);
    EXPECT_TRUE(IsFullId(swarm_id_));
  }
  spec.swarm_id = Id("52");
  EXPECT_EQ(PlaceOn(spec), "n1");
  EXPECT_EQ(swarm_id_, Id("52"));
  const std::uint64_t first = ticket_;
  EXPECT_EQ(PlaceOn(spec), "n1");
  EXPECT_NE(swarm_id_, Id("52"));
  state_.Settle(first, nullptr);
  EXPECT_EQ(PlaceOn(spec), "n1");
  EXPECT_EQ(swarm_id_, Id("52"));
}

TEST_F(ClusterStateTest, AStartInTheHostsNetworkTakesNoPort) {
  AddNode("n1");
  for (const char* id : {"a1", "a2"}) {
    Container container = MakeContainer(id, std::string("host") + id);
    container.network_mode = "host";
    container.exposed_ports = {Port(80)};  // of its image
    container.exposed_ports[0].container_port = 80;
    container.state = ContainerState::kExited;
    Put("n1", std::move(container));
  }
  const absl::StatusOr<std::uint64_t> first = state_.ReserveStart(Id("a1"));
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(state_.ReserveStart(Id("a2")).ok());
  Container published = MakeContainer("a3", "bridged");
  published.state = ContainerState::kExited;
  published.wanted_ports = {Port(80)};
  Put("n1", published);
  Container running = MakeContainer("a1", "hosta1");
  running.network_mode = "host";
  running.exposed_ports = {Port(80)};
  Put("n1", running);
  EXPECT_TRUE(state_.ReserveStart(Id("a3")).ok());
  EXPECT_TRUE(state_.ReserveStart(Id("a2")).ok());
}

TEST_F(ClusterStateTest, PlaceRefusesNamesThatTheEngineWould) {
  AddNode("n1");
  ContainerSpec spec;
  spec.name = "we b";
  EXPECT_EQ(PlaceOn(spec),
            "Invalid container name (we b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
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

TEST_F(ClusterStateTest, AContainerOfTwoEnginesIsOnOneNodeOnly) {
  AddNode("n1");
  AddNode("n2");
  Put("n1", "a1", "web");
  Put("n2", "a1", "web");
  EXPECT_EQ(Find("web"), "n1/web");
  EXPECT_EQ(state_.Totals().containers, 1);
  EXPECT_EQ(state_.TotalsOf("n2:2375").containers, 0);
  state_.EraseContainer("n1:2375", Id("a1"));
  Put("n2", "a1", "web");
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
      {"one just created holds against a stopped one", ContainerState::kExited,
       ContainerState::kCreated, false},
      {"of two created ones the first wins", ContainerState::kCreated, ContainerState::kCreated,
       true},
      {"a running one holds against a created one", ContainerState::kCreated,
       ContainerState::kRunning, false},
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
                "Cannot start container web on node n1: host port 80/tcp is held by other. Stop "
                "the holder first, or "
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
            "Cannot start container ranged on node n1: no host port of 80-81/tcp is free. Stop the "
            "holder first, or "
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
  EXPECT_EQ(MessageOf(memory.status()),
            "Cannot update container web on node n1: memory: 3.0 GiB more asked, 1.2 GiB "
            "of 4.2 GiB left. Ask for less, or make room on the node.");
  EXPECT_EQ(HttpStatusOf(memory.status()), 409);
  const absl::StatusOr<std::uint64_t> cpus = state_.ReserveUpdate(Id("a1"), {4 * kCpu, 0});
  EXPECT_EQ(MessageOf(cpus.status()),
            "Cannot update container web on node n1: cpus: 3.0 more asked, 2.0 of 4.0 left. "
            "Ask for less, or make room on the node.");
  state_.Release(*ticket);
  EXPECT_EQ(state_.TotalsOf("n1:2375").reserved, (Resources{kCpu, kGiB}));
  EXPECT_TRUE(state_.ReserveUpdate(Id("a1"), {kCpu / 2, kGiB / 2}).ok())
      << "less is always granted";
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
