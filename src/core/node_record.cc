#include "core/node_record.h"

#include "sched/ports.h"

namespace swarm {
namespace {

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
  const auto append = [&held](std::vector<PortBinding> ports, const std::string& holder) {
    for (PortBinding& port : ports) held.push_back({std::move(port), holder});
  };
  for (const auto& [id, entry] : entries_) {
    const Container& container = entry->container;
    append(PortsHeldBy(container), container.names.empty() ? container.id : container.names[0]);
  }
  for (const auto& [ticket, hold] : holds_) {
    append(hold->pending != nullptr ? PortsHeldBy(*hold->pending) : hold->ports, hold->holder);
  }
  return held;
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
  Count(entry->container, 1);
}

void NodeRecord::Remove(std::string_view id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Count(found->second->container, -1);
  entries_.erase(found);
}

void NodeRecord::AddHold(std::uint64_t ticket, const Hold* hold) {
  if (holds_.emplace(ticket, hold).second) reserved_.Add(HeldResources(*hold), 1);
}

void NodeRecord::DropHold(std::uint64_t ticket) {
  const auto found = holds_.find(ticket);
  if (found == holds_.end()) return;
  reserved_.Add(HeldResources(*found->second), -1);
  holds_.erase(found);
}

}  // namespace swarm
