// A cluster that changes at random, told to a ClusterState and to a plain inventory alike.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/cluster_state.h"
#include "sched/builtin.h"
#include "sched/judge.h"
#include "sched/oracle.h"
#include "sched/plain_inventory.h"
#include "swarmlib/random.h"
#include "unit/core/independent_model.h"

namespace swarm {

FilterList AllFilters();

class ClusterWorld {
 public:
  struct Options {
    int nodes = 100;
    std::string strategy = "spread";
    std::uint64_t seed = 1;
    bool large = false;  // skips the changes that cost the plain inventory most
    double overcommit = 0.05;
    // What the node is named by a third time; null = by the oracle and the index alone.
    std::optional<IndependentModel::Flaw> model = std::nullopt;
  };
  explicit ClusterWorld(const Options& options);

  // Changes something: nodes, labels, health, containers, images, starts, updates.
  void Churn();
  // Places a random container by both, and by the model if there is one, and compares. Empty when
  // they agree, else what differs.
  std::string PlaceBoth();

  int placed() const { return placed_; }
  int refused() const { return refused_; }

 private:
  struct Placed {
    std::uint64_t ticket;
    std::string address;
    ContainerSpec spec;
  };

  std::string Pick(std::vector<std::string> choices) {
    return choices[random_.Below(choices.size())];
  }
  bool Chance(int percent) { return random_.Below(100) < static_cast<std::uint64_t>(percent); }
  Node MakeNode(int number);
  const std::string& AnyAddress() { return addresses_[random_.Below(addresses_.size())]; }
  Container* AnyContainer(PlainNode*& on);
  std::string AnyReference();
  ContainerSpec MakeSpec();
  void AddExpressions(ContainerSpec& spec);
  void AddPorts(ContainerSpec& spec);
  void SettleOne();
  void ChangeContainer();
  void ChangeNode();
  void ReplaceNode();
  void ChangeImages();
  void ToggleStart();
  void DropPending(const Placed& placed);
  void Republish(const Container& container);
  // What the model says against it; empty when nothing.
  std::string AskModel(const ContainerSpec& spec, const absl::StatusOr<Reservation>& found);

  Options options_;
  Random random_;
  Random state_random_;
  Random oracle_random_;
  Random model_random_;
  FilterList filters_;
  std::unique_ptr<Strategy> strategy_;
  SchedulerOptions scheduler_options_;
  const std::optional<IndependentModel> model_;
  ClusterState state_;
  PlainInventory plain_;
  Oracle oracle_;
  std::vector<std::string> addresses_;
  std::vector<Placed> pending_;
  std::map<std::uint64_t, std::string> starts_;  // ticket -> address
  int next_node_ = 0;
  int next_container_ = 0;
  int placed_ = 0;
  int refused_ = 0;
};

}  // namespace swarm
