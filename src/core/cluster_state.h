// The state of a cluster as a plain value: what the engines hold, what is being made, and where to
// put more.
//
// Pure: no clock, threads, sockets or randomness of its own. Not thread-safe: the cluster room
// holds one mutex around it, never across a suspension. Cost of each call follows the change, not
// the cluster.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "sched/pattern_work.h"
#include "sched/plan.h"
#include "sched/questions.h"
#include "swarmlib/cluster.h"
#include "swarmlib/filter.h"
#include "swarmlib/model.h"
#include "swarmlib/random.h"
#include "swarmlib/scheduler.h"
#include "swarmlib/strategy.h"

namespace swarm {

// A place that is held: name, ports, memory, processors and slot count as used until it is settled.
struct Reservation {
  std::uint64_t ticket = 0;
  Placement placement;
  std::string name;      // the one asked for, or the one invented
  std::string swarm_id;  // the one given, or the one made
};

// A node that has begun to have containers of other nodes, or has others of them than before.
struct ClashNote {
  std::string node;  // address
  std::string text;
};

struct StateOptions {
  double overcommit = 0.05;
  int failure_retry = 3;
};

inline constexpr std::size_t kMaxClashNotes = 1'000;

class ClusterState {
 public:
  // `filters` in the order of the user; `strategy` not null; `random` outlives this.
  ClusterState(StateOptions options, std::vector<std::unique_ptr<Filter>> filters,
               std::unique_ptr<Strategy> strategy, Random& random);
  ~ClusterState();
  ClusterState(const ClusterState&) = delete;
  ClusterState& operator=(const ClusterState&) = delete;

  // --- nodes
  // -----------------------------------------------------------------------------------------------
  // Inserts a node or replaces its description and state; its containers stay and are published
  // anew only when its name, ip or state changed.
  void SetNode(Node node);
  // Forgets a node with its containers and images; its reservations stay until settled.
  void DropNode(std::string_view address);
  NodePointer FindNode(std::string_view reference) const;  // address, name or id
  std::vector<NodePointer> Nodes() const;                  // by name, then address

  // --- what engines hold
  // ----------------------------------------------------------------------------------- The whole
  // truth of one engine: what is not in `records` is gone. Unknown address: ignored.
  void SetContainers(std::string_view address, std::vector<ContainerRecord> records);
  // One container, new or changed. An id stays with the node that had it first until that node has
  // it no more, or leaves: of another one it is not published, and that one's Node::error says so
  // while it has no other.
  void PutContainer(std::string_view address, ContainerRecord record);
  void EraseContainer(std::string_view address, std::string_view id);
  // What SetContainers does, in steps that a caller with many containers takes one by one:
  // EraseSome from the beginning until it comes to the end, EraseClashes, PutListed or KeepListed
  // for each, ShowClashes. In between the state is whole. Unknown address: ignored.
  using Stays = std::function<bool(std::string_view id)>;
  // Looks at the `most` (at least one) next containers behind the id `after`, and erases those that
  // do not stay. The last id looked at, or empty at the end.
  std::string EraseSome(std::string_view address, std::string_view after, std::size_t most,
                        const Stays& stays);
  // The same for what another node had first.
  void EraseClashes(std::string_view address, const Stays& stays);
  // An entry that tells the same stays. A new one shows the node as `shown`, which may be how
  // SetNode will describe it when all are put.
  void PutListed(std::string_view address, ContainerRecord record, const NodePointer& shown);
  // The same for what was published as `entry` before.
  void KeepListed(std::string_view address, const ContainerPointer& entry,
                  const NodePointer& shown);
  void ShowClashes(std::string_view address);
  // To be logged: each once. At most kMaxClashNotes are kept until they are taken.
  std::vector<ClashNote> TakeClashNotes();
  // `rows[i]` is the engine's own list row of `images[i]`.
  void SetImages(std::string_view address, std::vector<Image> images,
                 std::vector<std::string> rows);

  // --- placing
  // ---------------------------------------------------------------------------------------------
  // Chooses a node and holds name, ports, resources and slot there until Settle. AlreadyExists with
  // the engine's wording ("Conflict. The container name \"/x\" is already in use by container ...")
  // for a taken name, held ones included; else the errors of Scheduler::Choose.
  absl::StatusOr<Reservation> Place(const ContainerSpec& spec);
  // Ends a reservation. With `record` (the container as made) it becomes that container in the same
  // step; without, everything is given back. Unknown ticket: nothing happens.
  void Settle(std::uint64_t ticket, const ContainerRecord* record);
  absl::StatusOr<Explanation> Explain(const ContainerSpec& spec) const;

  // The same in steps, so that filters of the embedding program, and patterns that take long, do
  // not run while the state is held. These three by any thread, also while another changes the
  // state:
  bool has_own_filters() const;
  static PatternWork WorkOf(const ContainerSpec& spec);
  absl::StatusOr<std::unique_ptr<Plan>> PlanOf(const ContainerSpec& spec) const;
  // With questions open afterwards nothing was done and what is given counts for nothing: ask them,
  // then call again. `plan` is PlanOf(spec); `questions` are those that AskingFor gave, with
  // `patterns` when TakesLong says so.
  bool TakesLong(const PatternWork& work) const;
  Questions AskingFor(bool patterns) const;
  // Asks what the call has left open. While the state is not locked.
  static void Ask(Questions& questions);
  absl::StatusOr<Reservation> Place(const ContainerSpec& spec, Plan& plan, Questions& questions);
  Explanation Explain(const ContainerSpec& spec, const Plan& plan, Questions& questions) const;

  // Holds a new name for a container while its engine is asked; ticket for SettleName.
  // AlreadyExists.
  absl::StatusOr<std::uint64_t> ReserveName(std::string_view container_id, std::string_view name);
  // Holds the container's wanted ports on its node while it is being started. FailedPrecondition
  // (409) that names the holder when one is taken by another running (or just created) container of
  // that node.
  absl::StatusOr<std::uint64_t> ReserveStart(std::string_view container_id);
  // Checks and holds what an update adds. FailedPrecondition when the node has not that much left.
  absl::StatusOr<std::uint64_t> ReserveUpdate(std::string_view container_id,
                                              const Resources& wanted);
  // Ends any of the three.
  void Release(std::uint64_t ticket);

  // --- reading
  // ---------------------------------------------------------------------------------------------
  // As Cluster::FindContainer.
  absl::StatusOr<ContainerPointer> FindContainer(std::string_view reference) const;
  // By full id only; null when unknown.
  ContainerPointer FindById(std::string_view id) const;
  std::vector<ContainerPointer> Containers() const;  // newest first
  ContainerGroups ContainersInGroups() const;        // as Cluster::ContainersInGroups
  std::vector<std::shared_ptr<const ImageEntry>> Images() const;
  ClusterTotals Totals() const;
  NodeTotals TotalsOf(std::string_view address) const;
  std::string_view strategy() const;
  std::vector<std::string> filters() const;
  // Grows with each change that a reader could see.
  std::uint64_t generation() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm
