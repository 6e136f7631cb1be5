#include <utility>

#include "core/state_impl.h"

namespace swarm {

void ClusterState::Impl::AddTotal(const Node& node, int times) {
  total_.Add(WithOvercommit(node.total, scheduler_options_.overcommit), times);
  totals_.total = total_.value();
}

NodeRecord* ClusterState::Impl::FindRecord(std::string_view address) const {
  const auto found = nodes_.find(address);
  return found == nodes_.end() ? nullptr : found->second.get();
}

std::vector<const NodeView*> ClusterState::Impl::Views() const {
  std::vector<const NodeView*> views;
  views.reserve(by_name_.size());
  for (const auto& [key, record] : by_name_) views.push_back(record);
  return views;
}

const NodeView* ClusterState::Impl::ViewOf(std::string_view address) const {
  return FindRecord(address);
}

// All views are records.
std::uint64_t ClusterState::Impl::RevisionOf(const NodeView& view) const {
  return static_cast<const NodeRecord&>(view).revision();
}

std::shared_ptr<const NodeView> ClusterState::Impl::Keep(const NodeView& view) const {
  return static_cast<const NodeRecord&>(view).Keep();
}

void ClusterState::Impl::HoldersOf(std::string_view reference,
                                   std::vector<std::string_view>& addresses) const {
  const std::string_view name = reference.substr(0, 1) == "/" ? reference.substr(1) : reference;
  const auto held = held_names_.find(name);
  if (held != held_names_.end()) {
    const Ticket& ticket = tickets_.at(held->second);
    if (ticket.hold.pending != nullptr && !ticket.absorbed) {
      addresses.push_back(ticket.address);
      return;
    }
  }
  for (const ContainerEntry* entry : containers_.Meant(reference))
    addresses.push_back(entry->container.node);
}

void ClusterState::Impl::HoldersNamed(std::string_view text,
                                      std::vector<std::string_view>& addresses) const {
  const auto held = held_names_.find(text);
  if (held != held_names_.end()) {
    const Ticket& ticket = tickets_.at(held->second);
    if (ticket.hold.pending != nullptr && !ticket.absorbed) addresses.push_back(ticket.address);
  }
  for (const ContainerEntry* entry : containers_.Named(text))
    addresses.push_back(entry->container.node);
}

bool ClusterState::Impl::IsNode(std::string_view reference, std::string_view address) const {
  const NodeRecord* const record = FindRecord(address);
  return record != nullptr && !reference.empty() &&
         (record->node().address == reference || record->node().name == reference ||
          record->node().id == reference);
}

NodePointer ClusterState::Impl::FindNode(std::string_view reference) const {
  if (const NodeRecord* const record = FindRecord(reference)) return record->pointer();
  if (reference.empty()) return nullptr;
  for (const auto* index : {&by_name_, &by_node_id_}) {
    const auto found = index->lower_bound({std::string(reference), std::string()});
    if (found != index->end() && found->first.first == reference) return found->second->pointer();
  }
  return nullptr;
}

std::vector<NodePointer> ClusterState::Impl::Nodes() const {
  std::vector<NodePointer> nodes;
  nodes.reserve(by_name_.size());
  for (const auto& [key, record] : by_name_) nodes.push_back(record->pointer());
  return nodes;
}

void ClusterState::Impl::SetNode(Node node) {
  ++generation_;
  NodeRecord* record = FindRecord(node.address);
  if (record != nullptr && node.error.empty()) node.error = record->shown_clash();
  auto pointer = std::make_shared<const Node>(std::move(node));
  if (record == nullptr) {
    constexpr int kChangesOfOneStay = 40;  // as bits
    auto made = std::make_unique<NodeRecord>(pointer, ++joins_ << kChangesOfOneStay);
    record = made.get();
    nodes_.emplace(pointer->address, std::move(made));
    by_name_.emplace(std::pair(pointer->name, pointer->address), record);
    by_node_id_.emplace(std::pair(pointer->id, pointer->address), record);
    AddTotal(*pointer, 1);
    record->set_slot(scheduler_.AddNode(pointer));
    // Creates that were under way when the node left, and that nobody settled yet.
    for (auto& [ticket, held] : tickets_) {
      if (held.address == pointer->address && !held.absorbed)
        AttachHold(*record, ticket, held.hold);
    }
    return;
  }
  const NodePointer before = record->pointer();
  AddTotal(*before, -1);
  AddTotal(*pointer, 1);
  if (before->name != pointer->name) {
    by_name_.erase({before->name, before->address});
    by_name_.emplace(std::pair(pointer->name, pointer->address), record);
    RemoveImages(*record);
  }
  if (before->id != pointer->id) {
    by_node_id_.erase({before->id, before->address});
    by_node_id_.emplace(std::pair(pointer->id, pointer->address), record);
  }
  record->set_node(pointer);
  scheduler_.ChangeNode(record->slot(), pointer);
  if (before->name != pointer->name) AddImages(*record);
  if (!LookTheSame(*before, *pointer)) RepublishOutdated(*record);
}

void ClusterState::Impl::DropNode(std::string_view address) {
  NodeRecord* const record = FindRecord(address);
  if (record == nullptr) return;
  ++generation_;
  const NodePointer node = record->pointer();
  while (!record->entries().empty())
    Unpublish(*record, std::string(record->entries().begin()->first));
  RemoveImages(*record);
  scheduler_.RemoveNode(record->slot());
  AddTotal(*node, -1);
  by_name_.erase({node->name, node->address});
  by_node_id_.erase({node->id, node->address});
  nodes_.erase(nodes_.find(address));
}

}  // namespace swarm
