// Strategies by hand-computed distributions, slots, soft rules, and filters and strategies of
// others.
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

TEST(SlotsTest, BoundTheContainersOfANode) {
  SchedulingFixture fixture;
  fixture.AddNode("n1", {{"containerslots", "2"}});
  fixture.AddNode("n2", {{"containerslots", "1"}});
  EXPECT_EQ(fixture.Place({}, 3), (std::map<std::string, int>{{"n1", 2}, {"n2", 1}}));
  EXPECT_EQ(fixture.Choose({}),
            std::string(kUnable) +
                "\n[available container slots]\nn1: containerslots: 2 of 2 taken\n"
                "n2: containerslots: 1 of 1 taken");
  fixture.Change("n2", [](Node& node) { node.labels["containerslots"] = "not a number"; });
  EXPECT_EQ(fixture.Choose({}), "n2");
}

TEST(SoftTest, YieldsOnlyWhenNothingElseFits) {
  SchedulingFixture fixture;
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
  SchedulingFixture fixture;
  for (const char* name : {"n1", "n2", "n3"}) fixture.AddNode(name);
  EXPECT_EQ(fixture.Place({}, 7), (std::map<std::string, int>{{"n1", 3}, {"n2", 2}, {"n3", 2}}));
  // 1 GiB of 4 (25 %) against 1 of 8 (12 %): the large node takes two for each of the small one's.
  SchedulingFixture sized;
  sized.AddNode("small", {}, {4 * kCpu, 4 * kGiB});
  sized.AddNode("large", {}, {4 * kCpu, 8 * kGiB});
  ContainerSpec spec;
  spec.request.memory = kGiB;
  EXPECT_EQ(sized.Place(spec, 3), (std::map<std::string, int>{{"large", 2}, {"small", 1}}));
  EXPECT_EQ(sized.Place(spec, 9), (std::map<std::string, int>{{"large", 6}, {"small", 3}}));
  EXPECT_NE(sized.Choose(spec).find("no resources available"), std::string::npos);
}

TEST(StrategyTest, BinpackByHand) {
  SchedulingFixture fixture("binpacking");
  for (const char* name : {"n1", "n2", "n3"}) fixture.AddNode(name, {}, {4 * kCpu, 4 * kGiB});
  ContainerSpec spec;
  spec.request = {kCpu, kGiB};
  // Four fill a node; the next node is begun only then.
  EXPECT_EQ(fixture.Place(spec, 6), (std::map<std::string, int>{{"n1", 4}, {"n2", 2}}));
  EXPECT_EQ(fixture.Place(spec, 10), (std::map<std::string, int>{{"n2", 2}, {"n3", 4}}));
}

TEST(StrategyTest, FailuresCountAgainstANodeInSpreadAndBinpack) {
  for (const char* strategy : {"balanced", "binpack"}) {
    SchedulingFixture fixture(strategy);
    fixture.AddNode("n1");
    fixture.AddNode("n2");
    fixture.Change("n1", [](Node& node) { node.failures = 1; });
    EXPECT_EQ(fixture.Place({}, 5), (std::map<std::string, int>{{"n2", 5}})) << strategy;
  }
}

TEST(StrategyTest, RandomIsEvenAndReplayable) {
  SchedulingFixture fixture("random");
  for (const char* name : {"n1", "n2", "n3", "n4"}) fixture.AddNode(name, {}, {kCpu, kGiB});
  ContainerSpec spec;
  spec.request.memory = 8 * kGiB;  // not looked at, as the peer
  const std::map<std::string, int> counts = fixture.Place(spec, 400);
  ASSERT_EQ(counts.size(), 4U);
  for (const auto& [node, count] : counts) {
    EXPECT_GT(count, 60) << node;
    EXPECT_LT(count, 140) << node;
  }
  SchedulingFixture again("random");
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
      {{{0, 9}, total, 100, 1},
       {0, 1000},
       100 + 100 - 1000,
       100 + 100 + 1000},  // 100.9 % is cut off to 100
      {{{0, 10}, total, 100, 1}, {0, 1000}, std::nullopt, std::nullopt},
      {{{0, 0}, total, 100, 0}, {0, 1001}, std::nullopt, std::nullopt},
      {{{0, 0}, total, 100, 0}, {5 * kCpu, 0}, std::nullopt, std::nullopt},
      {{{0, 5000}, total, 100, 0}, {0, 0}, 200 - 1000, 200 + 1000},  // nothing asked: always fits
      {{{0, 0}, {0, 0}, 100, 0}, {kCpu, 0}, std::nullopt, std::nullopt},
  };
  for (std::size_t i = 0; i < table.size(); ++i) {
    const Row& row = table[i];
    SCOPED_TRACE(i);
    const auto rank_of = [&row](std::optional<std::int64_t> weight,
                                std::int64_t sign) -> std::optional<std::int64_t> {
      if (!weight) return std::nullopt;
      return sign * (*weight * kRankStep + row.usage.containers);
    };
    EXPECT_EQ(spread->Rank(row.usage, row.request), rank_of(row.spread, 1));
    EXPECT_EQ(binpack->Rank(row.usage, row.request), rank_of(row.binpack, -1));
  }
}

TEST(RegistryTest, NamesOfFiltersAndStrategies) {
  EXPECT_EQ(BuiltinFilters().Names(),
            (std::vector<std::string>{"affinity", "constraint", "containerslots", "dependency",
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
    const auto holds = [](const NodeView& view) {
      return (view.node().name.back() - '0') % 2 == 0;
    };
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
  SchedulingFixture fixture("", std::move(filters), std::make_unique<PairsStrategy>());
  for (const char* name : {"n1", "n2", "n3", "n4"}) fixture.AddNode(name);
  ContainerSpec spec;
  spec.name = "x";
  EXPECT_EQ(fixture.Place(spec, 9), (std::map<std::string, int>{{"n2", 2}, {"n4", 2}}));
  EXPECT_EQ(fixture.Choose(spec), std::string("no resources available to schedule container\nn1: "
                                              "an even node\nn2: refused by strategy pairs\n") +
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
  SchedulingFixture fixture("spread", std::move(filters));
  for (const char* name : {"n1", "n2", "n3", "n4"}) fixture.AddNode(name);
  ContainerSpec spec;
  spec.name = "x";
  EXPECT_EQ(fixture.Place(spec, 5), (std::map<std::string, int>{{"n2", 3}, {"n4", 2}}));
}

TEST(ExplainTest, CandidatesBestFirstAndChosen) {
  const std::unique_ptr<SchedulingFixture> fixture = Posts();
  const absl::StatusOr<Explanation> explanation = fixture->Explain({});
  ASSERT_TRUE(explanation.ok());
  ASSERT_TRUE(explanation->chosen);
  EXPECT_EQ(explanation->chosen->node_name, "n3");
  ASSERT_EQ(explanation->candidates.size(), 3U);
  EXPECT_EQ(explanation->candidates[1].node_name, "n1");
  EXPECT_EQ(explanation->summary, "");
}

TEST(ManyExpressionsTest, MoreThanTheIndexKeepsAreStillExact) {
  const std::unique_ptr<SchedulingFixture> fixture = Posts();
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
  const std::unique_ptr<SchedulingFixture> fixture = Posts();
  for (int i = 0; i < 600; ++i) {
    ContainerSpec spec;
    spec.constraints = {Parse("zone!=v" + std::to_string(i))};
    spec.request.memory = i % 40;
    EXPECT_EQ(fixture->Choose(spec), "n3");
  }
}

}  // namespace
}  // namespace swarm
