#include "wire/node_report.h"

#include <gtest/gtest.h>

#include "wire/json.h"

namespace swarm {
namespace {

TEST(NodeReportTest, ANodeWithAllFields) {
  Node node;
  node.name = "n1";
  node.id = "ID:1";
  node.address = "10.0.0.1:2375";
  node.ip = "10.0.0.1";
  node.state = NodeState::kHealthy;
  node.cordoned = true;
  node.total = {2'000'000'000, 1'000};
  node.labels = {{"zone", "a \"b\""}};
  node.engine_version = "20.10.24";
  node.api_version = "1.41";
  node.os = "linux";
  node.updated_at = WallTime(std::chrono::seconds(1'420'070'400));
  NodeTotals totals;
  totals.containers = 3;
  totals.running = 1;
  totals.stopped = 2;
  totals.reserved = {5, 6};
  totals.total = {2'100'000'000, 1'050};
  EXPECT_EQ(
      FormatNode(node, totals),
      R"({"Name":"n1","Id":"ID:1","Address":"10.0.0.1:2375","Ip":"10.0.0.1","State":"healthy",)"
      R"("Cordoned":true,"Error":"","Failures":0,)"
      R"("Containers":{"Total":3,"Running":1,"Paused":0,"Stopped":2},)"
      R"("Reserved":{"NanoCpus":5,"Memory":6},"Resources":{"NanoCpus":2000000000,"Memory":1000},)"
      R"("Offered":{"NanoCpus":2100000000,"Memory":1050},"Labels":{"zone":"a \"b\""},)"
      R"("EngineVersion":"20.10.24","ApiVersion":"1.41","Os":"linux","Architecture":"",)"
      R"("KernelVersion":"","OperatingSystem":"","UpdatedAt":"2015-01-01T00:00:00Z"})");
}

TEST(NodeReportTest, ADrainIsCounted) {
  DrainReport report;
  report.policy = "stop";
  report.containers = {{"a", "web", "running", "stop", "stopped", ""},
                       {"b", "db", "exited", "leave", "left", "it does not run"},
                       {"c", "q", "running", "stop", "failed", "no \"way\""}};
  JsonDocument document;
  const std::string text = FormatDrain(report, Node{}, NodeTotals{});
  ASSERT_TRUE(document.Parse(text).ok()) << text;
  const JsonValue root = document.root();
  EXPECT_EQ(root.Find("Node").Find("State").text(), "pending");
  EXPECT_EQ(root.Find("Node").Find("UpdatedAt").text(), "");
  EXPECT_EQ(root.Find("Policy").text(), "stop");
  EXPECT_FALSE(root.Find("Plan").boolean());
  EXPECT_EQ(root.Find("Stopped").integer(), 1);
  EXPECT_EQ(root.Find("Left").integer(), 1);
  EXPECT_EQ(root.Find("Failed").integer(), 1);
  EXPECT_EQ(root.Find("Containers").elements().at(2).raw(),
            R"({"Id":"c","Name":"q","State":"running","Action":"stop","Outcome":"failed",)"
            R"("Reason":"no \"way\""})");
}

}  // namespace
}  // namespace swarm
