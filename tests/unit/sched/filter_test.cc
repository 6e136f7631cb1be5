// Filters and refusals on small clusters, by tables.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unit/sched/scheduling_fixture.h"

namespace swarm {
namespace {

struct FilterRow {
  const char* name;
  void (*edit)(ContainerSpec&);
  std::vector<std::string>
      nodes;  // that fit, by name; under spread the first of the emptiest is taken
};

TEST(FilterTest, ChooseTheNodesThatTheyShould) {
  const std::vector<FilterRow> table = {
      {"nothing asked", [](ContainerSpec&) {}, {"n1", "n2", "n3"}},
      {"label", [](ContainerSpec& s) { s.constraints = {Parse("storage==ssd")}; }, {"n1"}},
      {"label of the posts",
       [](ContainerSpec& s) { s.constraints = {Parse("storage=ssd")}; },
       {"n1", "n3"}},
      {"missing label is empty",
       [](ContainerSpec& s) { s.constraints = {Parse("zone!=external")}; },
       {"n2", "n3"}},
      {"missing label matches everything's glob",
       [](ContainerSpec& s) { s.constraints = {Parse("zone==*")}; },
       {"n1", "n2", "n3"}},
      {"regex",
       [](ContainerSpec& s) { s.constraints = {Parse("zone==/(in|ex)ternal/")}; },
       {"n1", "n2"}},
      {"and",
       [](ContainerSpec& s) {
         s.constraints = {Parse("zone==/ternal/"), Parse("storage!=ssd")};
       },
       {"n2"}},
      {"unknown label unequal",
       [](ContainerSpec& s) { s.constraints = {Parse("color!=red")}; },
       {"n1", "n2", "n3"}},
      {"node by name", [](ContainerSpec& s) { s.constraints = {Parse("node==n2")}; }, {"n2"}},
      {"node by id", [](ContainerSpec& s) { s.constraints = {Parse("node==ID-n3")}; }, {"n3"}},
      {"node not", [](ContainerSpec& s) { s.constraints = {Parse("node!=n1")}; }, {"n2", "n3"}},
      {"soft holds", [](ContainerSpec& s) { s.constraints = {Parse("node==~n2")}; }, {"n2"}},
      {"port", [](ContainerSpec& s) { s.ports = {Port(80)}; }, {"n2", "n3"}},
      {"port of the engine's choice",
       [](ContainerSpec& s) { s.ports = {Port(0)}; },
       {"n1", "n2", "n3"}},
      {"host network",
       [](ContainerSpec& s) {
         s.host_network = true;
         s.exposed = {Port(0)};
       },
       {"n2", "n3"}},
      {"with a container",
       [](ContainerSpec& s) { s.affinities = {Parse("container==web")}; },
       {"n1"}},
      {"with a container as Docker writes it",
       [](ContainerSpec& s) { s.affinities = {Parse("container==/web")}; },
       {"n1"}},
      {"not with",
       [](ContainerSpec& s) { s.affinities = {Parse("container!=web")}; },
       {"n2", "n3"}},
      {"not with a pattern",
       [](ContainerSpec& s) { s.affinities = {Parse("container!=*")}; },
       {"n3"}},
      {"with a label", [](ContainerSpec& s) { s.affinities = {Parse("app==db")}; }, {"n2"}},
      {"containers without the label are empty",
       [](ContainerSpec& s) { s.affinities = {Parse("app==/^$/")}; },
       {"n1"}},
      {"a node without containers never satisfies equal",
       [](ContainerSpec& s) { s.affinities = {Parse("app==*")}; },
       {"n1", "n2"}},
      {"image by tag",
       [](ContainerSpec& s) { s.affinities = {Parse("image==nginx:1.25")}; },
       {"n1"}},
      {"image by repository",
       [](ContainerSpec& s) { s.affinities = {Parse("image==nginx")}; },
       {"n1"}},
      {"image of a registry with a port",
       [](ContainerSpec& s) { s.affinities = {Parse("image==registry:5000/nginx")}; },
       {"n1"}},
      {"image by short id",
       [](ContainerSpec& s) { s.affinities = {Parse("image==0123456789ab")}; },
       {"n1"}},
      {"not with an image",
       [](ContainerSpec& s) { s.affinities = {Parse("image!=nginx")}; },
       {"n2", "n3"}},
      {"link", [](ContainerSpec& s) { s.links = {"db"}; }, {"n2"}},
      {"volumes from", [](ContainerSpec& s) { s.volumes_from = {"/web"}; }, {"n1"}},
      {"joined by node/name", [](ContainerSpec& s) { s.joined = {"n2/db"}; }, {"n2"}},
      {"whitelist", [](ContainerSpec& s) { s.whitelists = {Parse("node==n2|n3")}; }, {"n2", "n3"}},
      {"whitelists meet",
       [](ContainerSpec& s) {
         s.whitelists = {Parse("node==n2|n3"), Parse("node==n1|n2")};
       },
       {"n2"}},
      {"platform", [](ContainerSpec& s) { s.platform = "linux/amd64"; }, {"n1", "n2", "n3"}},
  };
  for (const FilterRow& row : table) {
    SCOPED_TRACE(row.name);
    ContainerSpec spec;
    row.edit(spec);
    const std::unique_ptr<SchedulingFixture> fixture = Posts("random");
    std::map<std::string, int> seen;
    for (int i = 0; i < 40; ++i) ++seen[fixture->Choose(spec)];
    std::vector<std::string> nodes;
    for (const auto& [node, count] : seen) nodes.push_back(node);
    EXPECT_EQ(nodes, row.nodes);
    const absl::StatusOr<Explanation> explanation = fixture->Explain(spec);
    ASSERT_TRUE(explanation.ok());
    EXPECT_EQ(explanation->candidates.size(), row.nodes.size());
    EXPECT_EQ(explanation->refused.size(), 3 - row.nodes.size());
    EXPECT_FALSE(explanation->chosen) << "a draw is not foretold";
  }
}

struct RefusalRow {
  const char* name;
  void (*edit)(ContainerSpec&);
  std::string message;
};

TEST(RefusalTest, SaysThePeersLinesAndEachNodesReason) {
  const std::string unable = kUnable;
  const std::vector<RefusalRow> table = {
      {"constraint",
       [](ContainerSpec& s) {
         s.constraints = {Parse("storage==tape"), Parse("zone==external")};
       },
       unable + "\n[available container slots]\n[storage==tape zone==external]\n"
                "n1: storage==tape: label storage is ssd\n"
                "n2: storage==tape: label storage is hdd\nn3: storage==tape: label storage is SSD"},
      {"missing label", [](ContainerSpec& s) { s.constraints = {Parse("color==red")}; },
       unable +
           "\n[available container slots]\n[color==red]\nn1: color==red: label color is not set\n"
           "n2: color==red: label color is not set\nn3: color==red: label color is not set"},
      {"node", [](ContainerSpec& s) { s.constraints = {Parse("node==n9")}; },
       unable + "\n[available container slots]\n[node==n9]\nn1: node==n9: its name is n1\nn2: "
                "node==n9: its name is n2\n"
                "n3: node==n9: its name is n3"},
      {"ports first",
       [](ContainerSpec& s) {
         s.ports = {Port(80)};
         s.constraints = {Parse("node==n1")};
       },
       unable + "\n[port 80 (Bridge mode)]\n[available container slots]\n[node==n1]\nn1: host port "
                "80/tcp is held by web\n"
                "n2: node==n1: its name is n2\nn3: node==n1: its name is n3"},
      {"affinity",
       [](ContainerSpec& s) {
         s.affinities = {Parse("container==nobody"), Parse("app!=db")};
       },
       unable +
           "\n[available container slots]\n[container==nobody (soft=false) app!=db (soft=false)]\n"
           "n1: container==nobody: no such container on the node\n"
           "n2: container==nobody: no such container on the node\n"
           "n3: container==nobody: no such container on the node"},
      {"anti-affinity",
       [](ContainerSpec& s) {
         s.affinities = {Parse("container!=*"), Parse("image==nginx")};
       },
       unable +
           "\n[available container slots]\n[container!=* (soft=false) image==nginx (soft=false)]\n"
           "n1: container!=*: container web is on the node\nn2: container!=*: container db is on "
           "the node\n"
           "n3: image==nginx: no such image on the node"},
      {"not the image",
       [](ContainerSpec& s) {
         s.affinities = {Parse("image!=nginx")};
         s.whitelists = {Parse("node==n1")};
       },
       unable + "\n[available container slots]\n[image!=nginx (soft=false)]\n[node==n1]\n"
                "n1: image!=nginx: such an image is on the node\nn2: node==n1: the whitelist does "
                "not name the node\n"
                "n3: node==n1: the whitelist does not name the node"},
      {"dependencies",
       [](ContainerSpec& s) {
         s.links = {"web"};
         s.volumes_from = {"db"};
       },
       unable + "\n[available container slots]\n[--volumes-from=db --link=web]\n"
                "n1: --volumes-from=db: no such container on the node\nn2: --link=web: no such "
                "container on the node\n"
                "n3: --volumes-from=db: no such container on the node"},
      {"platform",
       [](ContainerSpec& s) {
         s.platform = "linux/arm64";
         s.constraints = {Parse("node==n3")};
       },
       unable + "\n[available container slots]\n[node==n3]\n[platform linux/arm64]\nn1: node==n3: "
                "its name is n1\n"
                "n2: node==n3: its name is n2\nn3: platform linux/arm64: the node is linux/x86_64"},
      {"memory", [](ContainerSpec& s) { s.request.memory = 5 * kGiB; },
       "no resources available to schedule container\nn1: memory: 5.0 GiB asked, 4.2 GiB of 4.2 "
       "GiB left\n"
       "n2: memory: 5.0 GiB asked, 4.2 GiB of 4.2 GiB left\nn3: memory: 5.0 GiB asked, 4.2 GiB of "
       "4.2 GiB left"},
      {"processors", [](ContainerSpec& s) { s.request.nano_cpus = 9 * kCpu / 2; },
       "no resources available to schedule container\nn1: cpus: 4.5 asked, 4.0 of 4.0 left\n"
       "n2: cpus: 4.5 asked, 4.0 of 4.0 left\nn3: cpus: 4.5 asked, 4.0 of 4.0 left"},
      {"soft ones are not named",
       [](ContainerSpec& s) {
         s.constraints = {Parse("storage==~ssd"), Parse("zone==x")};
       },
       unable + "\n[available container slots]\n[zone==x]\nn1: zone==x: label zone is external\n"
                "n2: zone==x: label zone is internal\nn3: zone==x: label zone is not set"},
  };
  for (const RefusalRow& row : table) {
    SCOPED_TRACE(row.name);
    ContainerSpec spec;
    row.edit(spec);
    const std::unique_ptr<SchedulingFixture> fixture = Posts();
    EXPECT_EQ(fixture->Choose(spec), row.message);
    EXPECT_EQ(HttpStatusOf(fixture->status()), 409);
    const absl::StatusOr<Explanation> explanation = fixture->Explain(spec);
    ASSERT_TRUE(explanation.ok());
    EXPECT_EQ(explanation->summary, row.message.substr(0, row.message.find('\n')));
    EXPECT_EQ(explanation->refused.size(), 3U);
    EXPECT_TRUE(explanation->candidates.empty());
  }
}

TEST(RefusalTest, NodesThatCannotBeChosen) {
  SchedulingFixture fixture;
  EXPECT_EQ(fixture.Choose({}), "No healthy node available in the cluster");
  fixture.AddNode("n1");
  fixture.AddNode("n2");
  fixture.AddNode("n3");
  fixture.Change("n1", [](Node& node) {
    node.state = NodeState::kUnhealthy;
    node.failures = 3;
  });
  fixture.Change("n2", [](Node& node) {
    node.state = NodeState::kPending;
    node.name = "";
    node.error = "no Docker there";
  });
  fixture.Change("n3", [](Node& node) { node.cordoned = true; });
  EXPECT_EQ(fixture.Choose({}),
            "No healthy node available in the cluster\nn1: unhealthy: 3 failures in a "
            "row\nn2:2375: pending: no Docker "
            "there\nn3: cordoned: the node takes no new containers");
  fixture.Change("n1", [](Node& node) { node.error = "connection refused"; });
  EXPECT_NE(fixture.Choose({}).find("n1: unhealthy: connection refused"), std::string::npos);
}

TEST(RefusalTest, WithoutTheHealthFilterUnhealthyNodesAreTaken) {
  SchedulingFixture fixture("spread", FiltersNamed({"constraint"}));
  EXPECT_EQ(fixture.Choose({}), "No nodes available in the cluster");
  fixture.AddNode("n1");
  fixture.Change("n1", [](Node& node) { node.state = NodeState::kUnhealthy; });
  EXPECT_EQ(fixture.Choose({}), "n1");
}

TEST(RefusalTest, TwentyNodesThenCounts) {
  SchedulingFixture fixture;
  for (int i = 100; i < 130; ++i)
    fixture.AddNode("n" + std::to_string(i), {{"zone", i < 125 ? "a" : "b"}});
  for (int i = 127; i < 130; ++i) {
    fixture.Change("n" + std::to_string(i), [](Node& node) { node.state = NodeState::kUnhealthy; });
  }
  ContainerSpec spec;
  spec.constraints = {Parse("zone==c")};
  const std::string message = fixture.Choose(spec);
  EXPECT_NE(
      message.find("\nn119: zone==c: label zone is a\nand 10 more nodes: 3 unhealthy, 7 zone==c"),
      std::string::npos)
      << message;
  EXPECT_EQ(message.find("n120:"), std::string::npos);
}

}  // namespace
}  // namespace swarm
