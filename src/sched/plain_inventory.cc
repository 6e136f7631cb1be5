#include "sched/plain_inventory.h"

#include <algorithm>
#include <functional>

#include "sched/ports.h"
#include "sched/usage.h"

namespace swarm {
namespace {

bool HasName(const Container& container, std::string_view name) {
  return std::find(container.names.begin(), container.names.end(), name) != container.names.end();
}

}  // namespace

std::vector<const Container*> PlainNode::containers() const {
  std::vector<const Container*> all;
  for (const Container& container : held) all.push_back(&container);
  return all;
}

std::vector<const Image*> PlainNode::images() const {
  std::vector<const Image*> all;
  for (const Image& image : image_list) all.push_back(&image);
  return all;
}

Resources PlainNode::reserved() const {
  ResourceSum sum;
  for (const Container& container : held) sum.Add(container.request, 1);
  for (const auto& [ticket, hold] : holds) sum.Add(hold.resources, 1);
  return sum.value();
}

std::vector<PortHold> PlainNode::held_ports() const {
  std::vector<PortHold> ports;
  for (const Container& container : held) {
    for (const PortBinding& port : PortsHeldBy(container))
      ports.push_back({port, container.names[0]});
  }
  for (const auto& [ticket, hold] : holds) {
    for (const PortBinding& port : hold.ports) ports.push_back({port, hold.holder});
  }
  return ports;
}

PlainNode& PlainInventory::SetNode(const Node& node) {
  auto kept = std::make_unique<PlainNode>();
  if (const PlainNode* const known = Find(node.address)) {
    auto entry = nodes_.extract(std::pair(known->description.name, known->description.address));
    kept = std::move(entry.mapped());
  }
  kept->description = node;
  by_address_[node.address] = kept.get();
  return *nodes_.emplace(std::pair(node.name, node.address), std::move(kept)).first->second;
}

void PlainInventory::DropNode(std::string_view address) {
  const auto known = by_address_.find(address);
  if (known == by_address_.end()) return;
  const Node& node = known->second->description;
  const std::pair<std::string, std::string> key(node.name, node.address);
  by_address_.erase(known);
  nodes_.erase(key);
}

PlainNode* PlainInventory::Find(std::string_view address) const {
  const auto known = by_address_.find(address);
  return known == by_address_.end() ? nullptr : known->second;
}

std::vector<const NodeView*> PlainInventory::Views() const {
  std::vector<const NodeView*> views;
  for (const auto& [key, node] : nodes_) views.push_back(node.get());
  return views;
}

void PlainInventory::HoldersOf(std::string_view reference,
                               std::vector<std::string_view>& addresses) const {
  const std::string_view name = reference.substr(0, 1) == "/" ? reference.substr(1) : reference;
  const std::size_t slash = name.find('/');
  using Meaning = std::function<bool(const Node&, const Container&)>;
  const Meaning meanings[] = {
      [&](const Node&, const Container& container) {
        return container.id.empty() && HasName(container, name);
      },
      [&](const Node&, const Container& container) {
        return container.id == reference && !container.id.empty();
      },
      [&](const Node&, const Container& container) {
        return reference.size() == kShortId && container.id.substr(0, kShortId) == reference;
      },
      [&](const Node&, const Container& container) {
        if (container.id.empty()) return false;
        return container.swarm_id == reference ||
               (reference.size() == kShortId &&
                container.swarm_id.substr(0, kShortId) == reference);
      },
      [&](const Node&, const Container& container) {
        return !container.id.empty() && HasName(container, name);
      },
      [&](const Node& node, const Container& container) {
        if (slash == std::string_view::npos || container.id.empty()) return false;
        const std::string_view on = name.substr(0, slash);
        return (on == node.name || on == node.id || on == node.address) &&
               HasName(container, name.substr(slash + 1));
      },
      [&](const Node&, const Container& container) {
        return !reference.empty() && container.id.substr(0, reference.size()) == reference;
      },
  };
  constexpr std::size_t kShortIdMeaning = 2;
  constexpr std::size_t kPrefixMeaning = 6;
  for (std::size_t i = 0; i <= kPrefixMeaning; ++i) {
    for (const auto& [key, node] : nodes_) {
      for (const Container& container : node->held) {
        if (meanings[i](node->description, container))
          addresses.push_back(node->description.address);
      }
    }
    if (addresses.empty()) continue;
    if ((i == kShortIdMeaning || i == kPrefixMeaning) && addresses.size() > 1) addresses.clear();
    return;
  }
}

void PlainInventory::HoldersNamed(std::string_view text,
                                  std::vector<std::string_view>& addresses) const {
  for (const auto& [key, node] : nodes_) {
    for (const Container& container : node->held) {
      const bool by_id =
          !container.id.empty() &&
          (container.id == text || (text.size() == kShortId && container.id.starts_with(text)));
      if (by_id || container.names[0] == text) addresses.push_back(node->description.address);
    }
  }
}

}  // namespace swarm
