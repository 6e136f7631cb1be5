// The scheduler that does not scan.
//
// Told of every change; a placement then reads the words of a few bitsets. Names the same node as
// the Oracle.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/text.h"
#include "sched/column.h"
#include "sched/holder_index.h"
#include "sched/inventory.h"
#include "sched/judge.h"
#include "sched/node_order.h"
#include "sched/node_table.h"
#include "sched/plan.h"
#include "sched/port_index.h"
#include "sched/query.h"
#include "sched/rank_index.h"
#include "swarmlib/random.h"
#include "swarmlib/scheduler.h"

namespace swarm {

// Each change is told after the inventory shows it, except that RemoveContainer and RemoveNode may
// come before or after. Not thread-safe.
class IndexedScheduler final : public Scheduler {
 public:
  // All outlive this.
  IndexedScheduler(const Inventory& inventory, const FilterList& filters, const Strategy& strategy,
                   const SchedulerOptions& options, Random& random);

  // A node that is not known yet; it holds nothing until told.
  Slot AddNode(NodePointer node);
  // Its description or state changed; the address stays.
  void ChangeNode(Slot slot, NodePointer node);
  // Forgets it with all that it holds.
  void RemoveNode(Slot slot);
  void SetImages(Slot slot, const std::vector<const Image*>& images);
  // A container, or a create under way, came or went. What goes equals what came.
  void AddContainer(Slot slot, const Container& container);
  void RemoveContainer(Slot slot, const Container& container);
  // Resources and ports held beside containers: a start or an update under way.
  void AddHold(Slot slot, const Resources& resources, const std::vector<PortBinding>& ports);
  void RemoveHold(Slot slot, const Resources& resources, const std::vector<PortBinding>& ports);

  absl::StatusOr<Placement> Choose(const ContainerSpec& spec) override;
  absl::StatusOr<Explanation> Explain(const ContainerSpec& spec) const override;

  // The same with the predicates asked in between: what is given counts unless questions are open
  // then. `plan` is of `spec` and of this scheduler's filters.
  absl::StatusOr<Placement> ChooseBy(const ContainerSpec& spec, Plan& plan, Questions& questions);
  Explanation ExplainBy(const ContainerSpec& spec, const Plan& plan, Questions& questions) const;

  // The node of the last successful Choose.
  Slot last_choice() const { return last_choice_; }

 private:
  // indexed_nodes.cc: keeping the index.
  void Enter(Slot slot);
  void Leave(Slot slot);
  void MoveNode(Slot slot, Position from, Position to);
  void SetLabels(Slot slot, const Node& node);
  void ChangeInPlace(Slot slot, NodePointer node);
  void ReadUsage(IndexedNode& node);
  void UpdateSlotLimit(IndexedNode& node);
  void InsertPort(IndexedNode& node, const PortBinding& port);
  void ErasePort(IndexedNode& node, const PortBinding& port);
  void Count(Slot slot, const Container& container, int by);
  Column& LabelColumn(std::string_view key);

  // indexed_scheduler.cc: asking it.
  absl::StatusOr<Placement> Choose(const ContainerSpec& spec, Plan& plan);
  bool IsOpen() const { return judging_.questions != nullptr && judging_.questions->open(); }
  // True when no index is asked about the term but `questions`.
  bool IsAsked(const Term& term) const;
  Slot Find(Plan& plan, PlanPass& pass, const ContainerSpec& spec, bool with_soft,
            std::int64_t& rank);
  void ResolveFixed(const Plan& plan, PlanPass& pass, bool with_soft);
  bool AddFixed(const Term& term, PlanPass& pass);
  // False when no index knows of the term.
  bool AddMoving(const Term& term);
  void AddHolders(const term::HoldsContainer& wanted);
  void AddReferences(const term::HoldsAll& wanted);
  void AddPorts(const term::PortsFree& wanted);
  void AddNames(const term::NodeIn& wanted);
  NodeSelection SelectIn(Column& column, const Expression& expression);
  void AppendPositions(const std::vector<std::string_view>& addresses,
                       PositionSet& positions) const;

  const Inventory& inventory_;
  const FilterList& filters_;
  const Strategy& strategy_;
  const SchedulerOptions options_;
  Random& random_;
  Judging judging_;

  NodeTable nodes_;
  std::vector<Slot> free_slots_;
  StringMap<Slot> slot_of_;  // by address
  NodeOrder order_;
  std::uint64_t revision_ = 1;  // of all columns
  StringMap<std::unique_ptr<Column>> labels_;
  Column names_{false, revision_};  // names and IDs: the key "node"
  Column images_{false, revision_};
  Column platforms_{false, revision_};
  PositionSet unhealthy_;
  PositionSet full_;  // no slot free
  PortIndex ports_;
  std::int64_t ranges_held_ = 0;  // by all nodes
  HolderIndex holders_;
  RankIndex ranks_;
  PlanCache plans_;
  Query query_;
  Slot last_choice_ = kNoSlot;
};

}  // namespace swarm
