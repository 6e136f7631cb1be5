#include "core/described.h"

#include <gtest/gtest.h>

namespace swarm {
namespace {

PortBinding Port(std::uint16_t host, std::uint16_t inside) {
  PortBinding port;
  port.host_first = port.host_last = host;
  port.container_port = inside;
  return port;
}

TEST(DescribedContainerTest, HoldsWhatPlacingOthersNeeds) {
  ContainerSpec spec;
  spec.image = "nginx";
  spec.labels = {{"a", "b"}};
  spec.request.memory = 5;
  spec.ports = {Port(80, 8080)};
  const Container made = DescribedContainer(spec, "10.0.0.1:2375", "web", "5");
  EXPECT_EQ(made.node, "10.0.0.1:2375");
  EXPECT_EQ(made.names, std::vector<std::string>{"web"});
  EXPECT_EQ(made.swarm_id, "5");
  EXPECT_EQ(made.image, "nginx");
  EXPECT_EQ(made.labels, spec.labels);
  EXPECT_EQ(made.request.memory, 5);
  EXPECT_EQ(made.wanted_ports, spec.ports);
  EXPECT_EQ(made.state, ContainerState::kCreated);
  EXPECT_EQ(made.network_mode, "");
}

TEST(MarkStartedTest, TakesThePortsThatWereWanted) {
  struct Case {
    const char* network_mode;
    std::vector<PortBinding> wanted, bound;
  };
  // Port 0 is one that the engine picks. In the host's network there is nothing to bind.
  const Case cases[] = {{"default", {Port(80, 8080), Port(0, 1)}, {Port(80, 8080)}},
                        {"host", {Port(80, 8080)}, {}}};
  for (const Case& test : cases) {
    Container container;
    container.network_mode = test.network_mode;
    container.wanted_ports = test.wanted;
    container.state = ContainerState::kExited;
    container.exit_code = 3;
    container.error = "it failed before";
    container.has_health = true;
    container.health = "unhealthy";
    const WallTime now(std::chrono::seconds(100));
    MarkStarted(container, now);
    EXPECT_EQ(container.state, ContainerState::kRunning);
    EXPECT_EQ(container.bound_ports, test.bound) << test.network_mode;
    EXPECT_EQ(container.started_at, now);
    EXPECT_EQ(container.exit_code, 0);
    EXPECT_EQ(container.error, "");
    EXPECT_EQ(container.health, "starting");
  }
}

}  // namespace
}  // namespace swarm
