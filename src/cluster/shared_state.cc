#include "cluster/shared_state.h"

#include <algorithm>

#include "core/described.h"
#include "wire/containers.h"

namespace swarm {
namespace {

// Stands for the images of a node among the ids of containers.
constexpr std::string_view kImagesKey = "images";

}  // namespace

SharedState::SharedState(StateOptions options, std::vector<std::unique_ptr<Filter>> filters,
                         std::unique_ptr<Strategy> strategy, std::uint64_t seed)
    : random_(seed), state_(options, std::move(filters), std::move(strategy), random_) {}

std::shared_ptr<const std::vector<ContainerPointer>> SharedState::Containers() const {
  const std::lock_guard lock(mutex_);
  if (!list_ || list_generation_ != state_.generation()) {
    list_generation_ = state_.generation();
    list_ = std::make_shared<const std::vector<ContainerPointer>>(state_.Containers());
  }
  return list_;
}

Member SharedState::Join(Node pending) {
  const std::lock_guard lock(mutex_);
  const Member member = ++last_member_;
  stays_[member].address = pending.address;
  members_[pending.address] = member;
  state_.SetNode(std::move(pending));
  return member;
}

void SharedState::Leave(Member member) {
  const std::lock_guard lock(mutex_);
  Stay* const stay = Find(member);
  if (stay == nullptr) return;
  state_.DropNode(stay->address);
  std::vector<std::uint64_t> unknown;
  for (const auto& [ticket, held] : held_) {
    if (held.member == member && held.in_doubt) unknown.push_back(ticket);
  }
  for (const std::uint64_t ticket : unknown) Drop(ticket);
  if (!stay->id.empty()) ids_.erase(ids_.find(stay->id));
  members_.erase(members_.find(stay->address));
  stays_.erase(member);
}

void SharedState::SetNode(Member member, Node node) {
  const std::lock_guard lock(mutex_);
  if (Find(member) != nullptr) state_.SetNode(std::move(node));
}

std::string SharedState::ClaimId(Member member, std::string_view id) {
  const std::lock_guard lock(mutex_);
  Stay* const stay = Find(member);
  if (stay == nullptr || stay->id == id) return {};
  if (const auto taken = ids_.find(id); taken != ids_.end()) return stays_[taken->second].address;
  if (!stay->id.empty()) ids_.erase(ids_.find(stay->id));
  stay->id = id;
  ids_.emplace(stay->id, member);
  return {};
}

bool SharedState::TakeOverId(Member member, std::string_view id) {
  const std::lock_guard lock(mutex_);
  Stay* const stay = Find(member);
  const auto taken = ids_.find(id);
  if (stay == nullptr || taken == ids_.end() || taken->second == member) return false;
  Stay& before = stays_[taken->second];
  const NodePointer node = state_.FindNode(before.address);
  if (!node || node->state != NodeState::kUnhealthy) return false;
  state_.SetContainers(before.address, {});
  state_.SetImages(before.address, {}, {});
  before.id.clear();
  if (!stay->id.empty()) ids_.erase(ids_.find(stay->id));
  stay->id = id;
  taken->second = member;
  return true;
}

void SharedState::ReleaseId(Member member) {
  const std::lock_guard lock(mutex_);
  Stay* const stay = Find(member);
  if (stay == nullptr || stay->id.empty()) return;
  ids_.erase(ids_.find(stay->id));
  stay->id.clear();
}

void SharedState::Empty(Member member) {
  const std::lock_guard lock(mutex_);
  const Stay* const stay = Find(member);
  if (stay == nullptr) return;
  state_.SetContainers(stay->address, {});
  state_.SetImages(stay->address, {}, {});
}

std::uint64_t SharedState::BeginRead(Member member) {
  const std::lock_guard lock(mutex_);
  Stay* const stay = Find(member);
  if (stay == nullptr) return 0;
  const std::uint64_t read = ++stay->last_read;
  stay->open.insert(read);
  return read;
}

void SharedState::EndRead(Member member, std::uint64_t read) {
  const std::lock_guard lock(mutex_);
  Stay* const stay = Find(member);
  if (stay == nullptr) return;
  stay->open.erase(read);
  if (stay->open.empty()) {
    stay->published.clear();
    return;
  }
  // Only readings still under way, begun earlier, can be told from what is kept.
  const std::uint64_t oldest = *stay->open.begin();
  if (stay->published.size() <= 64) return;
  std::erase_if(stay->published, [oldest](const auto& entry) { return entry.second < oldest; });
}

void SharedState::PublishContainer(Member member, std::uint64_t read, std::string_view id,
                                   const ContainerRecord* record) {
  const std::lock_guard lock(mutex_);
  Stay* const stay = Find(member);
  if (stay == nullptr || !Newest(*stay, read, id)) return;
  if (record == nullptr) {
    state_.EraseContainer(stay->address, id);
    return;
  }
  SettleBySwarmId(member, *record);
  state_.PutContainer(stay->address, *record);
}

bool SharedState::PublishHealth(Member member, std::string_view id, std::string_view health) {
  if (health != "healthy" && health != "unhealthy" && health != "starting") return false;
  const std::lock_guard lock(mutex_);
  Stay* const stay = Find(member);
  if (stay == nullptr || !stay->open.empty()) return false;
  const ContainerPointer entry = state_.FindById(id);
  if (!entry || entry->container.node != stay->address || !entry->container.has_health ||
      entry->container.state != ContainerState::kRunning) {
    return false;
  }
  constexpr std::string_view kOwnWords = "\"Health\":";
  if (entry->row.head.find(kOwnWords) != std::string::npos ||
      entry->row.tail.find(kOwnWords) != std::string::npos) {
    return false;
  }
  ContainerRecord record{entry->container, entry->row};
  record.container.health = health;
  state_.PutContainer(stay->address, std::move(record));
  return true;
}

bool SharedState::PublishStart(Member member, std::uint64_t read, std::string_view id,
                               WallTime now) {
  const std::lock_guard lock(mutex_);
  Stay* const stay = Find(member);
  if (stay == nullptr) return false;
  const ContainerPointer entry = state_.FindById(id);
  if (!entry || entry->container.node != stay->address) return false;
  if (!Newest(*stay, read, id)) return false;
  ContainerRecord record{entry->container, entry->row};
  MarkStarted(record.container, now);
  SetRowState(record.row, "running");
  // Of what was begun before nothing shows it.
  const std::uint64_t made = ++stay->last_read;
  Newest(*stay, made, id);
  state_.PutContainer(stay->address, std::move(record));
  return true;
}

std::vector<ClashNote> SharedState::TakeClashNotes() {
  const std::lock_guard lock(mutex_);
  return state_.TakeClashNotes();
}

void SharedState::PublishImages(Member member, std::uint64_t read, EngineContents contents) {
  const std::lock_guard lock(mutex_);
  Stay* const stay = Find(member);
  if (stay == nullptr || !Newest(*stay, read, kImagesKey)) return;
  state_.SetImages(stay->address, std::move(contents.images), std::move(contents.image_rows));
}

std::string SharedState::EraseAbsent(Member member, std::uint64_t read, const IdViews& present,
                                     std::string_view after) {
  const std::lock_guard lock(mutex_);
  const Stay* const stay = Find(member);
  if (stay == nullptr) return {};
  const ClusterState::Stays stays = [&present, stay, read](std::string_view id) {
    return present.contains(id) || HasNewer(*stay, read, id);
  };
  std::string last = state_.EraseSome(stay->address, after, kMaxRowsAtOnce, stays);
  if (last.empty()) state_.EraseClashes(stay->address, stays);
  return last;
}

void SharedState::PublishRows(Member member, std::uint64_t read, const NodePointer& node,
                              std::span<ReadRow> rows) {
  const std::lock_guard lock(mutex_);
  const Stay* const stay = Find(member);
  if (stay == nullptr) return;
  for (ReadRow& row : rows) {
    if (!row.is_gone()) PublishRow(member, *stay, read, node, row);
  }
}

void SharedState::PublishRow(Member member, const Stay& stay, std::uint64_t read,
                             const NodePointer& node, ReadRow& row) {
  const Container& container = row.container();
  const bool is_outdated = HasNewer(stay, read, container.id);
  // The create has made its container, whatever became of that since.
  if (const auto ticket = TicketOf(member, container.swarm_id)) Drop(*ticket);
  if (is_outdated) return;
  if (row.same) {
    state_.KeepListed(stay.address, row.same, node);
  } else {
    state_.PutListed(stay.address, std::move(*row.record), node);
  }
}

void SharedState::PublishAll(Member member, std::uint64_t read, TimePoint began, Node node,
                             EngineContents contents) {
  const std::lock_guard lock(mutex_);
  Stay* const stay = Find(member);
  if (stay == nullptr) return;
  state_.SetNode(std::move(node));
  std::vector<std::uint64_t> never_made;
  for (const auto& [ticket, held] : held_) {
    if (held.member == member && held.in_doubt && held.doubted_at < read &&
        held.doubted_until <= began) {
      never_made.push_back(ticket);
    }
  }
  for (const std::uint64_t ticket : never_made) Drop(ticket);
  state_.ShowClashes(stay->address);
  if (contents.has_images && Newest(*stay, read, kImagesKey)) {
    state_.SetImages(stay->address, std::move(contents.images), std::move(contents.image_rows));
  }
}

bool SharedState::PatternsTakeLong(const ContainerSpec& spec) const {
  const PatternWork work = ClusterState::WorkOf(spec);
  if (work.steps_a_node == 0 && work.steps_a_container == 0) return false;
  const std::lock_guard lock(mutex_);
  return state_.TakesLong(work);
}

bool SharedState::TakesSteps(const ContainerSpec& spec) const {
  return state_.has_own_filters() || PatternsTakeLong(spec);
}

absl::StatusOr<Explanation> SharedState::Explain(const ContainerSpec& spec) const {
  CheckNotCallingOut();
  const bool patterns = PatternsTakeLong(spec);
  if (patterns || state_.has_own_filters()) return ExplainInSteps(spec, patterns);
  const std::lock_guard lock(mutex_);
  const CallingOut calling;
  return state_.Explain(spec);
}

absl::StatusOr<Explanation> SharedState::ExplainInSteps(const ContainerSpec& spec,
                                                        bool patterns) const {
  // Much of it may be foreign code.
  const CallingOut calling;
  const absl::StatusOr<std::unique_ptr<Plan>> plan = state_.PlanOf(spec);
  if (!plan.ok()) return plan.status();
  Questions questions(Questions::Want::kAll, patterns);
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      Explanation explanation = state_.Explain(spec, **plan, questions);
      if (!questions.open()) return explanation;
    }
    ClusterState::Ask(questions);
  }
}

absl::StatusOr<HeldPlace> SharedState::Place(const ContainerSpec& spec) {
  const bool patterns = PatternsTakeLong(spec);
  if (patterns || state_.has_own_filters()) return PlaceInSteps(spec, patterns);
  const std::lock_guard lock(mutex_);
  absl::StatusOr<Reservation> reservation = [&] {
    const CallingOut calling;
    return state_.Place(spec);
  }();
  if (!reservation.ok()) return reservation.status();
  return Hold(*std::move(reservation));
}

absl::StatusOr<HeldPlace> SharedState::PlaceInSteps(const ContainerSpec& spec, bool patterns) {
  const CallingOut calling;
  const absl::StatusOr<std::unique_ptr<Plan>> plan = state_.PlanOf(spec);
  if (!plan.ok()) return plan.status();
  Questions questions = state_.AskingFor(patterns);
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      absl::StatusOr<Reservation> reservation = state_.Place(spec, **plan, questions);
      if (!questions.open()) {
        if (!reservation.ok()) return reservation.status();
        return Hold(*std::move(reservation));
      }
    }
    ClusterState::Ask(questions);
  }
}

HeldPlace SharedState::Hold(Reservation reservation) {
  HeldPlace place;
  place.reservation = std::move(reservation);
  const auto member = members_.find(place.reservation.placement.node);
  if (member != members_.end()) place.member = member->second;
  Held held;
  held.member = place.member;
  held.swarm_id = place.reservation.swarm_id;
  if (!held.swarm_id.empty()) tickets_.emplace(held.swarm_id, place.reservation.ticket);
  held_.emplace(place.reservation.ticket, std::move(held));
  return place;
}

void SharedState::GiveBack(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  if (held_.count(ticket) > 0) Drop(ticket);
}

void SharedState::Doubt(std::uint64_t ticket, TimePoint until) {
  const std::lock_guard lock(mutex_);
  const auto found = held_.find(ticket);
  if (found == held_.end()) return;
  const Stay* const stay = Find(found->second.member);
  if (stay == nullptr) return Drop(ticket);
  found->second.in_doubt = true;
  found->second.doubted_at = stay->last_read;
  found->second.doubted_until = until;
}

void SharedState::Settle(std::uint64_t ticket, Member member, std::uint64_t read,
                         const ContainerRecord& record) {
  const std::lock_guard lock(mutex_);
  Stay* const stay = Find(member);
  const bool held = held_.count(ticket) > 0;
  const bool publish = stay != nullptr && Newest(*stay, read, record.container.id);
  if (held) {
    state_.Settle(ticket, publish ? &record : nullptr);
    Forget(ticket);
  } else if (publish) {
    state_.PutContainer(stay->address, record);
  }
}

SharedState::Stay* SharedState::Find(Member member) {
  const auto found = stays_.find(member);
  return found == stays_.end() ? nullptr : &found->second;
}

bool SharedState::Newest(Stay& stay, std::uint64_t read, std::string_view key) {
  const auto found = stay.published.find(key);
  if (found == stay.published.end()) {
    stay.published.emplace(std::string(key), read);
    return true;
  }
  if (found->second > read) return false;
  found->second = read;
  return true;
}

bool SharedState::HasNewer(const Stay& stay, std::uint64_t read, std::string_view key) {
  const auto found = stay.published.find(key);
  return found != stay.published.end() && found->second > read;
}

std::optional<std::uint64_t> SharedState::TicketOf(Member member,
                                                   const std::string& swarm_id) const {
  if (swarm_id.empty() || tickets_.empty()) return std::nullopt;
  const auto found = tickets_.find(swarm_id);
  if (found == tickets_.end() || held_.at(found->second).member != member) return std::nullopt;
  return found->second;
}

void SharedState::SettleBySwarmId(Member member, const ContainerRecord& record) {
  const auto ticket = TicketOf(member, record.container.swarm_id);
  if (!ticket) return;
  state_.Settle(*ticket, &record);
  Forget(*ticket);
}

void SharedState::Drop(std::uint64_t ticket) {
  state_.Settle(ticket, nullptr);
  Forget(ticket);
}

void SharedState::Forget(std::uint64_t ticket) {
  const auto found = held_.find(ticket);
  if (found == held_.end()) return;
  if (const auto by_id = tickets_.find(found->second.swarm_id);
      by_id != tickets_.end() && by_id->second == ticket) {
    tickets_.erase(by_id);
  }
  held_.erase(found);
}

}  // namespace swarm
