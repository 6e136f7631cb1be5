// A state of a few nodes, asked in short words.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/cluster_state.h"
#include "swarmlib/status.h"
#include "unit/core/cluster_world.h"

namespace swarm {

inline constexpr std::int64_t kGiB = std::int64_t{1} << 30;
inline constexpr std::int64_t kCpu = 1'000'000'000;

inline std::string Id(const std::string& start) {
  return start + std::string(64 - start.size(), '0');
}

inline PortBinding Port(int number) {
  PortBinding port;
  port.host_first = port.host_last = static_cast<std::uint16_t>(number);
  port.container_port = 80;
  return port;
}

class ClusterStateTest : public ::testing::Test {
 protected:
  ClusterStateTest() : state_(StateOptions(), AllFilters(), MakeSpreadStrategy(), random_) {}

  Node MakeNode(const std::string& name) {
    Node node;
    node.name = name;
    node.address = name + ":2375";
    node.id = "ID-" + name;
    node.ip = "10.0.0.1";
    node.state = NodeState::kHealthy;
    node.total = {4 * kCpu, 4 * kGiB};
    return node;
  }
  void AddNode(const std::string& name) { state_.SetNode(MakeNode(name)); }

  Container MakeContainer(const std::string& id, const std::string& name) {
    Container container;
    container.id = Id(id);
    container.names = {name};
    container.state = ContainerState::kRunning;
    return container;
  }
  void Put(const std::string& node, Container container) {
    state_.PutContainer(node + ":2375", ContainerRecord{std::move(container), {"head", "tail"}});
  }
  void Put(const std::string& node, const std::string& id, const std::string& name) {
    Put(node, MakeContainer(id, name));
  }

  // "node/id..." of what it names, or the message.
  std::string Find(std::string_view reference) {
    const absl::StatusOr<ContainerPointer> found = state_.FindContainer(reference);
    if (!found.ok()) {
      http_ = HttpStatusOf(found.status());
      return std::string(MessageOf(found.status()));
    }
    return (*found)->node->name + "/" + (*found)->container.names[0];
  }
  std::string PlaceOn(ContainerSpec spec) {
    const absl::StatusOr<Reservation> place = state_.Place(spec);
    if (!place.ok()) {
      http_ = HttpStatusOf(place.status());
      return std::string(MessageOf(place.status()));
    }
    ticket_ = place->ticket;
    name_ = place->name;
    swarm_id_ = place->swarm_id;
    return place->placement.node_name;
  }
  std::vector<std::string> ListedNames() {
    std::vector<std::string> names;
    for (const ContainerPointer& entry : state_.Containers())
      names.push_back(entry->container.names[0]);
    return names;
  }

  Random random_{1};
  ClusterState state_;
  int http_ = 0;
  std::uint64_t ticket_ = 0;
  std::string name_;
  std::string swarm_id_;
};

}  // namespace swarm
