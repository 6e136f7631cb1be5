#include "sched/ports.h"

#include <gtest/gtest.h>

#include <vector>

namespace swarm {
namespace {

PortBinding Port(int first, int last = 0, const char* ip = "", const char* protocol = "tcp") {
  PortBinding port;
  port.host_first = static_cast<std::uint16_t>(first);
  port.host_last = static_cast<std::uint16_t>(last == 0 ? first : last);
  port.host_ip = ip;
  port.protocol = protocol;
  port.container_port = 80;
  return port;
}

struct Row {
  const char* name;
  std::vector<PortBinding> asked;
  std::vector<PortBinding> held;
  bool fits;
};

TEST(PortsTest, FitBesideWhatIsHeld) {
  const std::vector<Row> table = {
      {"nothing asked", {}, {Port(80)}, true},
      {"nothing held", {Port(80)}, {}, true},
      {"another port", {Port(80)}, {Port(81)}, true},
      {"the same port", {Port(80)}, {Port(80)}, false},
      {"another protocol", {Port(53, 0, "", "udp")}, {Port(53)}, true},
      {"specific beside specific", {Port(80, 0, "10.0.0.1")}, {Port(80, 0, "10.0.0.2")}, true},
      {"specific twice", {Port(80, 0, "10.0.0.1")}, {Port(80, 0, "10.0.0.1")}, false},
      {"specific beside wildcard", {Port(80, 0, "10.0.0.1")}, {Port(80, 0, "0.0.0.0")}, false},
      {"wildcard beside specific", {Port(80)}, {Port(80, 0, "10.0.0.1")}, false},
      {"wildcards are one", {Port(80, 0, "::")}, {Port(80, 0, "0.0.0.0")}, false},
      {"range with one port left", {Port(80, 82)}, {Port(80), Port(82)}, true},
      {"range without any", {Port(80, 82)}, {Port(80), Port(81), Port(82)}, false},
      {"range of another protocol",
       {Port(80, 81)},
       {Port(80, 0, "", "udp"), Port(81, 0, "", "udp")},
       true},
      {"range and a single one take what is left", {Port(80), Port(80, 81)}, {}, true},
      {"range and a single one, too few", {Port(80), Port(80, 81)}, {Port(81)}, false},
      {"two ranges, two ports", {Port(80, 81), Port(80, 81)}, {}, true},
      {"three ranges, two ports", {Port(80, 81), Port(80, 81), Port(80, 81)}, {}, false},
      {"a held range leaves the last port", {Port(80)}, {Port(80, 81)}, true},
      {"a held range needs the last port", {Port(80)}, {Port(80, 81), Port(81)}, false},
      {"held ranges shift", {Port(80, 81)}, {Port(80, 82), Port(82)}, true},
      {"narrow before wide", {Port(80, 80 + 3)}, {Port(80, 81), Port(81, 82), Port(80, 82)}, true},
      {"range on one address",
       {Port(80, 80 + 1, "10.0.0.1")},
       {Port(80, 0, "10.0.0.2"), Port(81)},
       true},
      {"ranges that clash already hold nothing against others",
       {Port(90)},
       {Port(80, 81), Port(80, 81), Port(80, 81)},
       true},
  };
  for (const Row& row : table) {
    EXPECT_EQ(PortsFit(row.asked, HeldPorts(row.held)), row.fits) << row.name;
    std::vector<PortHold> holds;
    for (const PortBinding& port : row.held) holds.push_back({port, "web"});
    EXPECT_EQ(FindPortConflict(row.asked, holds).has_value(), !row.fits) << row.name;
  }
}

TEST(PortsTest, ConflictNamesTheFirstHolder) {
  const std::vector<PortHold> held = {{Port(80), "web2"},
                                      {Port(80, 0, "10.0.0.1"), "web1"},
                                      {Port(90, 91), "late"},
                                      {Port(91), "web3"}};
  const std::optional<PortConflict> single = FindPortConflict({Port(81), Port(80)}, held);
  ASSERT_TRUE(single);
  EXPECT_EQ(single->holder, "web1");
  EXPECT_EQ(single->asked, Port(80));
  const std::optional<PortConflict> range = FindPortConflict({Port(91, 91), Port(80, 80)}, held);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->holder, "web3");
  const std::optional<PortConflict> last = FindPortConflict({Port(90)}, held);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->holder, "late");
  const std::optional<PortConflict> none = FindPortConflict({Port(90, 91), Port(90, 91)}, held);
  ASSERT_TRUE(none);
  EXPECT_EQ(none->holder, "");
}

TEST(PortsTest, HeldOnesComeAndGo) {
  HeldPorts held;
  EXPECT_TRUE(held.empty());
  held.Insert(Port(80, 0, "10.0.0.1"));
  held.Insert(Port(80, 0, "10.0.0.2"));
  held.Insert(Port(80, 0, "10.0.0.2"));
  held.Insert(Port(90, 91));
  EXPECT_TRUE(held.Clashes(Port(80, 0, "10.0.0.2")));
  EXPECT_FALSE(held.Clashes(Port(80, 0, "10.0.0.3")));
  EXPECT_FALSE(held.Clashes(Port(90)));
  held.Erase(Port(80, 0, "10.0.0.2"));
  EXPECT_TRUE(held.Clashes(Port(80, 0, "10.0.0.2")));
  held.Erase(Port(80, 0, "10.0.0.2"));
  EXPECT_FALSE(held.Clashes(Port(80, 0, "10.0.0.2")));
  EXPECT_TRUE(held.HoldsNumber(Port(80)));
  held.Erase(Port(80, 0, "10.0.0.1"));
  EXPECT_FALSE(held.HoldsNumber(Port(80)));
  EXPECT_EQ(held.ranges().size(), 1U);
  held.Erase(Port(90, 91));
  EXPECT_TRUE(held.empty());
}

// Every port of a host twice over: with a search through all of them for each this would take
// minutes.
// Else two managers, or one before and after a restart, would decide differently.
TEST(PortsTest, TheOrderInWhichRangesCameDecidesNothing) {
  const PortBinding asked = Port(82, 0, "10.0.0.1");
  const PortBinding specific = Port(81, 82, "10.0.0.2");
  const PortBinding wildcard = Port(81, 82);
  EXPECT_TRUE(PortsFit({asked}, HeldPorts({specific, wildcard})));
  EXPECT_TRUE(PortsFit({asked}, HeldPorts({wildcard, specific})));
}

TEST(PortsTest, EveryPortOfAHostIsComparedAtOnce) {
  std::vector<PortBinding> all;
  std::vector<PortHold> holds;
  for (int port = 1; port <= 65'535; ++port) {
    all.push_back(Port(port));
    holds.push_back({Port(port, 0, "", "udp"), "web"});
  }
  HeldPorts held(all);
  EXPECT_FALSE(FindPortConflict(all, holds));
  EXPECT_TRUE(PortsFit({Port(53, 0, "", "udp")}, held));
  const std::vector<PortBinding> ranges(256, Port(1, 65'535));
  EXPECT_FALSE(PortsFit(ranges, held));
  EXPECT_TRUE(PortsFit(ranges, HeldPorts()));
  for (const PortBinding& port : all) held.Erase(port);
  EXPECT_TRUE(held.empty());
}

TEST(PortsTest, ContainersHoldAsTheEngineHolds) {
  Container container;
  container.wanted_ports = {Port(80), Port(0)};
  container.bound_ports = {Port(80, 0, "0.0.0.0"), Port(32768), Port(0)};
  const std::vector<PortBinding> wanted = {Port(80)};
  const std::vector<PortBinding> bound = {Port(80, 0, "0.0.0.0"), Port(32768)};
  struct State {
    ContainerState state;
    std::vector<PortBinding> holds;
  };
  const std::vector<State> table = {
      {ContainerState::kCreated, wanted}, {ContainerState::kRunning, bound},
      {ContainerState::kPaused, bound},   {ContainerState::kRestarting, bound},
      {ContainerState::kExited, {}},      {ContainerState::kDead, {}},
      {ContainerState::kRemoving, {}},
  };
  for (const State& row : table) {
    container.state = row.state;
    EXPECT_EQ(PortsHeldBy(container), row.holds) << ContainerStateName(row.state);
    EXPECT_EQ(PortsWantedBy(container), wanted);
  }
}

TEST(PortsTest, HostNetworkHoldsExposedPorts) {
  Container container;
  container.network_mode = "host";
  PortBinding exposed;
  exposed.container_port = 8080;
  container.exposed_ports = {exposed};
  container.state = ContainerState::kRunning;
  ASSERT_EQ(PortsHeldBy(container).size(), 1U);
  EXPECT_EQ(PortsHeldBy(container)[0].host_first, 8080);
  EXPECT_FALSE(PortsFit({Port(8080)}, HeldPorts(PortsHeldBy(container))));
  container.state = ContainerState::kExited;
  EXPECT_TRUE(PortsHeldBy(container).empty());
}

TEST(PortsTest, Texts) {
  EXPECT_EQ(PortText(Port(80)), "80");
  EXPECT_EQ(PortText(Port(80, 85)), "80-85");
  EXPECT_EQ(PortText(Port(80, 0, "127.0.0.1")), "127.0.0.1:80");
  EXPECT_EQ(PortText(Port(80, 0, "0.0.0.0")), "80");
  EXPECT_EQ(PortTextWithProtocol(Port(53, 0, "", "udp")), "53/udp");
}

}  // namespace
}  // namespace swarm
