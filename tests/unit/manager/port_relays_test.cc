// Published ports on the manager's side: real sockets on loopback, containers of a fake cluster.
#include "manager/port_relays.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "net/listener.h"
#include "unit/api/fake_cluster.h"
#include "unit/net/net_test_tools.h"

namespace swarm {
namespace {

using net::RawListener;
using net::RawSocket;

// The manager listens on another address of loopback than the nodes, so that numbers can be the
// same.
constexpr char kManager[] = "127.0.0.2";

std::uint16_t PortOf(const RawListener& listener) {
  return net::ParseAddress(listener.address())->port;
}

class PortRelaysTest : public ::testing::Test {
 protected:
  PortRelaysTest() {
    for (const char* name : {"n1", "n2"}) {
      cluster_.AddNode(name, "1.41", "1.12");
      cluster_.ChangeNode(name, [](Node& node) { node.ip = "127.0.0.1"; });
    }
  }
  ~PortRelaysTest() override {
    if (relays_) thread_.On([this] { relays_->Stop(); });
  }

  void Start(RelayPorts mode) {
    relays_ = std::make_unique<PortRelays>(thread_.loop, cluster_, mode,
                                           [this] { return own_addresses_; });
    thread_.On([this] { relays_->Start({kManager}); });
  }

  // A running container that publishes port 80.
  void Run(const std::string& name, const std::string& node, std::uint16_t port,
           const std::function<void(Container&)>& change = nullptr) {
    auto entry = std::make_shared<ContainerEntry>();
    entry->node = cluster_.FindNode(node);
    Container& container = entry->container;
    container.id = name;
    container.names = {name};
    container.state = ContainerState::kRunning;
    container.created = WallTime(std::chrono::seconds(++age_));
    container.bound_ports = {{"", port, port, 80, "tcp"}};
    container.wanted_ports = {{"", 0, 0, 80, "tcp"}};
    if (change) change(container);
    thread_.On([&] {
      cluster_.containers.push_back(entry);
      ++cluster_.generation_number;
    });
  }
  void Remove(const std::string& name) {
    thread_.On([&] {
      std::erase_if(cluster_.containers,
                    [&](const auto& entry) { return entry->container.id == name; });
      ++cluster_.generation_number;
    });
  }

  // What clients are told, once it has settled.
  RelayedPort Told(const std::string& name) {
    std::promise<void> settled;
    relays_->Settle([&settled](bool) { settled.set_value(); });
    settled.get_future().wait();
    const std::vector<RelayedPort> ports = relays_->Of(name);
    EXPECT_LE(ports.size(), 1U);
    return ports.empty() ? RelayedPort() : ports.front();
  }

  static std::string At(std::uint16_t port) {
    return "tcp://" + std::string(kManager) + ":" + std::to_string(port);
  }
  static void ExpectCarried(std::uint16_t port, RawListener& to) {
    RawSocket client = RawSocket::Connect(At(port));
    RawSocket inside = to.Accept();
    EXPECT_TRUE(client.Send("hello"));
    EXPECT_EQ(inside.ReceiveExactly(5), "hello");
  }
  static bool IsFree(std::uint16_t port) { return net::BindListeners(At(port), 1).ok(); }

  testing::FakeCluster cluster_;
  net::LoopThread thread_;
  std::vector<std::string> own_addresses_;  // of the manager's host
  std::unique_ptr<PortRelays> relays_;
  int age_ = 0;
};

TEST_F(PortRelaysTest, FollowsContainersFromStartToEnd) {
  RawListener web;
  Run("web", "n1", PortOf(web));
  Start(RelayPorts::kAll);
  const RelayedPort told = Told("web");
  EXPECT_EQ(told.port, "80/tcp");
  EXPECT_EQ(told.ips, std::vector<std::string>{kManager});
  EXPECT_EQ(told.manager_port, PortOf(web));
  EXPECT_EQ(told.node_ip, "127.0.0.1");
  EXPECT_EQ(told.error, "");
  ExpectCarried(told.manager_port, web);
  thread_.On([this] {
    cluster_.Change("web", [](Container& container) { container.state = ContainerState::kExited; });
  });
  EXPECT_EQ(Told("web"), RelayedPort());
  EXPECT_TRUE(IsFree(PortOf(web)));
}

TEST_F(PortRelaysTest, WhatNobodyHereDidIsSeenToo) {
  Start(RelayPorts::kAll);
  RawListener web;
  Run("web", "n1", PortOf(web));
  EXPECT_TRUE(net::WaitUntil([&] { return !relays_->Of("web").empty(); }));
  Remove("web");
  EXPECT_TRUE(net::WaitUntil([&] { return relays_->Of("web").empty(); }));
}

TEST_F(PortRelaysTest, LabelsChoose) {
  const auto chosen = [this](const char* label) {
    Container container;
    if (label != nullptr) container.labels["com.docker.swarm.relay"] = label;
    return relays_->Chosen(container);
  };
  Start(RelayPorts::kLabel);
  EXPECT_FALSE(chosen(nullptr));
  EXPECT_FALSE(chosen("false"));
  EXPECT_TRUE(chosen("true"));
  EXPECT_TRUE(chosen("1"));
  thread_.On([this] { relays_->Stop(); });
  Start(RelayPorts::kAll);
  EXPECT_TRUE(chosen(nullptr));
  EXPECT_TRUE(chosen("true"));
  EXPECT_FALSE(chosen("False"));
}

TEST_F(PortRelaysTest, TheFirstHoldsANumberAndOneThatMayDifferGetsAnother) {
  RawListener web;
  const std::uint16_t number = PortOf(web);
  Run("first", "n1", number);
  Run("free", "n2", number);
  Run("fixed", "n2", number, [number](Container& container) {
    container.wanted_ports = {{"", number, number, 80, "tcp"}};
  });
  Start(RelayPorts::kAll);
  EXPECT_EQ(Told("first").manager_port, number);
  const RelayedPort free = Told("free");
  EXPECT_NE(free.manager_port, number);
  EXPECT_EQ(free.node_port, number);
  ExpectCarried(free.manager_port, web);
  const RelayedPort fixed = Told("fixed");
  EXPECT_TRUE(fixed.ips.empty());
  EXPECT_EQ(fixed.error,
            "port " + std::to_string(number) + " is relayed for container first on node n1");
  Remove("first");
  EXPECT_EQ(Told("fixed").manager_port, number);
  EXPECT_EQ(Told("fixed").error, "");
  EXPECT_EQ(Told("free").manager_port, free.manager_port);
}

TEST_F(PortRelaysTest, APortThatCannotBeHadIsTold) {
  const auto taken = net::BindListeners("tcp://127.0.0.2:0", 1);
  ASSERT_TRUE(taken.ok()) << taken.status();
  const std::uint16_t number = net::ParseAddress(taken->front().address)->port;
  Run("fixed", "n1", number, [number](Container& container) {
    container.wanted_ports = {{"", number, number, 80, "tcp"}};
  });
  Run("local", "n1", number, [number](Container& container) {
    container.bound_ports = {{"127.0.0.1", number, number, 80, "tcp"}};
  });
  Run("udp", "n1", number, [number](Container& container) {
    container.bound_ports = {{"", number, number, 80, "udp"}};
  });
  Start(RelayPorts::kAll);
  EXPECT_NE(Told("fixed").error.find("Address already in use"), std::string::npos)
      << Told("fixed").error;
  EXPECT_EQ(Told("local").error, "it is published on 127.0.0.1 of its node alone");
  EXPECT_EQ(Told("udp"), RelayedPort());
}

// What an engine says about its container must not make the manager connect to itself, or to what
// is no node.
TEST_F(PortRelaysTest, HostileHostIpIsNotConnectedTo) {
  RawListener inside;  // what the manager's host has on loopback
  const std::uint16_t number = PortOf(inside);
  struct Case {
    const char* ip;
    const char* why;
  };
  const Case cases[] = {
      {"::ffff:127.0.0.1", "IPv4"},
      {"::ffff:7f00:1", "IPv4"},
      {"::127.0.0.1", "IPv4"},
      {"0:0:0:0:0:0:0:1", "of its node alone"},
      {"127.0.0.53", "of its node alone"},
      {"localhost", "no address in digits"},
      {"manager.internal", "no address in digits"},
      {"0177.0.0.1", "no address in digits"},
      {"2130706433", "no address in digits"},
      {"127.1", "no address in digits"},
      {"fe80::1", "link-local"},
      {"fe80::1%lo", "no address in digits"},
      {"169.254.169.254", "link-local"},
      {"224.0.0.1", "multicast"},
      {"ff02::1", "multicast"},
      {"0.0.0.1", "reserved"},
      {"255.255.255.255", "reserved"},
      {"10.9.8.7", "the manager's own"},
      {"2001:DB8:0::9", "the manager's own"},
      {"127.0.0.1\r\nX: 1", "no address in digits"},
  };
  int count = 0;
  for (const Case& test : cases) {
    Run("c" + std::to_string(count++), "n1", number, [&](Container& container) {
      container.bound_ports = {{test.ip, number, number, 80, "tcp"}};
    });
  }
  own_addresses_ = {"10.9.8.7", "2001:db8::9"};
  Start(RelayPorts::kAll);
  count = 0;
  for (const Case& test : cases) {
    const RelayedPort told = Told("c" + std::to_string(count++));
    EXPECT_TRUE(told.ips.empty()) << test.ip;
    EXPECT_NE(told.error.find(test.why), std::string::npos) << test.ip << ": " << told.error;
  }
  EXPECT_TRUE(IsFree(number));
  EXPECT_FALSE(inside.HasNewConnection(std::chrono::milliseconds(0)));
}

TEST_F(PortRelaysTest, NodesOwnAddressAndEveryAddressAreTheNode) {
  RawListener web;
  const std::uint16_t number = PortOf(web);
  cluster_.ChangeNode("n2", [](Node& node) { node.ip = "10.9.8.7"; });
  own_addresses_ = {"10.9.8.7"};  // the node's engine is on the manager's host
  int count = 0;
  for (const char* ip : {"", "0.0.0.0", "::", "0:0::0", "::ffff:0.0.0.0"}) {
    Run("every" + std::to_string(count++), "n1", number, [&](Container& container) {
      container.bound_ports = {{ip, number, number, 80, "tcp"}};
    });
  }
  Run("own", "n2", 4711, [&](Container& container) {
    container.bound_ports = {{"10.9.8.7", 4711, 4711, 80, "tcp"}};
  });
  Run("second", "n1", 4712, [&](Container& container) {
    container.bound_ports = {{"192.0.2.7", 4712, 4712, 80, "tcp"}};
  });
  Start(RelayPorts::kAll);
  for (int i = 0; i < count; ++i) {
    const RelayedPort told = Told("every" + std::to_string(i));
    EXPECT_EQ(told.error, "") << i;
    EXPECT_EQ(told.node_ip, "127.0.0.1") << i;
    ExpectCarried(told.manager_port, web);
  }
  EXPECT_EQ(Told("own").error, "");
  EXPECT_EQ(Told("own").node_ip, "10.9.8.7");
  EXPECT_EQ(Told("second").error, "");
  EXPECT_EQ(Told("second").node_ip, "192.0.2.7");
}

}  // namespace
}  // namespace swarm
