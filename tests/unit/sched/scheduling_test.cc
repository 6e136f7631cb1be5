// Filters, strategies and refusals on small clusters, by tables and by hand-computed distributions. Both schedulers
// are asked each time.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/expression.h"
#include "sched/builtin.h"
#include "sched/indexed_scheduler.h"
#include "sched/oracle.h"
#include "sched/plain_inventory.h"
#include "sched/ports.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;
constexpr std::int64_t kCpu = 1'000'000'000;

Expression Parse(const std::string& text) { return *ParseExpression(text); }

PortBinding Port(int number) {
  PortBinding port;
  port.host_first = port.host_last = static_cast<std::uint16_t>(number);
  port.container_port = 80;
  return port;
}

FilterList FiltersNamed(const std::vector<std::string>& names) {
  const FilterRegistry registry = BuiltinFilters();
  FilterList filters;
  for (const std::string& name : names) filters.push_back((*registry.Find(name))());
  return filters;
}

const std::vector<std::string>& AllNames() {
  static const std::vector<std::string> names = {"health",   "port",       "containerslots", "dependency",
                                                 "affinity", "constraint", "whitelist",      "platform"};
  return names;
}

std::unique_ptr<Strategy> StrategyNamed(const std::string& name) {
  const StrategyRegistry registry = BuiltinStrategies();
  return (*registry.Find(name))();
}

// A few nodes, told to both.
class Fixture {
 public:
  explicit Fixture(const std::string& strategy = "spread", FilterList filters = FiltersNamed(AllNames()),
                   std::unique_ptr<Strategy> own = nullptr)
      : filters_(std::move(filters)),
        strategy_(own != nullptr ? std::move(own) : StrategyNamed(strategy)),
        index_(plain_, filters_, *strategy_, options_, index_random_),
        oracle_(plain_, filters_, *strategy_, options_, oracle_random_) {}

  void AddNode(const std::string& name, Labels labels = {}, Resources total = {4 * kCpu, 4 * kGiB}) {
    Node node;
    node.name = name;
    node.address = name + ":2375";
    node.id = "ID-" + name;
    node.state = NodeState::kHealthy;
    node.total = total;
    node.os = "linux";
    node.architecture = "x86_64";
    node.labels = std::move(labels);
    plain_.SetNode(node);
    slots_[name] = index_.AddNode(std::make_shared<const Node>(node));
  }

  template <typename Edit>
  void Change(const std::string& name, const Edit& edit) {
    Node node = plain_.Find(name + ":2375")->description;
    edit(node);
    plain_.SetNode(node);
    index_.ChangeNode(slots_[name], std::make_shared<const Node>(node));
  }

  Container& Run(const std::string& node, const std::string& name, Container container = {}) {
    container.id = std::string(64 - std::to_string(ids_).size(), 'a') + std::to_string(ids_);
    ++ids_;
    container.names = {name};
    container.node = node + ":2375";
    if (container.state == ContainerState::kCreated) container.state = ContainerState::kRunning;
    plain_.Find(node + ":2375")->held.push_back(container);
    index_.AddContainer(slots_[node], container);
    return plain_.Find(node + ":2375")->held.back();
  }

  void SetImages(const std::string& node, std::vector<Image> images) {
    PlainNode& plain = *plain_.Find(node + ":2375");
    plain.image_list = std::move(images);
    index_.SetImages(slots_[node], plain.images());
  }

  // The node's name, or the message.
  std::string Choose(const ContainerSpec& spec) {
    const absl::StatusOr<Placement> found = index_.Choose(spec);
    const absl::StatusOr<Placement> expected = oracle_.Choose(spec);
    EXPECT_EQ(found.ok(), expected.ok());
    if (!found.ok()) {
      EXPECT_EQ(found.status(), expected.status());
      status_ = found.status();
      return std::string(MessageOf(found.status()));
    }
    EXPECT_EQ(found->node, expected->node);
    EXPECT_EQ(found->soft_dropped, expected->soft_dropped);
    soft_dropped_ = found->soft_dropped;
    return found->node_name;
  }

  // Places so many and counts them by node.
  std::map<std::string, int> Place(ContainerSpec spec, int count) {
    std::map<std::string, int> counts;
    for (int i = 0; i < count; ++i) {
      const std::string node = Choose(spec);
      if (!slots_.contains(node)) break;
      ++counts[node];
      Container container;
      container.request = spec.request;
      container.labels = spec.labels;
      container.state = ContainerState::kRunning;
      container.bound_ports = spec.ports;
      Run(node, "c" + std::to_string(placed_++), container);
    }
    return counts;
  }

  absl::StatusOr<Explanation> Explain(const ContainerSpec& spec) { return index_.Explain(spec); }
  const absl::Status& status() const { return status_; }
  bool soft_dropped() const { return soft_dropped_; }

 private:
  const SchedulerOptions options_;
  FilterList filters_;
  std::unique_ptr<Strategy> strategy_;
  Random index_random_{1};
  Random oracle_random_{1};
  PlainInventory plain_;
  IndexedScheduler index_;
  Oracle oracle_;
  std::map<std::string, Slot> slots_;
  int ids_ = 0;
  int placed_ = 0;
  absl::Status status_;
  bool soft_dropped_ = false;
};

// Three nodes: n1 with web on port 80 and the image nginx, n2 with db labelled app=db, n3 empty and labelled.
std::unique_ptr<Fixture> Posts(const std::string& strategy = "spread") {
  auto fixture = std::make_unique<Fixture>(strategy);
  fixture->AddNode("n1", {{"storage", "ssd"}, {"zone", "external"}});
  fixture->AddNode("n2", {{"storage", "hdd"}, {"zone", "internal"}});
  fixture->AddNode("n3", {{"storage", "SSD"}});
  Container web;
  web.bound_ports = {Port(80)};
  fixture->Run("n1", "web", web);
  Container db;
  db.labels["app"] = "db";
  fixture->Run("n2", "db", db);
  Image nginx;
  nginx.id = "sha256:0123456789abcdef";
  nginx.repo_tags = {"nginx:1.25", "registry:5000/nginx"};
  nginx.repo_digests = {"nginx@sha256:77"};
  fixture->SetImages("n1", {nginx});
  return fixture;
}

constexpr const char* kUnable = "Unable to find a node that satisfies the following conditions";

struct FilterRow {
  const char* name;
  void (*edit)(ContainerSpec&);
  std::vector<std::string> nodes;  // that fit, by name; under spread the first of the emptiest is taken
};

TEST(FilterTest, ChooseTheNodesThatTheyShould) {
  const std::vector<FilterRow> table = {
      {"nothing asked", [](ContainerSpec&) {}, {"n1", "n2", "n3"}},
      {"label", [](ContainerSpec& s) { s.constraints = {Parse("storage==ssd")}; }, {"n1"}},
      {"label of the posts", [](ContainerSpec& s) { s.constraints = {Parse("storage=ssd")}; }, {"n1", "n3"}},
      {"missing label is empty", [](ContainerSpec& s) { s.constraints = {Parse("zone!=external")}; }, {"n2", "n3"}},
      {"missing label matches everything's glob", [](ContainerSpec& s) { s.constraints = {Parse("zone==*")}; }, {"n1", "n2", "n3"}},
      {"regex", [](ContainerSpec& s) { s.constraints = {Parse("zone==/(in|ex)ternal/")}; }, {"n1", "n2"}},
      {"and", [](ContainerSpec& s) { s.constraints = {Parse("zone==/ternal/"), Parse("storage!=ssd")}; }, {"n2"}},
      {"unknown label unequal", [](ContainerSpec& s) { s.constraints = {Parse("color!=red")}; }, {"n1", "n2", "n3"}},
      {"node by name", [](ContainerSpec& s) { s.constraints = {Parse("node==n2")}; }, {"n2"}},
      {"node by id", [](ContainerSpec& s) { s.constraints = {Parse("node==ID-n3")}; }, {"n3"}},
      {"node not", [](ContainerSpec& s) { s.constraints = {Parse("node!=n1")}; }, {"n2", "n3"}},
      {"soft holds", [](ContainerSpec& s) { s.constraints = {Parse("node==~n2")}; }, {"n2"}},
      {"port", [](ContainerSpec& s) { s.ports = {Port(80)}; }, {"n2", "n3"}},
      {"port of the engine's choice", [](ContainerSpec& s) { s.ports = {Port(0)}; }, {"n1", "n2", "n3"}},
      {"host network", [](ContainerSpec& s) { s.host_network = true; s.exposed = {Port(0)}; }, {"n2", "n3"}},
      {"with a container", [](ContainerSpec& s) { s.affinities = {Parse("container==web")}; }, {"n1"}},
      {"with a container as Docker writes it", [](ContainerSpec& s) { s.affinities = {Parse("container==/web")}; }, {"n1"}},
      {"not with", [](ContainerSpec& s) { s.affinities = {Parse("container!=web")}; }, {"n2", "n3"}},
      {"not with a pattern", [](ContainerSpec& s) { s.affinities = {Parse("container!=*")}; }, {"n3"}},
      {"with a label", [](ContainerSpec& s) { s.affinities = {Parse("app==db")}; }, {"n2"}},
      {"containers without the label are empty", [](ContainerSpec& s) { s.affinities = {Parse("app==/^$/")}; }, {"n1"}},
      {"a node without containers never satisfies equal", [](ContainerSpec& s) { s.affinities = {Parse("app==*")}; }, {"n1", "n2"}},
      {"image by tag", [](ContainerSpec& s) { s.affinities = {Parse("image==nginx:1.25")}; }, {"n1"}},
      {"image by repository", [](ContainerSpec& s) { s.affinities = {Parse("image==nginx")}; }, {"n1"}},
      {"image of a registry with a port", [](ContainerSpec& s) { s.affinities = {Parse("image==registry:5000/nginx")}; }, {"n1"}},
      {"image by short id", [](ContainerSpec& s) { s.affinities = {Parse("image==0123456789ab")}; }, {"n1"}},
      {"not with an image", [](ContainerSpec& s) { s.affinities = {Parse("image!=nginx")}; }, {"n2", "n3"}},
      {"link", [](ContainerSpec& s) { s.links = {"db"}; }, {"n2"}},
      {"volumes from", [](ContainerSpec& s) { s.volumes_from = {"/web"}; }, {"n1"}},
      {"joined by node/name", [](ContainerSpec& s) { s.joined = {"n2/db"}; }, {"n2"}},
      {"whitelist", [](ContainerSpec& s) { s.whitelists = {Parse("node==n2|n3")}; }, {"n2", "n3"}},
      {"whitelists meet", [](ContainerSpec& s) { s.whitelists = {Parse("node==n2|n3"), Parse("node==n1|n2")}; }, {"n2"}},
      {"platform", [](ContainerSpec& s) { s.platform = "linux/amd64"; }, {"n1", "n2", "n3"}},
  };
  for (const FilterRow& row : table) {
    SCOPED_TRACE(row.name);
    ContainerSpec spec;
    row.edit(spec);
    const std::unique_ptr<Fixture> fixture = Posts("random");
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
      {"constraint", [](ContainerSpec& s) { s.constraints = {Parse("storage==tape"), Parse("zone==external")}; },
       unable + "\n[available container slots]\n[storage==tape zone==external]\n"
                "n1: storage==tape: label storage is ssd\n"
                "n2: storage==tape: label storage is hdd\nn3: storage==tape: label storage is SSD"},
      {"missing label", [](ContainerSpec& s) { s.constraints = {Parse("color==red")}; },
       unable + "\n[available container slots]\n[color==red]\nn1: color==red: label color is not set\n"
                "n2: color==red: label color is not set\nn3: color==red: label color is not set"},
      {"node", [](ContainerSpec& s) { s.constraints = {Parse("node==n9")}; },
       unable + "\n[available container slots]\n[node==n9]\nn1: node==n9: its name is n1\nn2: node==n9: its name is n2\n"
                "n3: node==n9: its name is n3"},
      {"ports first", [](ContainerSpec& s) { s.ports = {Port(80)}; s.constraints = {Parse("node==n1")}; },
       unable + "\n[port 80 (Bridge mode)]\n[available container slots]\n[node==n1]\nn1: host port 80/tcp is held by web\n"
                "n2: node==n1: its name is n2\nn3: node==n1: its name is n3"},
      {"affinity", [](ContainerSpec& s) { s.affinities = {Parse("container==nobody"), Parse("app!=db")}; },
       unable + "\n[available container slots]\n[container==nobody (soft=false) app!=db (soft=false)]\n"
                "n1: container==nobody: no such container on the node\n"
                "n2: container==nobody: no such container on the node\n"
                "n3: container==nobody: no such container on the node"},
      {"anti-affinity", [](ContainerSpec& s) { s.affinities = {Parse("container!=*"), Parse("image==nginx")}; },
       unable + "\n[available container slots]\n[container!=* (soft=false) image==nginx (soft=false)]\n"
                "n1: container!=*: container web is on the node\nn2: container!=*: container db is on the node\n"
                "n3: image==nginx: no such image on the node"},
      {"not the image", [](ContainerSpec& s) { s.affinities = {Parse("image!=nginx")}; s.whitelists = {Parse("node==n1")}; },
       unable + "\n[available container slots]\n[image!=nginx (soft=false)]\n[node==n1]\n"
                "n1: image!=nginx: such an image is on the node\nn2: node==n1: the whitelist does not name the node\n"
                "n3: node==n1: the whitelist does not name the node"},
      {"dependencies", [](ContainerSpec& s) { s.links = {"web"}; s.volumes_from = {"db"}; },
       unable + "\n[available container slots]\n[--volumes-from=db --link=web]\n"
                "n1: --volumes-from=db: no such container on the node\nn2: --link=web: no such container on the node\n"
                "n3: --volumes-from=db: no such container on the node"},
      {"platform", [](ContainerSpec& s) { s.platform = "linux/arm64"; s.constraints = {Parse("node==n3")}; },
       unable + "\n[available container slots]\n[node==n3]\n[platform linux/arm64]\nn1: node==n3: its name is n1\n"
                "n2: node==n3: its name is n2\nn3: platform linux/arm64: the node is linux/x86_64"},
      {"memory", [](ContainerSpec& s) { s.request.memory = 5 * kGiB; },
       "no resources available to schedule container\nn1: memory: 5.0 GiB asked, 4.2 GiB of 4.2 GiB left\n"
       "n2: memory: 5.0 GiB asked, 4.2 GiB of 4.2 GiB left\nn3: memory: 5.0 GiB asked, 4.2 GiB of 4.2 GiB left"},
      {"processors", [](ContainerSpec& s) { s.request.nano_cpus = 9 * kCpu / 2; },
       "no resources available to schedule container\nn1: cpus: 4.5 asked, 4.0 of 4.0 left\n"
       "n2: cpus: 4.5 asked, 4.0 of 4.0 left\nn3: cpus: 4.5 asked, 4.0 of 4.0 left"},
      {"soft ones are not named", [](ContainerSpec& s) { s.constraints = {Parse("storage==~ssd"), Parse("zone==x")}; },
       unable + "\n[available container slots]\n[zone==x]\nn1: zone==x: label zone is external\n"
                "n2: zone==x: label zone is internal\nn3: zone==x: label zone is not set"},
  };
  for (const RefusalRow& row : table) {
    SCOPED_TRACE(row.name);
    ContainerSpec spec;
    row.edit(spec);
    const std::unique_ptr<Fixture> fixture = Posts();
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
  Fixture fixture;
  EXPECT_EQ(fixture.Choose({}), "No healthy node available in the cluster");
  fixture.AddNode("n1");
  fixture.AddNode("n2");
  fixture.AddNode("n3");
  fixture.Change("n1", [](Node& node) { node.state = NodeState::kUnhealthy; node.failures = 3; });
  fixture.Change("n2", [](Node& node) { node.state = NodeState::kPending; node.name = ""; node.error = "no Docker there"; });
  fixture.Change("n3", [](Node& node) { node.cordoned = true; });
  EXPECT_EQ(fixture.Choose({}),
            "No healthy node available in the cluster\nn1: unhealthy: 3 failures in a row\nn2:2375: pending: no Docker "
            "there\nn3: cordoned: the node takes no new containers");
  fixture.Change("n1", [](Node& node) { node.error = "connection refused"; });
  EXPECT_NE(fixture.Choose({}).find("n1: unhealthy: connection refused"), std::string::npos);
}

TEST(RefusalTest, WithoutTheHealthFilterUnhealthyNodesAreTaken) {
  Fixture fixture("spread", FiltersNamed({"constraint"}));
  EXPECT_EQ(fixture.Choose({}), "No nodes available in the cluster");
  fixture.AddNode("n1");
  fixture.Change("n1", [](Node& node) { node.state = NodeState::kUnhealthy; });
  EXPECT_EQ(fixture.Choose({}), "n1");
}

TEST(RefusalTest, TwentyNodesThenCounts) {
  Fixture fixture;
  for (int i = 100; i < 130; ++i) fixture.AddNode("n" + std::to_string(i), {{"zone", i < 125 ? "a" : "b"}});
  for (int i = 127; i < 130; ++i) {
    fixture.Change("n" + std::to_string(i), [](Node& node) { node.state = NodeState::kUnhealthy; });
  }
  ContainerSpec spec;
  spec.constraints = {Parse("zone==c")};
  const std::string message = fixture.Choose(spec);
  EXPECT_NE(message.find("\nn119: zone==c: label zone is a\nand 10 more nodes: 3 unhealthy, 7 zone==c"),
            std::string::npos)
      << message;
  EXPECT_EQ(message.find("n120:"), std::string::npos);
}

TEST(SlotsTest, BoundTheContainersOfANode) {
  Fixture fixture;
  fixture.AddNode("n1", {{"containerslots", "2"}});
  fixture.AddNode("n2", {{"containerslots", "1"}});
  EXPECT_EQ(fixture.Place({}, 3), (std::map<std::string, int>{{"n1", 2}, {"n2", 1}}));
  EXPECT_EQ(fixture.Choose({}), std::string(kUnable) + "\n[available container slots]\nn1: containerslots: 2 of 2 taken\n"
                                                       "n2: containerslots: 1 of 1 taken");
  fixture.Change("n2", [](Node& node) { node.labels["containerslots"] = "not a number"; });
  EXPECT_EQ(fixture.Choose({}), "n2");
}

TEST(SoftTest, YieldsOnlyWhenNothingElseFits) {
  Fixture fixture;
  fixture.AddNode("n1", {{"disk", "ssd"}}, {4 * kCpu, kGiB});
  fixture.AddNode("n2", {{"disk", "hdd"}}, {4 * kCpu, kGiB});
  ContainerSpec spec;
  spec.constraints = {Parse("disk==~ssd")};
  spec.request.memory = kGiB / 2;
  EXPECT_EQ(fixture.Place(spec, 2), (std::map<std::string, int>{{"n1", 2}}));
  EXPECT_FALSE(fixture.soft_dropped());
  EXPECT_EQ(fixture.Choose(spec), "n2");
  EXPECT_TRUE(fixture.soft_dropped());
}

TEST(StrategyTest, SpreadByHand) {
  // Without requests the count decides, then the name.
  Fixture fixture;
  for (const char* name : {"n1", "n2", "n3"}) fixture.AddNode(name);
  EXPECT_EQ(fixture.Place({}, 7), (std::map<std::string, int>{{"n1", 3}, {"n2", 2}, {"n3", 2}}));
  // 1 GiB of 4 (25 %) against 1 of 8 (12 %): the large node takes two for each of the small one's.
  Fixture sized;
  sized.AddNode("small", {}, {4 * kCpu, 4 * kGiB});
  sized.AddNode("large", {}, {4 * kCpu, 8 * kGiB});
  ContainerSpec spec;
  spec.request.memory = kGiB;
  EXPECT_EQ(sized.Place(spec, 3), (std::map<std::string, int>{{"large", 2}, {"small", 1}}));
  EXPECT_EQ(sized.Place(spec, 9), (std::map<std::string, int>{{"large", 6}, {"small", 3}}));
  EXPECT_NE(sized.Choose(spec).find("no resources available"), std::string::npos);
}

TEST(StrategyTest, BinpackByHand) {
  Fixture fixture("binpacking");
  for (const char* name : {"n1", "n2", "n3"}) fixture.AddNode(name, {}, {4 * kCpu, 4 * kGiB});
  ContainerSpec spec;
  spec.request = {kCpu, kGiB};
  // Four fill a node; the next node is begun only then.
  EXPECT_EQ(fixture.Place(spec, 6), (std::map<std::string, int>{{"n1", 4}, {"n2", 2}}));
  EXPECT_EQ(fixture.Place(spec, 10), (std::map<std::string, int>{{"n2", 2}, {"n3", 4}}));
}

TEST(StrategyTest, FailuresCountAgainstANodeInSpreadAndBinpack) {
  for (const char* strategy : {"balanced", "binpack"}) {
    Fixture fixture(strategy);
    fixture.AddNode("n1");
    fixture.AddNode("n2");
    fixture.Change("n1", [](Node& node) { node.failures = 1; });
    EXPECT_EQ(fixture.Place({}, 5), (std::map<std::string, int>{{"n2", 5}})) << strategy;
  }
}

TEST(StrategyTest, RandomIsEvenAndReplayable) {
  Fixture fixture("random");
  for (const char* name : {"n1", "n2", "n3", "n4"}) fixture.AddNode(name, {}, {kCpu, kGiB});
  ContainerSpec spec;
  spec.request.memory = 8 * kGiB;  // not looked at, as the peer
  const std::map<std::string, int> counts = fixture.Place(spec, 400);
  ASSERT_EQ(counts.size(), 4U);
  for (const auto& [node, count] : counts) {
    EXPECT_GT(count, 60) << node;
    EXPECT_LT(count, 140) << node;
  }
  Fixture again("random");
  for (const char* name : {"n1", "n2", "n3", "n4"}) again.AddNode(name, {}, {kCpu, kGiB});
  EXPECT_EQ(again.Place(spec, 400), counts);
}

TEST(StrategyTest, WeightsAreThePeers) {
  const std::unique_ptr<Strategy> spread = MakeSpreadStrategy();
  const std::unique_ptr<Strategy> binpack = MakeBinpackStrategy();
  struct Row {
    NodeUsage usage;
    Resources request;
    std::optional<std::int64_t> spread, binpack;  // weights
  };
  const Resources total{4 * kCpu, 1000};
  const std::vector<Row> table = {
      {{{0, 0}, total, 100, 0}, {0, 0}, 200 - 1000, 200 + 1000},
      {{{0, 0}, total, 67, 0}, {0, 0}, 200 - 670, 200 + 670},
      {{{0, 0}, total, 100, 3}, {kCpu, 0}, 25 + 100 - 1000, 25 + 100 + 1000},
      {{{kCpu, 333}, total, 100, 3}, {kCpu, 333}, 50 + 66 - 1000, 50 + 66 + 1000},
      {{{0, 9}, total, 100, 1}, {0, 1000}, 100 + 100 - 1000, 100 + 100 + 1000},  // 100.9 % is cut off to 100
      {{{0, 10}, total, 100, 1}, {0, 1000}, std::nullopt, std::nullopt},
      {{{0, 0}, total, 100, 0}, {0, 1001}, std::nullopt, std::nullopt},
      {{{0, 0}, total, 100, 0}, {5 * kCpu, 0}, std::nullopt, std::nullopt},
      {{{0, 5000}, total, 100, 0}, {0, 0}, 200 - 1000, 200 + 1000},  // nothing asked: always fits
      {{{0, 0}, {0, 0}, 100, 0}, {kCpu, 0}, std::nullopt, std::nullopt},
  };
  for (std::size_t i = 0; i < table.size(); ++i) {
    const Row& row = table[i];
    SCOPED_TRACE(i);
    const auto rank_of = [&row](std::optional<std::int64_t> weight, std::int64_t sign) -> std::optional<std::int64_t> {
      if (!weight) return std::nullopt;
      return sign * (*weight * kRankStep + row.usage.containers);
    };
    EXPECT_EQ(spread->Rank(row.usage, row.request), rank_of(row.spread, 1));
    EXPECT_EQ(binpack->Rank(row.usage, row.request), rank_of(row.binpack, -1));
  }
}

TEST(UsageTest, OvercommitCountsWholeProcessors) {
  const std::int64_t cpu = kCpu;
  EXPECT_EQ(WithOvercommit({2 * cpu, 1000}, 0.05), (Resources{2 * cpu, 1050}));
  EXPECT_EQ(WithOvercommit({64 * cpu, 1000}, 0.05), (Resources{67 * cpu, 1050}));
  EXPECT_EQ(WithOvercommit({64 * cpu, 999}, 0.059), (Resources{67 * cpu, 1048}));
  EXPECT_EQ(WithOvercommit({10 * cpu, 1000}, -0.5), (Resources{5 * cpu, 500}));
  EXPECT_EQ(WithOvercommit({3 * cpu, std::int64_t{1} << 60}, 1), (Resources{6 * cpu, std::int64_t{1} << 61}));
}

TEST(UsageTest, HealthFallsWithFailures) {
  Node node;
  node.state = NodeState::kHealthy;
  EXPECT_EQ(HealthOf(node, 3), 100);
  node.failures = 1;
  EXPECT_EQ(HealthOf(node, 3), 67);
  node.failures = 9;
  EXPECT_EQ(HealthOf(node, 3), 0);
  EXPECT_EQ(HealthOf(node, 0), 0);
  node.failures = 0;
  node.state = NodeState::kUnhealthy;
  EXPECT_EQ(HealthOf(node, 3), 0);
}

TEST(UsageTest, Platforms) {
  Node node;
  node.os = "linux";
  node.architecture = "x86_64";
  for (const char* platform : {"linux/amd64", "linux", "amd64", "Linux/AMD64", "linux/x86_64", "linux/amd64/v2"}) {
    EXPECT_TRUE(PlatformMatches(platform, node)) << platform;
  }
  for (const char* platform : {"linux/arm64", "windows/amd64", "windows", "arm64", "linux/386"}) {
    EXPECT_FALSE(PlatformMatches(platform, node)) << platform;
  }
  node.architecture = "armv7l";
  EXPECT_TRUE(PlatformMatches("linux/arm/v7", node));
}

TEST(UsageTest, Texts) {
  EXPECT_EQ(BytesText(0), "0 B");
  EXPECT_EQ(BytesText(1023), "1023 B");
  EXPECT_EQ(BytesText(1536), "1.5 KiB");
  EXPECT_EQ(BytesText(std::int64_t{3} << 60), "3072.0 PiB");
  EXPECT_EQ(CpusText(1'500'000'000), "1.5");
}

TEST(RegistryTest, NamesOfFiltersAndStrategies) {
  EXPECT_EQ(BuiltinFilters().Names(), (std::vector<std::string>{"affinity", "constraint", "containerslots", "dependency",
                                                                "health", "platform", "port", "whitelist"}));
  EXPECT_EQ(BuiltinStrategies().Names(),
            (std::vector<std::string>{"balanced", "binpack", "binpacking", "random", "spread"}));
  for (const std::string& name : AllNames()) EXPECT_EQ(FiltersNamed({name})[0]->name(), name);
  EXPECT_EQ(StrategyNamed("balanced")->name(), "spread");
}

// A filter of somebody else: any part of the spec, any look at the node.
class EvenNamesFilter final : public Filter {
 public:
  std::string_view name() const override { return "even"; }
  absl::StatusOr<std::vector<Rule>> RulesFor(const ContainerSpec& spec) const override {
    if (spec.name == "bad") return InvalidArgument("bad name");
    if (spec.name.empty()) return std::vector<Rule>{};
    const auto holds = [](const NodeView& view) { return (view.node().name.back() - '0') % 2 == 0; };
    return std::vector<Rule>{{"an even node", spec.name == "soft", term::Opaque{holds}}};
  }
};

// A strategy of somebody else that draws among those with room for one more.
class PairsStrategy final : public Strategy {
 public:
  std::string_view name() const override { return "pairs"; }
  std::optional<std::int64_t> Rank(const NodeUsage& usage, const Resources&) const override {
    if (usage.containers >= 2) return std::nullopt;
    return usage.containers;
  }
  bool draws() const override { return true; }
};

TEST(OwnPartsTest, OpaqueFilterAndDrawingStrategy) {
  FilterList filters = FiltersNamed({"health", "constraint"});
  filters.push_back(std::make_unique<EvenNamesFilter>());
  Fixture fixture("", std::move(filters), std::make_unique<PairsStrategy>());
  for (const char* name : {"n1", "n2", "n3", "n4"}) fixture.AddNode(name);
  ContainerSpec spec;
  spec.name = "x";
  EXPECT_EQ(fixture.Place(spec, 9), (std::map<std::string, int>{{"n2", 2}, {"n4", 2}}));
  EXPECT_EQ(fixture.Choose(spec), std::string("no resources available to schedule container\nn1: an even node\nn2: refused by strategy pairs\n") +
                                      "n3: an even node\nn4: refused by strategy pairs");
  spec.name = "soft";
  EXPECT_EQ(fixture.Place(spec, 9), (std::map<std::string, int>{{"n1", 2}, {"n3", 2}}));
  spec.name = "bad";
  EXPECT_EQ(fixture.Choose(spec), "error from even filter: bad name");
  EXPECT_EQ(HttpStatusOf(fixture.status()), 400);
  EXPECT_FALSE(fixture.Explain(spec).ok());
}

TEST(OwnPartsTest, OpaqueFilterWithSpread) {
  FilterList filters = FiltersNamed(AllNames());
  filters.push_back(std::make_unique<EvenNamesFilter>());
  Fixture fixture("spread", std::move(filters));
  for (const char* name : {"n1", "n2", "n3", "n4"}) fixture.AddNode(name);
  ContainerSpec spec;
  spec.name = "x";
  EXPECT_EQ(fixture.Place(spec, 5), (std::map<std::string, int>{{"n2", 3}, {"n4", 2}}));
}

TEST(ExplainTest, CandidatesBestFirstAndChosen) {
  const std::unique_ptr<Fixture> fixture = Posts();
  const absl::StatusOr<Explanation> explanation = fixture->Explain({});
  ASSERT_TRUE(explanation.ok());
  ASSERT_TRUE(explanation->chosen);
  EXPECT_EQ(explanation->chosen->node_name, "n3");
  ASSERT_EQ(explanation->candidates.size(), 3U);
  EXPECT_EQ(explanation->candidates[1].node_name, "n1");
  EXPECT_EQ(explanation->summary, "");
}

TEST(ManyExpressionsTest, MoreThanTheIndexKeepsAreStillExact) {
  const std::unique_ptr<Fixture> fixture = Posts();
  ContainerSpec spec;
  for (int i = 0; i < 80; ++i) {
    spec.constraints.push_back(Parse("zone!=x" + std::to_string(i) + "*"));
    spec.affinities.push_back(Parse("container!=y" + std::to_string(i) + "*"));
    spec.affinities.push_back(Parse("label" + std::to_string(i) + "!=y"));
    spec.affinities.push_back(Parse("image!=y" + std::to_string(i) + "*"));
  }
  spec.constraints.push_back(Parse("zone==ext*"));
  EXPECT_EQ(fixture->Choose(spec), "n1");
  spec.constraints.push_back(Parse("zone==int*"));
  EXPECT_NE(fixture->Choose(spec).find(kUnable), std::string::npos);
}

TEST(ManyPlansTest, OldOnesAreForgotten) {
  const std::unique_ptr<Fixture> fixture = Posts();
  for (int i = 0; i < 600; ++i) {
    ContainerSpec spec;
    spec.constraints = {Parse("zone!=v" + std::to_string(i))};
    spec.request.memory = i % 40;
    EXPECT_EQ(fixture->Choose(spec), "n3");
  }
}

}  // namespace
}  // namespace swarm
