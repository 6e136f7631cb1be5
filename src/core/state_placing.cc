#include <algorithm>
#include <utility>

#include "base/check.h"
#include "core/described.h"
#include "core/state_impl.h"
#include "model/names.h"
#include "sched/ports.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr int kSwarmIdDigits = 64;
constexpr int kMaxPlainNames = 16;     // invented names tried without a digit
constexpr int kMaxInventedNames = 64;  // tried at all before a part of an id is added

std::string OwnName(const Container& container) {
  return container.names.empty() ? container.id.substr(0, 12) : container.names[0];
}

std::string NodeText(const Node& node) { return node.name.empty() ? node.address : node.name; }

absl::Status InvalidName(std::string_view name) {
  return InvalidArgument("Invalid container name (" + std::string(name) +
                         "), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
}

// The engine's wording: tools look for "is already in use".
absl::Status NameTaken(std::string_view name, std::string_view holder) {
  return AlreadyExists(
      "Conflict. The container name " + InQuotes("/" + std::string(name)) +
      " is already in use by container " + std::string(holder) +
      ". You have to remove (or rename) that container to be able to reuse that name.");
}

bool IsInHostNetwork(const Container& container) { return container.network_mode == "host"; }

bool IsActive(ContainerState state) {
  return state == ContainerState::kRunning || state == ContainerState::kPaused ||
         state == ContainerState::kRestarting;
}

}  // namespace

void ClusterState::Impl::AttachHold(NodeRecord& record, std::uint64_t ticket, const Hold& hold) {
  record.AddHold(ticket, &hold);
  if (hold.pending != nullptr) {
    scheduler_.AddContainer(record.slot(), *hold.pending);
  } else {
    scheduler_.AddHold(record.slot(), hold.resources, hold.ports);
  }
}

void ClusterState::Impl::DetachHold(std::uint64_t ticket, Ticket& held) {
  NodeRecord* const record = FindRecord(held.address);
  if (record == nullptr || !record->holds().contains(ticket)) return;
  record->DropHold(ticket);
  if (held.hold.pending != nullptr) {
    scheduler_.RemoveContainer(record->slot(), *held.hold.pending);
  } else {
    scheduler_.RemoveHold(record->slot(), held.hold.resources, held.hold.ports);
  }
}

std::uint64_t ClusterState::Impl::OpenTicket(Ticket held) {
  const std::uint64_t number = next_ticket_++;
  Ticket& kept = tickets_.emplace(number, std::move(held)).first->second;
  if (!kept.name.empty()) held_names_.emplace(kept.name, number);
  if (!kept.swarm_id.empty()) held_swarm_ids_.emplace(kept.swarm_id, number);
  NodeRecord* const record = FindRecord(kept.address);
  if (record != nullptr) AttachHold(*record, number, kept.hold);
  return number;
}

void ClusterState::Impl::Release(std::uint64_t ticket) {
  const auto found = tickets_.find(ticket);
  if (found == tickets_.end()) return;
  Ticket& held = found->second;
  if (!held.absorbed) DetachHold(ticket, held);
  const auto forget = [ticket](StringMap<std::uint64_t>& tickets, const std::string& name) {
    const auto at = tickets.find(name);
    if (at != tickets.end() && at->second == ticket) tickets.erase(at);
  };
  forget(held_names_, held.name);
  forget(held_swarm_ids_, held.swarm_id);
  tickets_.erase(found);
}

absl::Status ClusterState::Impl::CheckNameFree(std::string_view name) const {
  if (const ContainerEntry* const entry = containers_.HolderOfName(name)) {
    return NameTaken(name, InQuotes(entry->container.id));
  }
  const auto held = held_names_.find(name);
  if (held == held_names_.end()) return absl::OkStatus();
  const Ticket& ticket = tickets_.at(held->second);
  if (ticket.hold.pending == nullptr) return NameTaken(name, InQuotes(ticket.container_id));
  const NodeRecord* const record = FindRecord(ticket.address);
  const std::string node = record == nullptr ? ticket.address : NodeText(record->node());
  return NameTaken(name, InQuotes(ticket.swarm_id) + " (being created on " + node + ")");
}

std::string ClusterState::Impl::ChooseName() {
  for (int attempt = 0; attempt < kMaxInventedNames; ++attempt) {
    std::string name = InventName(random_, attempt < kMaxPlainNames ? 0 : attempt);
    if (CheckNameFree(name).ok()) return name;
  }
  constexpr int kDigits = 12;
  for (;;) {
    std::string name = InventName(random_, 0) + "_" + random_.Hex(kDigits);
    if (CheckNameFree(name).ok()) return name;
  }
}

// A client may send the labels of another container along, its id among them.
bool ClusterState::Impl::IsFreeSwarmId(std::string_view swarm_id) const {
  return IsFullId(swarm_id) && !held_swarm_ids_.contains(swarm_id) &&
         containers_.FindBySwarmId(swarm_id) == nullptr &&
         containers_.FindById(swarm_id) == nullptr;
}

absl::StatusOr<Reservation> ClusterState::Impl::Place(const ContainerSpec& spec, Plan* plan,
                                                      Questions* questions) {
  if (!spec.name.empty()) {
    if (!IsContainerName(spec.name)) return InvalidName(spec.name);
    const absl::Status free = CheckNameFree(spec.name);
    if (!free.ok()) return free;
  }
  absl::StatusOr<Placement> placement =
      questions == nullptr ? scheduler_.Choose(spec) : scheduler_.ChooseBy(spec, *plan, *questions);
  if (!placement.ok()) return placement.status();
  Reservation reservation;
  reservation.placement = *std::move(placement);
  reservation.name = spec.name.empty() ? ChooseName() : spec.name;
  reservation.swarm_id = IsFreeSwarmId(spec.swarm_id) ? spec.swarm_id : random_.Hex(kSwarmIdDigits);
  Ticket held;
  held.address = reservation.placement.node;
  held.name = reservation.name;
  held.swarm_id = reservation.swarm_id;
  held.hold.holder = reservation.name;
  held.hold.pending =
      std::make_unique<Container>(DescribedContainer(spec, held.address, held.name, held.swarm_id));
  reservation.ticket = OpenTicket(std::move(held));
  return reservation;
}

void ClusterState::Impl::Settle(std::uint64_t ticket, const ContainerRecord* record) {
  const auto found = tickets_.find(ticket);
  if (found == tickets_.end()) return;
  const std::string address = found->second.address;
  Release(ticket);
  NodeRecord* const node = FindRecord(address);
  if (record == nullptr || node == nullptr) return;
  PutContainer(*node, *record, node->pointer());
  ShowClashes(*node);
}

absl::StatusOr<std::uint64_t> ClusterState::Impl::ReserveName(std::string_view container_id,
                                                              std::string_view name) {
  const ContainerPointer entry = containers_.FindById(container_id);
  if (entry == nullptr) return NotFound("No such container: " + std::string(container_id));
  if (!IsContainerName(name)) return InvalidName(name);
  if (OwnName(entry->container) == name) {
    return InvalidArgument("Renaming a container with the same name as its current name");
  }
  const absl::Status free = CheckNameFree(name);
  if (!free.ok()) return free;
  Ticket held;
  held.name = std::string(name);
  held.container_id = std::string(container_id);
  return OpenTicket(std::move(held));
}

absl::StatusOr<std::uint64_t> ClusterState::Impl::ReserveStart(std::string_view container_id) {
  const ContainerPointer entry = containers_.FindById(container_id);
  if (entry == nullptr) return NotFound("No such container: " + std::string(container_id));
  const Container& starting = entry->container;
  NodeRecord* const record = FindRecord(starting.node);
  SWARM_CHECK(record != nullptr, "a published container has its node");
  Ticket held;
  held.address = starting.node;
  held.hold.container_id = starting.id;
  held.hold.holder = OwnName(starting);
  if (IsActive(starting.state)) return OpenTicket(std::move(held));  // it holds its ports already
  // In the network of the host an engine checks nothing: who binds first has the port.
  if (!IsInHostNetwork(starting)) held.hold.ports = PortsWantedBy(starting);
  if (held.hold.ports.empty()) return OpenTicket(std::move(held));
  std::vector<PortHold> taken;
  for (const auto& [id, other] : record->entries()) {
    // Of two that are both created and not started, the first to be started wins: neither holds
    // against the other.
    const bool holds =
        IsActive(other->container.state) || starting.state != ContainerState::kCreated;
    if (id == starting.id || !holds || IsInHostNetwork(other->container)) continue;
    for (PortBinding& port : PortsHeldBy(other->container))
      taken.push_back({std::move(port), OwnName(other->container)});
  }
  for (const auto& [ticket, hold] : record->holds()) {
    if (hold->container_id == starting.id) continue;
    if (hold->pending != nullptr && IsInHostNetwork(*hold->pending)) continue;
    const std::vector<PortBinding> ports =
        hold->pending != nullptr ? PortsHeldBy(*hold->pending) : hold->ports;
    for (const PortBinding& port : ports) taken.push_back({port, hold->holder});
  }
  const std::optional<PortConflict> conflict = FindPortConflict(held.hold.ports, taken);
  if (conflict) {
    const std::string port = PortTextWithProtocol(conflict->asked);
    const std::string found = conflict->holder.empty()
                                  ? "no host port of " + port + " is free"
                                  : "host port " + port + " is held by " + conflict->holder;
    return FailedPrecondition(
        "Cannot start container " + OwnName(starting) + " on node " + NodeText(record->node()) +
        ": " + found + ". Stop the holder first, or create the container with another port.");
  }
  return OpenTicket(std::move(held));
}

absl::StatusOr<std::uint64_t> ClusterState::Impl::ReserveUpdate(std::string_view container_id,
                                                                const Resources& wanted) {
  const ContainerPointer entry = containers_.FindById(container_id);
  if (entry == nullptr) return NotFound("No such container: " + std::string(container_id));
  const Container& container = entry->container;
  const NodeRecord* const record = FindRecord(container.node);
  SWARM_CHECK(record != nullptr, "a published container has its node");
  Ticket held;
  held.address = container.node;
  held.hold.container_id = container.id;
  held.hold.holder = OwnName(container);
  Resources& added = held.hold.resources;
  added.nano_cpus = std::max<std::int64_t>(0, wanted.nano_cpus - container.request.nano_cpus);
  added.memory = std::max<std::int64_t>(0, wanted.memory - container.request.memory);
  const NodeUsage usage = UsageOf(*record, scheduler_options_);
  const std::string where =
      "Cannot update container " + OwnName(container) + " on node " + NodeText(record->node());
  const std::string advice = ". Ask for less, or make room on the node.";
  // More than before is checked by the same sums as a placement; a random strategy checks nothing
  // there either.
  if (strategy_->draws()) return OpenTicket(std::move(held));
  const std::int64_t memory_left = usage.total.memory - usage.reserved.memory;
  if (added.memory > 0 && added.memory > memory_left) {
    return FailedPrecondition(where + ": memory: " + BytesText(added.memory) + " more asked, " +
                              BytesText(std::max<std::int64_t>(0, memory_left)) + " of " +
                              BytesText(usage.total.memory) + " left" + advice);
  }
  const std::int64_t cpus_left = usage.total.nano_cpus - usage.reserved.nano_cpus;
  if (added.nano_cpus > 0 && added.nano_cpus > cpus_left) {
    return FailedPrecondition(where + ": cpus: " + CpusText(added.nano_cpus) + " more asked, " +
                              CpusText(std::max<std::int64_t>(0, cpus_left)) + " of " +
                              CpusText(usage.total.nano_cpus) + " left" + advice);
  }
  return OpenTicket(std::move(held));
}

}  // namespace swarm
