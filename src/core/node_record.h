// One node with all that it holds, kept summed up.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "sched/node_order.h"
#include "sched/usage.h"
#include "swarmlib/cluster.h"
#include "swarmlib/filter.h"

namespace swarm {

// How Docker counts containers: restarting ones run, everything else that does not run has stopped.
enum class ContainerClass { kRunning, kPaused, kStopped };
ContainerClass ClassOf(ContainerState state);

// True when entries show the same of both descriptions of a node.
inline bool LookTheSame(const Node& left, const Node& right) {
  return left.name == right.name && left.ip == right.ip && left.state == right.state;
}

// What is held on a node beside its containers: by a create, a start or an update under way.
struct Hold {
  std::unique_ptr<Container> pending;  // a create: the container to be; null otherwise
  Resources resources;                 // an update
  std::vector<PortBinding> ports;      // a start
  std::string holder;                  // name for messages about ports
  std::string container_id;            // a start or an update: of what; empty for a create
};

// A value of the state; not thread-safe.
class NodeRecord final : public NodeView {
 public:
  // `revision` is above any that the address had before.
  NodeRecord(NodePointer node, std::uint64_t revision)
      : node_(std::move(node)), revision_(revision) {}

  const Node& node() const override { return *node_; }
  std::vector<const Container*> containers() const override;
  std::vector<const Image*> images() const override;
  Resources reserved() const override { return reserved_.value(); }
  std::vector<PortHold> held_ports() const override;

  const NodePointer& pointer() const { return node_; }
  Slot slot() const { return slot_; }  // in the scheduler
  void set_slot(Slot slot) { slot_ = slot; }
  // Another one after each change of what a view shows.
  std::uint64_t revision() const { return revision_; }
  // What it shows now, for good.
  std::shared_ptr<const NodeView> Keep() const;
  void set_node(NodePointer node) {
    node_ = std::move(node);
    ++revision_;
  }
  const NodeTotals& counts() const { return counts_; }  // without resources
  const absl::btree_map<std::string_view, ContainerPointer>& entries() const { return entries_; }
  const std::vector<std::shared_ptr<const ImageEntry>>& image_entries() const { return images_; }
  const std::map<std::uint64_t, const Hold*>& holds() const { return holds_; }

  // Containers that the engine has, but another node had first: by id, with that node's address.
  using Clashes = std::map<std::string, std::string, std::less<>>;
  const Clashes& clashes() const { return clashes_; }
  Clashes& clashes() { return clashes_; }
  // What the node shows of them in place of an error; empty when it shows none.
  const std::string& shown_clash() const { return shown_clash_; }
  void set_shown_clash(std::string text) { shown_clash_ = std::move(text); }

  void Add(const ContainerPointer& entry);
  void Remove(std::string_view id);
  // `hold` stays where it is until Drop.
  void AddHold(std::uint64_t ticket, const Hold* hold);
  void DropHold(std::uint64_t ticket);
  // True when these are its images already, row by row.
  bool HoldsImages(const std::vector<Image>& images, const std::vector<std::string>& rows) const;
  void set_images(std::vector<std::shared_ptr<const ImageEntry>> images) {
    images_ = std::move(images);
    ++revision_;
  }

 private:
  void Count(const Container& container, int by);

  NodePointer node_;
  std::uint64_t revision_;
  Slot slot_ = kNoSlot;
  absl::btree_map<std::string_view, ContainerPointer> entries_;  // by id
  std::map<std::uint64_t, const Hold*> holds_;                   // by ticket
  std::vector<std::shared_ptr<const ImageEntry>> images_;
  ResourceSum reserved_;
  NodeTotals counts_;
  Clashes clashes_;
  std::string shown_clash_;
};

}  // namespace swarm
