#include "bindings/c/nodes.h"

#include <string>
#include <utility>

#include "bindings/c/manager.h"
#include "bindings/c/utf8.h"

using namespace swarm::c;

namespace {

const char* LabelOf(const swarm::Labels& labels, const char* key) {
  if (key == nullptr) return nullptr;
  const auto found = labels.find(std::string_view(key));
  return found == labels.end() ? nullptr : found->second.c_str();
}

}  // namespace

swarm_code swarm_manager_nodes(swarm_manager* manager, swarm_nodes** nodes, swarm_error** error) {
  if (nodes != nullptr) *nodes = nullptr;
  return GuardWait("swarm_manager_nodes", error, [&]() -> absl::Status {
    if (absl::Status usable = Usable(manager); !usable.ok()) return usable;
    if (absl::Status wanted = Wanted(nodes, "nodes"); !wanted.ok()) return wanted;
    swarm_nodes list;
    for (swarm::NodePointer& node : manager->manager->cluster().Nodes())
      list.kept.push_back(ToUtf8(std::move(node)));
    for (const swarm::NodePointer& node : list.kept) list.nodes.push_back({node.get()});
    *nodes = New(std::move(list));
    return absl::OkStatus();
  });
}

size_t swarm_nodes_count(const swarm_nodes* nodes) {
  return IsLive(nodes, "swarm_nodes_count") ? nodes->nodes.size() : 0;
}
const swarm_node* swarm_nodes_at(const swarm_nodes* nodes, size_t index) {
  if (!IsLive(nodes, "swarm_nodes_at") || index >= nodes->nodes.size()) return nullptr;
  return &nodes->nodes[index];
}
void swarm_nodes_free(swarm_nodes* nodes) { Free(nodes, "swarm_nodes_free"); }

const char* swarm_node_name(const swarm_node* node) {
  return node == nullptr ? "" : node->node->name.c_str();
}
const char* swarm_node_address(const swarm_node* node) {
  return node == nullptr ? "" : node->node->address.c_str();
}
const char* swarm_node_id(const swarm_node* node) {
  return node == nullptr ? "" : node->node->id.c_str();
}
// A view of a literal.
const char* swarm_node_state(const swarm_node* node) {
  return node == nullptr ? "" : swarm::NodeStateName(node->node->state).data();
}
const char* swarm_node_error(const swarm_node* node) {
  return node == nullptr ? "" : node->node->error.c_str();
}
int swarm_node_is_cordoned(const swarm_node* node) {
  return node != nullptr && node->node->cordoned ? 1 : 0;
}
const char* swarm_node_label(const swarm_node* node, const char* key) {
  return node == nullptr ? nullptr : LabelOf(node->node->labels, key);
}
int64_t swarm_node_nano_cpus(const swarm_node* node) {
  return node == nullptr ? 0 : node->node->total.nano_cpus;
}
int64_t swarm_node_memory(const swarm_node* node) {
  return node == nullptr ? 0 : node->node->total.memory;
}

const char* swarm_container_name(const swarm_container* container) {
  if (container == nullptr || container->container->names.empty()) return "";
  return container->container->names.front().c_str();
}
const char* swarm_container_id(const swarm_container* container) {
  return container == nullptr ? "" : container->container->id.c_str();
}
const char* swarm_container_image(const swarm_container* container) {
  return container == nullptr ? "" : container->container->image.c_str();
}
const char* swarm_container_state(const swarm_container* container) {
  if (container == nullptr) return "";
  return swarm::ContainerStateName(container->container->state).data();
}
const char* swarm_container_label(const swarm_container* container, const char* key) {
  return container == nullptr ? nullptr : LabelOf(container->container->labels, key);
}
