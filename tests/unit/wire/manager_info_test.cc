#include "wire/manager_info.h"

#include <gtest/gtest.h>

#include "wire/json.h"

namespace swarm {
namespace {

ManagerFacts Facts() {
  ManagerFacts facts;
  facts.id = "manager";
  facts.host_name = "host";
  facts.kernel_version = "6.1.0";
  facts.architecture = "x86_64";
  facts.version = "0.1.0";
  facts.now = WallTime(std::chrono::seconds(1420070400));
  facts.strategy = "spread";
  facts.filters = {"health", "port"};
  facts.newest = {1, 41};
  facts.oldest = {1, 12};
  auto healthy = std::make_shared<Node>();
  healthy->name = "n1";
  healthy->id = "ID1";
  healthy->address = "10.0.0.1:2375";
  healthy->state = NodeState::kHealthy;
  healthy->labels = {{"zone", "external"}, {"storage", "ssd"}};
  healthy->engine_version = "20.10.24";
  healthy->updated_at = facts.now;
  healthy->total = {4'000'000'000, 4'294'967'296};
  NodeTotals totals;
  totals.containers = 2;
  totals.running = 1;
  totals.stopped = 1;
  totals.reserved = {1'500'000'000, 536'870'912};
  totals.total = {5'000'000'000, 5'368'709'120};  // with overcommit
  auto pending = std::make_shared<Node>();
  pending->address = "10.0.0.2:2375";
  pending->error = "connection refused";
  facts.nodes = {{healthy, totals}, {pending, NodeTotals{}}};
  facts.totals.containers = 2;
  facts.totals.running = 1;
  facts.totals.total = totals.total;
  return facts;
}

std::string RowsOf(const std::string& json, const char* key) {
  JsonDocument document;
  EXPECT_TRUE(document.Parse(json).ok());
  std::string rows;
  document.root().Find(key).ForEachElement([&rows](JsonValue row) {
    rows.append(row.elements()[0].text())
        .append(": ")
        .append(row.elements()[1].text())
        .append("\n");
  });
  return rows;
}

TEST(FormatInfoTest, ShowsTheNodesAsThePeerDid) {
  const std::string json = FormatInfo(Facts(), {1, 41});
  EXPECT_EQ(RowsOf(json, "SystemStatus"),
            "Role: primary\n"
            "Strategy: spread\n"
            "Filters: health, port\n"
            "Nodes: 2\n"
            " n1: 10.0.0.1:2375\n"
            "  └ ID: ID1\n"
            "  └ Status: Healthy\n"
            "  └ Containers: 2 (1 Running, 0 Paused, 1 Stopped)\n"
            "  └ Reserved CPUs: 1.5 / 5\n"
            "  └ Reserved Memory: 512 MiB / 5 GiB\n"
            "  └ Labels: storage=ssd, zone=external\n"
            "  └ UpdatedAt: 2015-01-01T00:00:00Z\n"
            "  └ ServerVersion: 20.10.24\n"
            " (unknown): 10.0.0.2:2375\n"
            "  └ ID: \n"
            "  └ Status: Pending\n"
            "  └ Containers: 0\n"
            "  └ Reserved CPUs: 0 / 0\n"
            "  └ Reserved Memory: 0 B / 0 B\n"
            "  └ Labels: \n"
            "  └ Error: connection refused\n"
            "  └ UpdatedAt: (never)\n"
            "  └ ServerVersion: \n");
  JsonDocument document;
  ASSERT_TRUE(document.Parse(json).ok());
  const JsonValue info = document.root();
  EXPECT_EQ(info.Find("NCPU").integer(), 4);
  EXPECT_EQ(info.Find("MemTotal").integer(), 4'294'967'296);
  EXPECT_EQ(info.Find("ServerVersion").text(), "swarm/0.1.0");
  EXPECT_EQ(info.Find("Swarm").Find("LocalNodeState").text(), "inactive");
  EXPECT_EQ(info.Find("Warnings").elements().size(), 1u);
  EXPECT_EQ(info.Find("Warnings").elements()[0].text(),
            "WARNING: node 10.0.0.2:2375 is pending: connection refused");
}

TEST(FormatInfoTest, ShowsOldClientsWhatThePostsShow) {
  const std::string json = FormatInfo(Facts(), {1, 16});
  EXPECT_EQ(RowsOf(json, "DriverStatus"),
            "\bNodes: 2\nn1: 10.0.0.1:2375\n(unknown): 10.0.0.2:2375\n");
  EXPECT_EQ(RowsOf(json, "SystemStatus"), "");
}

TEST(FormatVersionTest, HasComponents) {
  JsonDocument document;
  const std::string json = FormatVersion(Facts());
  ASSERT_TRUE(document.Parse(json).ok());
  const JsonValue version = document.root();
  EXPECT_EQ(version.Find("Version").text(), "swarm/0.1.0");
  EXPECT_EQ(version.Find("ApiVersion").text(), "1.41");
  EXPECT_EQ(version.Find("MinAPIVersion").text(), "1.12");
  ASSERT_EQ(version.Find("Components").elements().size(), 1u);
  const JsonValue engine = version.Find("Components").elements()[0];
  EXPECT_EQ(engine.Find("Name").text(), "Engine");
  engine.Find("Details").ForEachMember([](JsonValue key, JsonValue value) {
    EXPECT_TRUE(value.is(JsonDocument::Kind::kString)) << key.text();
  });
}

TEST(FormatVersionTest, BothAnswersTellAnExperimentalManager) {
  for (const bool experimental : {false, true}) {
    ManagerFacts facts = Facts();
    facts.experimental = experimental;
    JsonDocument info;
    const std::string info_json = FormatInfo(facts, {1, 41});
    ASSERT_TRUE(info.Parse(info_json).ok());
    EXPECT_EQ(info.root().Find("ExperimentalBuild").boolean(), experimental);
    JsonDocument version;
    const std::string version_json = FormatVersion(facts);
    ASSERT_TRUE(version.Parse(version_json).ok());
    EXPECT_EQ(version.root().Find("Experimental").boolean(), experimental);
    const JsonValue engine = version.root().Find("Components").elements()[0];
    EXPECT_EQ(engine.Find("Details").Find("Experimental").text(), experimental ? "true" : "false");
  }
}

}  // namespace
}  // namespace swarm
