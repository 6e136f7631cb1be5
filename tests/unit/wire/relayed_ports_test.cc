#include "wire/relayed_ports.h"

#include <gtest/gtest.h>

namespace swarm {
namespace {

constexpr char kDescription[] =
    R"({"Id":"a","NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"10.0.0.1","HostPort":"8080"}],)"
    R"("81/tcp":[{"HostIp":"10.0.0.1","HostPort":"8081"}],"90/udp":null}}})";

TEST(RelayedPortsTest, PortsAreTheManagersWhereTheyAreRelayed) {
  const std::vector<RelayedPort> relayed = {
      {"80/tcp", "10.0.0.1", 8080, {"0.0.0.0", "::"}, 9090, ""},
      {"81/tcp", "10.0.0.1", 8081, {}, 0, "port 8081 is taken"}};
  const auto told = WithRelayedPorts(kDescription, relayed);
  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_EQ(
      *told,
      R"({"Id":"a","NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"9090"},)"
      R"({"HostIp":"::","HostPort":"9090"}],"81/tcp":[{"HostIp":"10.0.0.1","HostPort":"8081"}],)"
      R"("90/udp":null}},"PortRelay":[{"Port":"80/tcp","NodeIp":"10.0.0.1","NodePort":"8080",)"
      R"("HostIps":["0.0.0.0","::"],"HostPort":"9090","Error":""},)"
      R"({"Port":"81/tcp","NodeIp":"10.0.0.1","NodePort":"8081","HostIps":[],"HostPort":"",)"
      R"("Error":"port 8081 is taken"}]})");
}

TEST(RelayedPortsTest, StrangeDescriptions) {
  EXPECT_FALSE(WithRelayedPorts("[]", {}).ok());
  EXPECT_FALSE(WithRelayedPorts("{", {}).ok());
  EXPECT_EQ(*WithRelayedPorts("{}", {}), "{\"PortRelay\":[]}");
}

}  // namespace
}  // namespace swarm
