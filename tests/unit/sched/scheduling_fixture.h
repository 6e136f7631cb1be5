// A few nodes told to both schedulers, which are asked together.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/expression.h"
#include "sched/builtin.h"
#include "sched/indexed_scheduler.h"
#include "sched/oracle.h"
#include "sched/plain_inventory.h"
#include "swarmlib/status.h"

namespace swarm {

inline constexpr std::int64_t kGiB = std::int64_t{1} << 30;
inline constexpr std::int64_t kCpu = 1'000'000'000;

inline Expression Parse(const std::string& text) { return *ParseExpression(text); }

inline PortBinding Port(int number) {
  PortBinding port;
  port.host_first = port.host_last = static_cast<std::uint16_t>(number);
  port.container_port = 80;
  return port;
}

inline FilterList FiltersNamed(const std::vector<std::string>& names) {
  const FilterRegistry registry = BuiltinFilters();
  FilterList filters;
  for (const std::string& name : names) filters.push_back((*registry.Find(name))());
  return filters;
}

inline const std::vector<std::string>& AllNames() {
  static const std::vector<std::string> names = {"health",     "port",     "containerslots",
                                                 "dependency", "affinity", "constraint",
                                                 "whitelist",  "platform"};
  return names;
}

inline std::unique_ptr<Strategy> StrategyNamed(const std::string& name) {
  const StrategyRegistry registry = BuiltinStrategies();
  return (*registry.Find(name))();
}

// A few nodes, told to both.
class SchedulingFixture {
 public:
  explicit SchedulingFixture(const std::string& strategy = "spread",
                             FilterList filters = FiltersNamed(AllNames()),
                             std::unique_ptr<Strategy> own = nullptr)
      : filters_(std::move(filters)),
        strategy_(own != nullptr ? std::move(own) : StrategyNamed(strategy)),
        index_(plain_, filters_, *strategy_, options_, index_random_),
        oracle_(plain_, filters_, *strategy_, options_, oracle_random_) {}

  void AddNode(const std::string& name, Labels labels = {},
               Resources total = {4 * kCpu, 4 * kGiB}) {
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

// Three nodes: n1 with web on port 80 and the image nginx, n2 with db labelled app=db, n3 empty and
// labelled.
inline std::unique_ptr<SchedulingFixture> Posts(const std::string& strategy = "spread") {
  auto fixture = std::make_unique<SchedulingFixture>(strategy);
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

inline constexpr const char* kUnable =
    "Unable to find a node that satisfies the following conditions";

}  // namespace swarm
