// How much one container may make the scheduler look at. Counted, not timed.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sched/plan.h"
#include "sched/ports.h"
#include "sched/questions.h"
#include "unit/sched/scheduling_fixture.h"

namespace swarm {
namespace {

// A node that counts how often somebody goes through what it holds.
class CountedView final : public NodeView {
 public:
  CountedView(const NodeView& view, int& counted) : view_(view), counted_(counted) {}
  const NodeView& plain() const { return view_; }
  const Node& node() const override { return view_.node(); }
  std::vector<const Container*> containers() const override {
    ++counted_;
    return view_.containers();
  }
  std::vector<const Image*> images() const override {
    ++counted_;
    return view_.images();
  }
  Resources reserved() const override { return view_.reserved(); }
  std::vector<PortHold> held_ports() const override { return view_.held_ports(); }

 private:
  const NodeView& view_;
  int& counted_;
};

// Counts how often a node is looked at, and how often somebody goes through what one holds.
class CountingInventory final : public Inventory {
 public:
  PlainInventory plain;
  mutable int looks = 0;
  mutable int passes = 0;

  std::vector<const NodeView*> Views() const override {
    std::vector<const NodeView*> views;
    for (const NodeView* view : plain.Views()) views.push_back(Counted(view));
    return views;
  }
  const NodeView* ViewOf(std::string_view address) const override {
    ++looks;
    const NodeView* const view = plain.ViewOf(address);
    return view == nullptr ? nullptr : Counted(view);
  }
  void HoldersOf(std::string_view reference,
                 std::vector<std::string_view>& addresses) const override {
    plain.HoldersOf(reference, addresses);
  }
  void HoldersNamed(std::string_view text,
                    std::vector<std::string_view>& addresses) const override {
    plain.HoldersNamed(text, addresses);
  }
  std::uint64_t RevisionOf(const NodeView& view) const override {
    return plain.RevisionOf(static_cast<const CountedView&>(view).plain());
  }
  std::shared_ptr<const NodeView> Keep(const NodeView& view) const override {
    return plain.Keep(static_cast<const CountedView&>(view).plain());
  }

 private:
  const NodeView* Counted(const NodeView* view) const {
    auto& counted = counted_[view];
    if (counted == nullptr) counted = std::make_unique<CountedView>(*view, passes);
    return counted.get();
  }

  mutable std::map<const NodeView*, std::unique_ptr<CountedView>> counted_;
};

// `nodes` healthy nodes, each with two labelled containers and an image.
class CountedCluster {
 public:
  static constexpr int kNodes = 50;

  CountedCluster() : scheduler_(inventory, filters_, *strategy_, options_, random_) {
    for (int i = 0; i < kNodes; ++i) {
      const std::string number = std::to_string(100 + i);
      Node node;
      node.name = "n" + number;
      node.address = node.name + ":1";
      node.id = "ID" + node.name;
      node.state = NodeState::kHealthy;
      node.total = {4 * kCpu, 4 * kGiB};
      PlainNode& plain = inventory.plain.SetNode(node);
      const Slot slot = scheduler_.AddNode(std::make_shared<const Node>(node));
      for (const char* name : {"web", "db"}) {
        Container container;
        container.id = std::string(61, *name) + number;
        container.names = {name + number};
        container.labels = {{"app", name}, {"rank", number}};
        plain.held.push_back(container);
        scheduler_.AddContainer(slot, container);
      }
      Image image;
      image.id = "sha256:" + std::string(61, 'f') + number;
      plain.image_list = {image};
      scheduler_.SetImages(slot, plain.images());
    }
  }

  IndexedScheduler& scheduler() { return scheduler_; }

  CountingInventory inventory;

 private:
  const FilterList filters_ = FiltersNamed(AllNames());
  const std::unique_ptr<Strategy> strategy_ = StrategyNamed("spread");
  const SchedulerOptions options_;
  Random random_{1};
  IndexedScheduler scheduler_;
};

// A create of one shape, as large as creates may be, that holds everywhere but for its last
// expression.
struct WorkCase {
  const char* name;
  int count;
  std::function<std::string(std::string)> expression;
  const char* last;
};

class SchedulerWorkTest : public testing::TestWithParam<WorkCase> {};

TEST_P(SchedulerWorkTest, GoesThroughANodeFewTimesForAllExpressions) {
  const WorkCase& work = GetParam();
  for (const std::string& soft : {std::string(), std::string("~")}) {
    CountedCluster cluster;
    ContainerSpec spec;
    for (int i = 1; i < work.count; ++i) {
      Expression expression = Parse(work.expression(std::to_string(i)));
      expression.soft = !soft.empty();
      spec.affinities.push_back(expression);
    }
    spec.affinities.push_back(Parse(work.last));
    cluster.inventory.passes = 0;
    EXPECT_FALSE(cluster.scheduler().Choose(spec).ok());
    // Once for each of two searches, once for the report, and for the reasons of the nodes that it
    // names; containers and images each.
    EXPECT_LE(cluster.inventory.passes, 8 * CountedCluster::kNodes) << soft;
  }
}

INSTANTIATE_TEST_SUITE_P(
    , SchedulerWorkTest,
    testing::Values(
        WorkCase{"Keys", 128, [](auto i) { return "key" + i + "!=x"; }, "app==none"},
        WorkCase{"ValuesOfOneKey", 128, [](auto i) { return "app!=x" + i; }, "app==none"},
        WorkCase{"Containers", 128, [](auto i) { return "container!=c" + i; }, "container==/none/"},
        WorkCase{"Images", 128, [](auto i) { return "image!=i" + i; }, "image==none"},
        WorkCase{"Globs", 128, [](auto i) { return "container!=c" + i + "*"; }, "container==none*"},
        WorkCase{"RegularExpressions", 128, [](auto i) { return "container!=/^c" + i + "/"; },
                 "container==/none/"},
        WorkCase{"ImageGlobs", 128, [](auto i) { return "image!=i" + i + "*"; }, "image==none*"}),
    [](const auto& info) { return std::string(info.param.name); });

// Patterns that may take long are not held against anything while the state is locked.
TEST(SchedulerWork, LongPatternsAreQuestions) {
  CountedCluster cluster;
  ContainerSpec spec;
  spec.affinities = {Parse("container==/^web14[0-9]$/"), Parse("container!=/^web1.[0-7]$/"),
                     Parse("image==sha256:*149")};
  spec.constraints = {Parse("node==/^n1/")};
  const FilterList filters = FiltersNamed(AllNames());
  const std::unique_ptr<Plan> plan = *MakePlan(filters, spec);
  Questions questions(Questions::Want::kBest, true);
  absl::StatusOr<Placement> placed = Unavailable("not asked yet");
  cluster.inventory.passes = 0;
  int rounds = 0;
  do {
    questions.Ask();
    placed = cluster.scheduler().ChooseBy(spec, *plan, questions);
    ASSERT_LT(++rounds, 1'000);
  } while (questions.open());
  ASSERT_TRUE(placed.ok()) << placed.status();
  EXPECT_EQ(placed->node_name, "n149");
  EXPECT_EQ(cluster.inventory.passes, 0) << "while the state was locked";
  spec.affinities.push_back(Parse("container!=/web149/"));
  const std::unique_ptr<Plan> refused = *MakePlan(filters, spec);
  Questions again(Questions::Want::kBest, true);
  do {
    again.Ask();
    placed = cluster.scheduler().ChooseBy(spec, *refused, again);
  } while (again.open());
  EXPECT_EQ(placed.status(), cluster.scheduler().Choose(spec).status()) << "the same words";
}

// Large ones would fill memory, and are seldom asked twice.
TEST(SchedulerWork, PlansOfManyPartsAreNotKept) {
  const FilterList filters = FiltersNamed(AllNames());
  PlanCache plans(filters);
  ContainerSpec spec;
  for (int port = 1; port <= 500; ++port) spec.ports.push_back(Port(port));
  ASSERT_TRUE(plans.PlanFor(spec).ok());
  EXPECT_EQ(plans.size(), 1U);
  for (int port = 501; port <= 30'000; ++port) spec.ports.push_back(Port(port));
  ASSERT_TRUE(plans.PlanFor(spec).ok());
  EXPECT_EQ(plans.size(), 1U);
}

TEST(SchedulerWork, ManyAffinitiesDoNotEachLookAtAllContainers) {
  constexpr int kNodes = 50, kAffinities = 500;
  CountingInventory inventory;
  const FilterList filters = FiltersNamed(AllNames());
  const std::unique_ptr<Strategy> strategy = StrategyNamed("spread");
  Random random(1);
  const SchedulerOptions options;
  IndexedScheduler scheduler(inventory, filters, *strategy, options, random);
  for (int i = 0; i < kNodes; ++i) {
    Node node;
    node.name = "n" + std::to_string(100 + i);
    node.address = node.name + ":1";
    node.id = "ID" + node.name;
    node.state = NodeState::kHealthy;
    node.total = {4 * kCpu, 4 * kGiB};
    inventory.plain.SetNode(node);
    scheduler.AddNode(std::make_shared<const Node>(node));
  }
  ContainerSpec spec;
  for (int i = 0; i < kAffinities; ++i)
    spec.affinities.push_back(Parse("key" + std::to_string(i) + "!=x"));
  inventory.looks = 0;
  const absl::StatusOr<Placement> placed = scheduler.Choose(spec);
  ASSERT_TRUE(placed.ok()) << placed.status();
  EXPECT_LE(inventory.looks, kNodes * 16 + kAffinities) << "not " << kNodes * kAffinities;
}

TEST(SchedulerWork, TheTextOfARuleNamesFewPorts) {
  ContainerSpec spec;
  for (int port = 1; port <= 60'000; ++port) spec.ports.push_back(Port(port));
  const FilterList filters = FiltersNamed({"port"});
  const auto rules = filters[0]->RulesFor(spec);
  ASSERT_TRUE(rules.ok());
  EXPECT_LT((*rules)[0].text.size(), 2'000U);
  EXPECT_NE((*rules)[0].text.find("and 59936 more ports"), std::string::npos);
}

// 256 ranges over ports that are all taken: 16 million looks if each began anew.
TEST(SchedulerWork, RangesPassOverWhatIsTakenOnce) {
  std::vector<PortBinding> asked;
  for (int port = 257; port <= 65'535; ++port) asked.push_back(Port(port));
  for (int first = 1; first <= 256; ++first) {
    PortBinding range = Port(first);
    range.host_last = 65'535;
    asked.push_back(range);
  }
  EXPECT_TRUE(PortsFit(asked, HeldPorts()));
  asked.push_back(asked.back());
  EXPECT_FALSE(PortsFit(asked, HeldPorts())) << "one range too many";
}

TEST(SchedulerWork, AskedPortsAreHeldAgainstTheFewer) {
  std::vector<PortBinding> many;
  for (int port = 1; port <= 5'000; ++port) many.push_back(Port(port));
  const HeldPorts large(many), small({Port(4'999)}), other({Port(5'001)});
  EXPECT_FALSE(AskedPortsFit(large, small));
  EXPECT_FALSE(AskedPortsFit(small, large));
  EXPECT_TRUE(AskedPortsFit(large, other));
  EXPECT_TRUE(AskedPortsFit(other, large));
}

}  // namespace
}  // namespace swarm
