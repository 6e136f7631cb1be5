// How much one container may make the scheduler look at. Counted, not timed.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sched/ports.h"
#include "unit/sched/scheduling_fixture.h"

namespace swarm {
namespace {

// Counts how often a node is looked at.
class CountingInventory final : public Inventory {
 public:
  PlainInventory plain;
  mutable int looks = 0;

  std::vector<const NodeView*> Views() const override { return plain.Views(); }
  const NodeView* ViewOf(std::string_view address) const override {
    ++looks;
    return plain.ViewOf(address);
  }
  void HoldersOf(std::string_view reference,
                 std::vector<std::string_view>& addresses) const override {
    plain.HoldersOf(reference, addresses);
  }
  void HoldersNamed(std::string_view text,
                    std::vector<std::string_view>& addresses) const override {
    plain.HoldersNamed(text, addresses);
  }
  std::uint64_t RevisionOf(const NodeView& view) const override { return plain.RevisionOf(view); }
  std::shared_ptr<const NodeView> Keep(const NodeView& view) const override {
    return plain.Keep(view);
  }
};

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
