// A cluster that changes at random, told to a ClusterState and to a plain inventory alike.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/cluster_state.h"
#include "sched/builtin.h"
#include "sched/judge.h"
#include "sched/oracle.h"
#include "sched/plain_inventory.h"
#include "swarmlib/random.h"

namespace swarm {

FilterList AllFilters();

class ClusterWorld {
 public:
  struct Options {
    int nodes = 100;
    std::string strategy = "spread";
    std::uint64_t seed = 1;
    bool large = false;  // skips the changes that cost the plain inventory most
  };
  explicit ClusterWorld(const Options& options);

  // Changes something: nodes, labels, health, containers, images, starts, updates.
  void Churn();
  // Places a random container by both and compares. Empty when they agree, else what differs.
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

  Options options_;
  Random random_;
  Random state_random_;
  Random oracle_random_;
  FilterList filters_;
  std::unique_ptr<Strategy> strategy_;
  SchedulerOptions scheduler_options_;
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
