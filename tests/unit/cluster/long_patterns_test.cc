// Patterns over many containers are held against nodes in steps, and decide the same.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cluster/shared_state.h"
#include "swarmlib/expression.h"
#include "swarmlib/filter.h"
#include "swarmlib/status.h"
#include "swarmlib/strategy.h"

namespace swarm {
namespace {

// Nodes n1, n2 and n3, of which each has so many containers: "web0-n1", "web1-n1" ...
class PatternCluster {
 public:
  explicit PatternCluster(int each, const char* strategy = "spread")
      : state_({}, Filters(), (*BuiltinStrategies().Find(strategy))(), 1) {
    for (const char* name : {"n1", "n2", "n3"}) {
      Node node;
      node.name = name;
      node.address = node.name + ":2375";
      node.id = "ID" + node.name;
      node.state = NodeState::kHealthy;
      node.total = {64'000'000'000, std::int64_t{1} << 40};
      const Member member = state_.Join(node);
      const std::uint64_t read = state_.BeginRead(member);
      std::vector<ReadRow> rows;
      for (int i = 0; i < each; ++i) {
        ContainerRecord record;
        const std::string number = std::to_string(i);
        record.container.id = std::string(62 - number.size(), 'a') + number + name;
        record.container.node = node.address;
        record.container.names = {"web" + number + "-" + name};
        record.container.state = ContainerState::kRunning;
        rows.push_back({nullptr, std::make_unique<ContainerRecord>(std::move(record))});
      }
      state_.PublishRows(member, read, std::make_shared<const Node>(node), rows);
      state_.PublishAll(member, read, TimePoint{}, node, {});
      state_.EndRead(member, read);
    }
  }

  SharedState* operator->() { return &state_; }

 private:
  static std::vector<std::unique_ptr<Filter>> Filters() {
    const FilterRegistry known = BuiltinFilters();
    std::vector<std::unique_ptr<Filter>> filters;
    for (const char* name : {"health", "affinity", "constraint"})
      filters.push_back((*known.Find(name))());
    return filters;
  }

  SharedState state_;
};

ContainerSpec Wanting(const std::vector<std::string>& affinities) {
  ContainerSpec spec;
  spec.image = "nginx";
  for (const std::string& text : affinities) spec.affinities.push_back(*ParseExpression(text));
  return spec;
}

constexpr const char* kOnN2 = "container==/^web[0-9]+-n2$/";

TEST(LongPatterns, OnlyWhatMayTakeLongTakesSteps) {
  PatternCluster few(2), many(3'000);
  EXPECT_FALSE(few->TakesSteps(Wanting({kOnN2})));
  EXPECT_TRUE(many->TakesSteps(Wanting({kOnN2})));
  EXPECT_FALSE(many->TakesSteps(Wanting({})));
  EXPECT_FALSE(many->TakesSteps(Wanting({"container==web0-n2", "app!=db"})));
  EXPECT_FALSE(many->TakesSteps(Wanting({"container==web*-n2"})));
  ContainerSpec constrained;
  constrained.constraints = {*ParseExpression("node==/^n[12]$/")};
  EXPECT_FALSE(many->TakesSteps(constrained)) << "there are three nodes";
}

TEST(LongPatterns, TheyDecideAsShortOnesDo) {
  for (const char* strategy : {"spread", "binpack", "random"}) {
    PatternCluster few(2, strategy), many(3'000, strategy);
    const ContainerSpec cases[] = {
        Wanting({kOnN2}), Wanting({"container!=/-n[13]$/"}),
        Wanting({kOnN2, "container!=/^web0-n[13]/"}),
        Wanting({"container==~/nowhere/", "container!=/-n1$/", "container!=/-n3$/"})};
    for (const ContainerSpec& spec : cases) {
      EXPECT_TRUE(many->TakesSteps(spec));
      for (PatternCluster* cluster : {&few, &many}) {
        const absl::StatusOr<HeldPlace> place = (*cluster)->Place(spec);
        ASSERT_TRUE(place.ok()) << place.status();
        EXPECT_EQ(place->reservation.placement.node_name, "n2") << strategy;
      }
    }
  }
}

TEST(LongPatterns, ARefusalSaysTheSame) {
  PatternCluster few(2), many(3'000);
  for (const char* text : {"container==/nowhere-[0-9]+/", "container!=/^web0-n[0-9]+$/"}) {
    const ContainerSpec spec = Wanting({text});
    const absl::Status expected = few->Place(spec).status();
    EXPECT_FALSE(expected.ok());
    EXPECT_EQ(many->Place(spec).status(), expected);
    const auto explained = few->Explain(spec), again = many->Explain(spec);
    ASSERT_TRUE(explained.ok() && again.ok());
    ASSERT_EQ(again->refused.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_EQ(again->refused[i].reason, explained->refused[i].reason);
  }
}

}  // namespace
}  // namespace swarm
