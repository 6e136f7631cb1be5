#include "core/node_record.h"

#include "sched/ports.h"

namespace swarm {
namespace {

// Container names stand for their holders in messages about ports.
void AppendPorts(std::vector<PortBinding> ports, const std::string& holder,
                 std::vector<PortHold>& held) {
  for (PortBinding& port : ports) held.push_back({std::move(port), holder});
}

void AppendPortsOf(const Container& container, std::vector<PortHold>& held) {
  AppendPorts(PortsHeldBy(container), container.names.empty() ? container.id : container.names[0],
              held);
}

std::vector<PortBinding> PortsOfHold(const Hold& hold) {
  return hold.pending != nullptr ? PortsHeldBy(*hold.pending) : hold.ports;
}

// A picture of a node: entries are immutable, holds are copied.
class KeptNode final : public NodeView {
 public:
  explicit KeptNode(const NodeRecord& record)
      : node_(record.pointer()), images_(record.image_entries()), reserved_(record.reserved()) {
    entries_.reserve(record.entries().size());
    for (const auto& [id, entry] : record.entries()) entries_.push_back(entry);
    for (const auto& [ticket, hold] : record.holds()) {
      if (hold->pending != nullptr) pending_.push_back(*hold->pending);
      AppendPorts(PortsOfHold(*hold), hold->holder, held_);
    }
  }

  const Node& node() const override { return *node_; }
  std::vector<const Container*> containers() const override {
    std::vector<const Container*> containers;
    for (const ContainerPointer& entry : entries_) containers.push_back(&entry->container);
    for (const Container& container : pending_) containers.push_back(&container);
    return containers;
  }
  std::vector<const Image*> images() const override {
    std::vector<const Image*> images;
    for (const auto& entry : images_) images.push_back(&entry->image);
    return images;
  }
  Resources reserved() const override { return reserved_; }
  std::vector<PortHold> held_ports() const override {
    std::vector<PortHold> held;
    for (const ContainerPointer& entry : entries_) AppendPortsOf(entry->container, held);
    held.insert(held.end(), held_.begin(), held_.end());
    return held;
  }

 private:
  const NodePointer node_;
  std::vector<ContainerPointer> entries_;
  std::vector<Container> pending_;
  const std::vector<std::shared_ptr<const ImageEntry>> images_;
  const Resources reserved_;
  std::vector<PortHold> held_;  // by what is under way
};

const Resources& HeldResources(const Hold& hold) {
  return hold.pending != nullptr ? hold.pending->request : hold.resources;
}

}  // namespace

ContainerClass ClassOf(ContainerState state) {
  switch (state) {
    case ContainerState::kRunning:
    case ContainerState::kRestarting: return ContainerClass::kRunning;
    case ContainerState::kPaused: return ContainerClass::kPaused;
    case ContainerState::kCreated:
    case ContainerState::kRemoving:
    case ContainerState::kExited:
    case ContainerState::kDead: return ContainerClass::kStopped;
  }
  return ContainerClass::kStopped;
}

std::vector<const Container*> NodeRecord::containers() const {
  std::vector<const Container*> containers;
  containers.reserve(entries_.size() + holds_.size());
  for (const auto& [id, entry] : entries_) containers.push_back(&entry->container);
  for (const auto& [ticket, hold] : holds_) {
    if (hold->pending != nullptr) containers.push_back(hold->pending.get());
  }
  return containers;
}

std::vector<const Image*> NodeRecord::images() const {
  std::vector<const Image*> images;
  images.reserve(images_.size());
  for (const auto& entry : images_) images.push_back(&entry->image);
  return images;
}

bool NodeRecord::HoldsImages(const std::vector<Image>& images,
                             const std::vector<std::string>& rows) const {
  if (images.size() != images_.size() || rows.size() != images_.size()) return false;
  for (std::size_t i = 0; i < images_.size(); ++i) {
    if (images_[i]->image.id != images[i].id || images_[i]->row != rows[i]) return false;
  }
  return true;
}

std::vector<PortHold> NodeRecord::held_ports() const {
  std::vector<PortHold> held;
  for (const auto& [id, entry] : entries_) AppendPortsOf(entry->container, held);
  for (const auto& [ticket, hold] : holds_) AppendPorts(PortsOfHold(*hold), hold->holder, held);
  return held;
}

std::shared_ptr<const NodeView> NodeRecord::Keep() const {
  return std::make_shared<KeptNode>(*this);
}

void NodeRecord::Count(const Container& container, int by) {
  reserved_.Add(container.request, by);
  counts_.containers += by;
  switch (ClassOf(container.state)) {
    case ContainerClass::kRunning: counts_.running += by; break;
    case ContainerClass::kPaused: counts_.paused += by; break;
    case ContainerClass::kStopped: counts_.stopped += by; break;
  }
}

void NodeRecord::Add(const ContainerPointer& entry) {
  Remove(entry->container.id);
  entries_.emplace(entry->container.id, entry);
  ++revision_;
  Count(entry->container, 1);
}

void NodeRecord::Remove(std::string_view id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Count(found->second->container, -1);
  entries_.erase(found);
  ++revision_;
}

void NodeRecord::AddHold(std::uint64_t ticket, const Hold* hold) {
  if (!holds_.emplace(ticket, hold).second) return;
  reserved_.Add(HeldResources(*hold), 1);
  ++revision_;
}

void NodeRecord::DropHold(std::uint64_t ticket) {
  const auto found = holds_.find(ticket);
  if (found == holds_.end()) return;
  reserved_.Add(HeldResources(*found->second), -1);
  holds_.erase(found);
  ++revision_;
}

}  // namespace swarm
