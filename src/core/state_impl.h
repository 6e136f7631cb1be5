// The parts of ClusterState. Only its own sources include this.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/text.h"
#include "core/cluster_state.h"
#include "core/container_index.h"
#include "core/node_record.h"
#include "sched/indexed_scheduler.h"
#include "sched/inventory.h"
#include "sched/judge.h"

namespace swarm {

class ClusterState::Impl final : public Inventory, public NodeLookup {
 public:
  Impl(StateOptions options, FilterList filters, std::unique_ptr<Strategy> strategy,
       Random& random);

  // Inventory
  std::vector<const NodeView*> Views() const override;
  const NodeView* ViewOf(std::string_view address) const override;
  void HoldersOf(std::string_view reference,
                 std::vector<std::string_view>& addresses) const override;
  void HoldersNamed(std::string_view text, std::vector<std::string_view>& addresses) const override;
  std::uint64_t RevisionOf(const NodeView& view) const override;
  std::shared_ptr<const NodeView> Keep(const NodeView& view) const override;
  // NodeLookup
  bool IsNode(std::string_view reference, std::string_view address) const override;

  // Nodes: state_nodes.cc
  void SetNode(Node node);
  void DropNode(std::string_view address);
  NodeRecord* FindRecord(std::string_view address) const;
  NodePointer FindNode(std::string_view reference) const;
  std::vector<NodePointer> Nodes() const;

  // Containers and images: cluster_state.cc
  void SetContainers(std::string_view address, std::vector<ContainerRecord> records);
  std::string EraseSome(std::string_view address, std::string_view after, std::size_t most,
                        const Stays& stays);
  void EraseClashes(std::string_view address, const Stays& stays);
  bool IsPublished(const NodeRecord& record, ContainerRecord& container, const Node& shown) const;
  void PutListed(NodeRecord& record, ContainerRecord container, const NodePointer& shown);
  void KeepListed(NodeRecord& record, const ContainerPointer& entry, const NodePointer& shown);
  // ShowClashes comes after. The entry shows the node as `shown` is.
  void PutContainer(NodeRecord& record, ContainerRecord container, const NodePointer& shown);
  // True when the container is of another node: then nothing is published.
  bool NoteClash(NodeRecord& record, const std::string& id);
  void EraseContainer(std::string_view address, std::string_view id);
  // The node shows the containers that another one had first.
  void ShowClashes(NodeRecord& record);
  std::string ClashText(const NodeRecord& record) const;
  void SetImages(std::string_view address, std::vector<Image> images,
                 std::vector<std::string> rows);

  // Placing: state_placing.cc
  // Without `questions` predicates are asked at once.
  absl::StatusOr<Reservation> Place(const ContainerSpec& spec, Plan* plan, Questions* questions);
  void Settle(std::uint64_t ticket, const ContainerRecord* record);
  absl::StatusOr<std::uint64_t> ReserveName(std::string_view container_id, std::string_view name);
  absl::StatusOr<std::uint64_t> ReserveStart(std::string_view container_id);
  absl::StatusOr<std::uint64_t> ReserveUpdate(std::string_view container_id,
                                              const Resources& wanted);
  void Release(std::uint64_t ticket);

  // Of one reservation, start, update or rename under way.
  struct Ticket {
    std::string address;  // node; empty for a rename
    std::string name;     // held cluster-wide; empty for a start or an update
    std::string swarm_id;
    std::string container_id;  // of a rename
    Hold hold;
    bool absorbed = false;  // the container is there already and counts by itself
  };

  void AddTotal(const Node& node, int times);
  void Publish(NodeRecord& record, ContainerPointer entry);
  void Unpublish(NodeRecord& record, std::string_view id);
  // The entries that do not show the node as it is.
  void RepublishOutdated(NodeRecord& record);
  void AddImages(const NodeRecord& record);
  void RemoveImages(const NodeRecord& record);
  void AttachHold(NodeRecord& record, std::uint64_t ticket, const Hold& hold);
  void DetachHold(std::uint64_t ticket, Ticket& held);
  std::uint64_t OpenTicket(Ticket held);
  absl::Status CheckNameFree(std::string_view name) const;
  bool IsFreeSwarmId(std::string_view swarm_id) const;
  std::string ChooseName();

  using ImageKey =
      std::tuple<std::string, std::string, std::string>;  // image id, node name, address

  const SchedulerOptions scheduler_options_;
  const FilterList filters_;
  const bool has_own_filters_;
  const std::unique_ptr<Strategy> strategy_;
  Random& random_;
  StringMap<std::unique_ptr<NodeRecord>> nodes_;                           // by address
  std::map<std::pair<std::string, std::string>, NodeRecord*> by_name_;     // (name, address)
  std::map<std::pair<std::string, std::string>, NodeRecord*> by_node_id_;  // (id, address)
  ContainerIndex containers_{*this};
  std::map<ImageKey, std::shared_ptr<const ImageEntry>> images_;
  std::map<std::uint64_t, Ticket> tickets_;
  StringMap<std::uint64_t> held_names_;      // name -> ticket
  StringMap<std::uint64_t> held_swarm_ids_;  // of creates under way
  std::uint64_t next_ticket_ = 1;
  std::uint64_t generation_ = 1;
  std::uint64_t joins_ = 0;  // of nodes
  ClusterTotals totals_;
  std::vector<ClashNote> clash_notes_;
  ResourceSum total_;  // of which totals_ has the value
  IndexedScheduler scheduler_;
};

}  // namespace swarm
