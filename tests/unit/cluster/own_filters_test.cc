// Filters of the embedding program beside the lock of the state: who waits for them, and what they
// still decide exactly.
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cluster/shared_state.h"
#include "swarmlib/filter.h"
#include "swarmlib/status.h"
#include "swarmlib/strategy.h"

namespace swarm {
namespace {

constexpr std::chrono::seconds kBound(20);

using Predicate = std::function<bool(const ContainerSpec&, const NodeView&)>;

// Demands of a container with the label "own" what `holds` says; softly when the label says "soft".
class OwnFilter final : public Filter {
 public:
  explicit OwnFilter(Predicate holds) : holds_(std::move(holds)) {}
  std::string_view name() const override { return "own"; }
  absl::StatusOr<std::vector<Rule>> RulesFor(const ContainerSpec& spec) const override {
    const auto label = spec.labels.find("own");
    if (label == spec.labels.end()) return std::vector<Rule>{};
    const auto holds = [this, spec](const NodeView& view) { return holds_(spec, view); };
    return std::vector<Rule>{{"own rule", label->second == "soft", term::Opaque{holds}}};
  }

 private:
  const Predicate holds_;
};

ContainerSpec Named(const std::string& name, const std::string& own = "hard") {
  ContainerSpec spec;
  spec.name = name;
  spec.image = "busybox";
  if (!own.empty()) spec.labels["own"] = own;
  return spec;
}

class Cluster {
 public:
  explicit Cluster(Predicate holds, int nodes, const char* strategy = "spread",
                   const Labels& labels = {})
      : Cluster(std::move(holds), nodes, (*BuiltinStrategies().Find(strategy))(), labels) {}
  Cluster(Predicate holds, int nodes, std::unique_ptr<Strategy> strategy, const Labels& labels = {})
      : state_({}, Filters(std::move(holds)), std::move(strategy), 1) {
    for (int i = 1; i <= nodes; ++i) {
      Node node;
      node.name = "n" + std::to_string(i);
      node.address = node.name + ":2375";
      node.id = "ID" + node.name;
      node.state = NodeState::kHealthy;
      node.total = {64'000'000'000, std::int64_t{1} << 40};
      node.labels = labels;
      Node description = node;
      const Member member = state_.Join(std::move(node));
      state_.SetNode(member, std::move(description));
    }
  }

  SharedState& operator*() { return state_; }
  SharedState* operator->() { return &state_; }

  // The node's name, or the message.
  std::string Place(const ContainerSpec& spec) {
    const absl::StatusOr<HeldPlace> place = state_.Place(spec);
    if (!place.ok()) return std::string(MessageOf(place.status()));
    return place->reservation.placement.node_name;
  }

 private:
  static std::vector<std::unique_ptr<Filter>> Filters(Predicate holds) {
    const FilterRegistry known = BuiltinFilters();
    std::vector<std::unique_ptr<Filter>> filters;
    for (const char* const name : {"health", "containerslots", "constraint"})
      filters.push_back((*known.Find(name))());
    filters.push_back(std::make_unique<OwnFilter>(std::move(holds)));
    return filters;
  }

  SharedState state_;
};

std::size_t HeldOn(const NodeView& view) { return view.containers().size(); }

// A predicate that takes as long as the test wants for the container "slow".
class Gate {
 public:
  void Enter(const ContainerSpec& spec) {
    if (spec.name != "slow" || entered_.exchange(true)) return;
    inside_.set_value();
    EXPECT_EQ(open_.get_future().wait_for(kBound), std::future_status::ready);
  }
  bool AwaitInside() { return inside_.get_future().wait_for(kBound) == std::future_status::ready; }
  void Open() { open_.set_value(); }

 private:
  std::atomic<bool> entered_{false};
  std::promise<void> inside_, open_;
};

TEST(OwnFilters, OneThatTakesItsTimeStopsNeitherListsNorOtherPlacements) {
  Gate gate;
  Cluster cluster(
      [&gate](const ContainerSpec& spec, const NodeView&) {
        gate.Enter(spec);
        return true;
      },
      2);
  auto slow = std::async(std::launch::async, [&] { return cluster.Place(Named("slow")); });
  ASSERT_TRUE(gate.AwaitInside());
  auto others = std::async(std::launch::async, [&] {
    const std::size_t listed = cluster->Containers()->size();
    const std::string with = cluster.Place(Named("other"));
    const std::string without = cluster.Place(Named("plain", ""));
    const bool planned = cluster->Explain(Named("planned")).ok();
    return std::to_string(listed) + with + without + (planned ? "planned" : "");
  });
  const bool in_time = others.wait_for(kBound) == std::future_status::ready;
  gate.Open();
  EXPECT_TRUE(in_time) << "they wait for the filter";
  EXPECT_EQ(others.get(), "0n1n2planned");
  // n1 has changed meanwhile.
  EXPECT_EQ(slow.get(), "n1");
}

TEST(OwnFilters, AnAnswerAboutANodeThatHasChangedDoesNotCount) {
  Gate gate;
  std::atomic<int> asked{0};
  Cluster cluster(
      [&](const ContainerSpec& spec, const NodeView& view) {
        ++asked;
        const bool is_empty = HeldOn(view) == 0;
        gate.Enter(spec);
        return is_empty;
      },
      2);
  auto slow = std::async(std::launch::async, [&] { return cluster.Place(Named("slow")); });
  ASSERT_TRUE(gate.AwaitInside());
  EXPECT_EQ(cluster.Place(Named("quick")), "n1");
  gate.Open();
  EXPECT_EQ(slow.get(), "n2");
  EXPECT_EQ(asked, 3) << "n1 by each of them, and n2";
  EXPECT_EQ(cluster.Place(Named("third")),
            "Unable to find a node that satisfies the following conditions\n"
            "[available container slots]\n[own rule]\n"
            "n1: own rule\nn2: own rule");
}

TEST(OwnFilters, APictureIsWholeAndStaysAsItWas) {
  std::vector<std::string> seen;
  SharedState* state = nullptr;
  std::promise<void> looked;
  std::vector<std::thread> threads;
  Cluster cluster(
      [&](const ContainerSpec& spec, const NodeView& view) {
        // As another thread would.
        if (spec.name == "third" && HeldOn(view) == 2) {
          std::thread other([&] {
            state->With([](const ClusterState& now) { return now.generation(); });
            looked.set_value();
          });
          // Not without end: with the state locked this would wait for itself.
          EXPECT_EQ(looked.get_future().wait_for(std::chrono::seconds(30)),
                    std::future_status::ready);
          threads.push_back(std::move(other));
        }
        std::string text = std::to_string(view.reserved().memory) + ":";
        for (const PortHold& port : view.held_ports())
          text += port.holder + "=" + std::to_string(port.port.host_first);
        seen.push_back(text);
        return true;
      },
      1);
  state = &*cluster;
  ContainerSpec first = Named("first");
  first.request.memory = 100;
  first.ports.push_back({"", 80, 80, 80, "tcp"});
  EXPECT_EQ(cluster.Place(first), "n1");
  EXPECT_EQ(cluster.Place(Named("second")), "n1");
  EXPECT_EQ(cluster.Place(Named("third")), "n1");
  EXPECT_EQ(seen, (std::vector<std::string>{"0:", "100:first=80", "100:first=80"}));
  for (std::thread& thread : threads) thread.join();
}

// Has no room anywhere, and counts how often it was asked.
class FullStrategy final : public Strategy {
 public:
  explicit FullStrategy(int& asked) : asked_(asked) {}
  std::string_view name() const override { return "full"; }
  std::optional<std::int64_t> Rank(const NodeUsage&, const Resources&) const override {
    ++asked_;
    return std::nullopt;
  }

 private:
  int& asked_;
};

TEST(OwnFilters, ARefusalAsksForItsReasonsInFewRounds) {
  constexpr int kNodes = 128;
  int ranked = 0, asked = 0;
  Cluster cluster(
      [&asked](const ContainerSpec&, const NodeView&) {
        ++asked;
        return true;
      },
      kNodes, std::make_unique<FullStrategy>(ranked));
  EXPECT_NE(cluster.Place(Named("one")).find("full"), std::string::npos);
  EXPECT_LE(asked, kNodes);
  // 1, 2, 4 ... 64 questions in a round. One answer a round would be 128 rounds.
  EXPECT_LE(ranked, 24 * kNodes);
}

TEST(OwnFilters, ManyAtOnceFillEveryPlaceOnceAndNoMore) {
  constexpr int kThreads = 4, kEach = 20, kNodes = 3;
  struct Case {
    const char* strategy;
    Labels labels;
    std::size_t by_filter;
  };
  // The last place is guarded by the built-in filter, or by the own one.
  for (const Case& each : {Case{"spread", {{"containerslots", "7"}}, 1000}, Case{"spread", {}, 7},
                           Case{"binpack", {}, 7}, Case{"random", {}, 7}}) {
    SCOPED_TRACE(each.strategy);
    Cluster cluster([&each](const ContainerSpec&,
                            const NodeView& view) { return HeldOn(view) < each.by_filter; },
                    kNodes, each.strategy, each.labels);
    std::atomic<int> refused{0};
    std::array<std::atomic<int>, kNodes> placed{};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          const std::string node =
              cluster.Place(Named("c" + std::to_string(t) + "-" + std::to_string(i)));
          if (node.size() == 2) {
            ++placed[static_cast<std::size_t>(node[1] - '1')];
          } else {
            ++refused;
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (int i = 0; i < kNodes; ++i) EXPECT_EQ(placed[static_cast<std::size_t>(i)], 7) << i;
    EXPECT_EQ(refused, kThreads * kEach - kNodes * 7);
  }
}

// In steps and at once, the same nodes, messages and draws.
TEST(OwnFilters, DecideAsIfTheyWereAskedAtOnce) {
  const Predicate odd_or_roomy = [](const ContainerSpec& spec, const NodeView& view) {
    const int number = std::stoi(view.node().name.substr(1));
    return spec.name.size() % 2 == 0 ? number % 3 == 0 : HeldOn(view) < 2;
  };
  for (const char* const strategy : {"spread", "binpack", "random"}) {
    SCOPED_TRACE(strategy);
    Cluster in_steps(odd_or_roomy, 40, strategy);
    Cluster at_once(odd_or_roomy, 40, strategy);
    for (int i = 0; i < 60; ++i) {
      ContainerSpec spec =
          Named((i % 3 == 0 ? "a" : "bb") + std::to_string(1000 + i), i % 5 == 0 ? "soft" : "hard");
      if (i % 7 == 0) spec.labels.clear();
      const absl::StatusOr<Explanation> steps = in_steps->Explain(spec);
      const absl::StatusOr<Explanation> once =
          at_once->With([&spec](const ClusterState& state) { return state.Explain(spec); });
      ASSERT_TRUE(steps.ok() && once.ok());
      EXPECT_EQ(steps->candidates.size(), once->candidates.size()) << i;
      EXPECT_EQ(steps->summary, once->summary) << i;
      const auto place = [&spec](ClusterState& state) -> std::string {
        const absl::StatusOr<Reservation> held = state.Place(spec);
        return held.ok() ? held->placement.node_name : std::string(MessageOf(held.status()));
      };
      ASSERT_EQ(in_steps.Place(spec), at_once->Reserve(place)) << i;
    }
  }
}

}  // namespace
}  // namespace swarm
