// Keeping the index: what changes when a node or a container changes.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sched/indexed_scheduler.h"
#include "sched/ports.h"
#include "sched/terms.h"

namespace swarm {
namespace {

void AddReserved(IndexedNode& node, const Resources& what, int times) {
  node.reserved.Add(what, times);
  node.usage.reserved = node.reserved.value();
}

std::vector<Column::Value> InternAll(Column& column, const std::vector<std::string>& texts) {
  std::vector<Column::Value> values;
  for (const std::string& text : texts) values.push_back(column.Intern(text));
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::string PlatformOf(const Node& node) { return node.os + "/" + node.architecture; }

}  // namespace

Slot IndexedScheduler::AddNode(NodePointer node) {
  Slot slot;
  if (free_slots_.empty()) {
    slot = static_cast<Slot>(nodes_.size());
    nodes_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  SWARM_CHECK(slot_of_.emplace(node->address, slot).second, "a node is added once");
  nodes_[slot].node = std::move(node);
  ReadUsage(nodes_[slot]);
  UpdateSlotLimit(nodes_[slot]);
  if (IsCandidate(*nodes_[slot].node)) Enter(slot);
  return slot;
}

void IndexedScheduler::RemoveNode(Slot slot) {
  if (nodes_[slot].position != kNoPosition) Leave(slot);
  slot_of_.erase(slot_of_.find(nodes_[slot].node->address));
  ranges_held_ -= static_cast<std::int64_t>(nodes_[slot].ports.ranges().size());
  nodes_[slot] = IndexedNode();
  free_slots_.push_back(slot);
}

void IndexedScheduler::ChangeNode(Slot slot, NodePointer node) {
  const Node& before = *nodes_[slot].node;
  const bool stays = nodes_[slot].position != kNoPosition && IsCandidate(*node) &&
                     before.name == node->name && before.id == node->id && before.os == node->os &&
                     before.architecture == node->architecture;
  if (stays) {
    ChangeInPlace(slot, std::move(node));
    return;
  }
  if (nodes_[slot].position != kNoPosition) Leave(slot);
  nodes_[slot].node = std::move(node);
  ReadUsage(nodes_[slot]);
  UpdateSlotLimit(nodes_[slot]);
  if (IsCandidate(*nodes_[slot].node)) Enter(slot);
}

void IndexedScheduler::ChangeInPlace(Slot slot, NodePointer node) {
  IndexedNode& indexed = nodes_[slot];
  const NodePointer before = std::exchange(indexed.node, std::move(node));
  ReadUsage(indexed);
  if (indexed.node->state == NodeState::kHealthy) {
    unhealthy_.Erase(indexed.position);
  } else {
    unhealthy_.Insert(indexed.position);
  }
  if (before->labels != indexed.node->labels) {
    SetLabels(slot, *indexed.node);
    UpdateSlotLimit(indexed);
  }
  ranks_.Note(slot);
}

void IndexedScheduler::ReadUsage(IndexedNode& node) {
  node.usage.total = WithOvercommit(node.node->total, options_.overcommit);
  node.usage.health = HealthOf(*node.node, options_.failure_retry);
}

void IndexedScheduler::UpdateSlotLimit(IndexedNode& node) {
  node.slot_limit = SlotLimit(*node.node).value_or(-1);
  if (node.position == kNoPosition) return;
  if (node.slot_limit >= 0 && node.usage.containers >= node.slot_limit) {
    full_.Insert(node.position);
  } else {
    full_.Erase(node.position);
  }
}

void IndexedScheduler::Enter(Slot slot) {
  const NodePointer node = nodes_[slot].node;
  const Position position =
      order_.Insert(node->name, node->address, slot,
                    [this](Slot moved, Position from, Position to) { MoveNode(moved, from, to); });
  IndexedNode& indexed = nodes_[slot];
  indexed.position = position;
  SetLabels(slot, *node);
  indexed.names = InternAll(names_, {node->name, node->id});
  names_.Assign(position, indexed.names);
  indexed.platform = InternAll(platforms_, {PlatformOf(*node)});
  platforms_.Assign(position, indexed.platform);
  if (!indexed.image_texts.empty()) {
    indexed.images = InternAll(images_, indexed.image_texts);
    images_.Assign(position, indexed.images);
  }
  if (node->state != NodeState::kHealthy) unhealthy_.Insert(position);
  UpdateSlotLimit(indexed);
  indexed.ports.ForEachSingle(
      [this, position](const PortBinding& port) { ports_.Insert(position, port); });
  if (const NodeView* const view = inventory_.ViewOf(node->address))
    holders_.AddNode(slot, view->containers());
  ranks_.Note(slot);
}

void IndexedScheduler::Leave(Slot slot) {
  IndexedNode& indexed = nodes_[slot];
  const Position position = indexed.position;
  ranks_.Remove(slot, position);
  holders_.RemoveNode(slot, position);
  indexed.ports.ForEachSingle(
      [this, position](const PortBinding& port) { ports_.Erase(position, port); });
  full_.Erase(position);
  unhealthy_.Erase(position);
  if (!indexed.images.empty()) images_.Unassign(position, indexed.images);
  indexed.images.clear();
  platforms_.Unassign(position, indexed.platform);
  names_.Unassign(position, indexed.names);
  for (const auto& [column, value] : indexed.labels) column->Unassign(position, {value});
  indexed.labels.clear();
  order_.Erase(indexed.node->name, indexed.node->address);
  indexed.position = kNoPosition;
}

void IndexedScheduler::MoveNode(Slot slot, Position from, Position to) {
  IndexedNode& indexed = nodes_[slot];
  indexed.position = to;
  const auto move = [from, to](PositionSet& nodes) {
    if (!nodes.Contains(from)) return;
    nodes.Insert(to);
    nodes.Erase(from);
  };
  for (const auto& [column, value] : indexed.labels) column->Move(from, to, {value});
  names_.Move(from, to, indexed.names);
  platforms_.Move(from, to, indexed.platform);
  if (!indexed.images.empty()) images_.Move(from, to, indexed.images);
  move(unhealthy_);
  move(full_);
  indexed.ports.ForEachSingle([this, from, to](const PortBinding& port) {
    ports_.Erase(from, port);
    ports_.Insert(to, port);
  });
  holders_.Move(from, to);
  ranks_.Move(slot, from, to);
}

Column& IndexedScheduler::LabelColumn(std::string_view key) {
  auto column = labels_.find(key);
  if (column == labels_.end()) {
    column = labels_.emplace(std::string(key), std::make_unique<Column>(true, revision_)).first;
    ++revision_;
  }
  return *column->second;
}

void IndexedScheduler::SetLabels(Slot slot, const Node& node) {
  IndexedNode& indexed = nodes_[slot];
  std::vector<std::pair<Column*, Column::Value>> labels;
  labels.reserve(node.labels.size());
  for (const auto& [key, text] : node.labels) {
    Column& column = LabelColumn(key);
    labels.emplace_back(&column, column.Intern(text));
  }
  const auto has = [](const auto& all, const auto& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  for (const auto& label : indexed.labels) {
    if (!has(labels, label)) label.first->Unassign(indexed.position, {label.second});
  }
  for (const auto& label : labels) {
    if (!has(indexed.labels, label)) label.first->Assign(indexed.position, {label.second});
  }
  indexed.labels = std::move(labels);
}

void IndexedScheduler::SetImages(Slot slot, const std::vector<const Image*>& images) {
  IndexedNode& indexed = nodes_[slot];
  indexed.image_texts.clear();
  for (const Image* image : images) {
    for (std::string& text : ImageTexts(*image)) indexed.image_texts.push_back(std::move(text));
  }
  if (indexed.position == kNoPosition) return;
  std::vector<Column::Value> values = InternAll(images_, indexed.image_texts);
  if (values == indexed.images) return;
  if (!indexed.images.empty()) images_.Unassign(indexed.position, indexed.images);
  // Forgetting the old values may have forgotten some that stay.
  indexed.images = InternAll(images_, indexed.image_texts);
  if (!indexed.images.empty()) images_.Assign(indexed.position, indexed.images);
  ranks_.Note(slot);
}

void IndexedScheduler::InsertPort(IndexedNode& node, const PortBinding& port) {
  node.ports.Insert(port);
  if (IsRange(port)) {
    ++ranges_held_;
  } else if (node.position != kNoPosition) {
    ports_.Insert(node.position, port);
  }
}

void IndexedScheduler::ErasePort(IndexedNode& node, const PortBinding& port) {
  node.ports.Erase(port);
  if (IsRange(port)) {
    --ranges_held_;
  } else if (node.position != kNoPosition && !node.ports.HoldsNumber(port)) {
    ports_.Erase(node.position, port);
  }
}

void IndexedScheduler::Count(Slot slot, const Container& container, int by) {
  IndexedNode& node = nodes_[slot];
  AddReserved(node, container.request, by);
  node.usage.containers += by;
  for (const PortBinding& port : PortsHeldBy(container)) {
    if (by > 0) {
      InsertPort(node, port);
    } else {
      ErasePort(node, port);
    }
  }
  if (node.position == kNoPosition) return;
  if (node.slot_limit >= 0) {
    if (node.usage.containers >= node.slot_limit) {
      full_.Insert(node.position);
    } else {
      full_.Erase(node.position);
    }
  }
  ranks_.Note(slot);
}

void IndexedScheduler::AddContainer(Slot slot, const Container& container) {
  Count(slot, container, 1);
  if (nodes_[slot].position != kNoPosition) holders_.Add(slot, container);
}

void IndexedScheduler::RemoveContainer(Slot slot, const Container& container) {
  Count(slot, container, -1);
  if (nodes_[slot].position != kNoPosition) holders_.Remove(slot, container);
}

void IndexedScheduler::AddHold(Slot slot, const Resources& resources,
                               const std::vector<PortBinding>& ports) {
  AddReserved(nodes_[slot], resources, 1);
  for (const PortBinding& port : ports) InsertPort(nodes_[slot], port);
  ranks_.Note(slot);
}

void IndexedScheduler::RemoveHold(Slot slot, const Resources& resources,
                                  const std::vector<PortBinding>& ports) {
  AddReserved(nodes_[slot], resources, -1);
  for (const PortBinding& port : ports) ErasePort(nodes_[slot], port);
  ranks_.Note(slot);
}

}  // namespace swarm
