#include "core/cluster_state.h"

#include <utility>

#include "core/state_impl.h"

namespace swarm {
namespace {

void AddCounts(ClusterTotals& totals, const Container& container, int by) {
  totals.containers += by;
  switch (ClassOf(container.state)) {
    case ContainerClass::kRunning: totals.running += by; break;
    case ContainerClass::kPaused: totals.paused += by; break;
    case ContainerClass::kStopped: totals.stopped += by; break;
  }
}

// Offsets are rounded.
constexpr Duration kNearly = std::chrono::seconds(1);

bool ShowsNode(const ContainerEntry& entry, const Node& node) {
  const Duration moved = entry.node->clock_offset - node.clock_offset;
  return LookTheSame(*entry.node, node) && moved <= kNearly && moved >= -kNearly;
}

}  // namespace

ClusterState::Impl::Impl(StateOptions options, FilterList filters,
                         std::unique_ptr<Strategy> strategy, Random& random)
    : scheduler_options_{options.overcommit, options.failure_retry},
      filters_(std::move(filters)),
      has_own_filters_(HasOwnFilter(filters_)),
      strategy_(std::move(strategy)),
      random_(random),
      scheduler_(*this, filters_, *strategy_, scheduler_options_, random_) {}

void ClusterState::Impl::Publish(NodeRecord& record, ContainerPointer entry) {
  AddCounts(totals_, entry->container, 1);
  containers_.Put(entry);
  record.Add(entry);
  scheduler_.AddContainer(record.slot(), entry->container);
}

void ClusterState::Impl::Unpublish(NodeRecord& record, std::string_view id) {
  const auto found = record.entries().find(id);
  if (found == record.entries().end()) return;
  const ContainerPointer entry = found->second;
  AddCounts(totals_, entry->container, -1);
  record.Remove(id);
  containers_.Erase(id);
  scheduler_.RemoveContainer(record.slot(), entry->container);
}

void ClusterState::Impl::RepublishOutdated(NodeRecord& record) {
  std::vector<ContainerPointer> entries;
  for (const auto& [id, entry] : record.entries()) {
    if (!LookTheSame(*entry->node, record.node())) entries.push_back(entry);
  }
  for (const ContainerPointer& entry : entries) {
    // What the scheduler knows of the container does not change.
    auto fresh = std::make_shared<ContainerEntry>(*entry);
    fresh->node = record.pointer();
    containers_.Put(fresh);
    record.Add(fresh);
  }
}

void ClusterState::Impl::PutContainer(NodeRecord& record, ContainerRecord container,
                                      const NodePointer& shown) {
  const std::string id = container.container.id;
  if (NoteClash(record, id)) return;
  ++generation_;
  Unpublish(record, id);
  container.container.node = record.node().address;
  // A create under way whose container is there counts by the container from now on.
  const auto held = held_swarm_ids_.find(container.container.swarm_id);
  if (held != held_swarm_ids_.end()) {
    Ticket& ticket = tickets_.at(held->second);
    if (!ticket.absorbed && ticket.address == record.node().address) {
      DetachHold(held->second, ticket);
      ticket.absorbed = true;
    }
  }
  auto entry = std::make_shared<ContainerEntry>();
  entry->container = std::move(container.container);
  entry->node = shown;
  entry->row = std::move(container.row);
  Publish(record, std::move(entry));
}

bool ClusterState::Impl::NoteClash(NodeRecord& record, const std::string& id) {
  const ContainerPointer known = containers_.FindById(id);
  if (known == nullptr || known->container.node == record.node().address) {
    record.clashes().erase(id);
    return false;
  }
  record.clashes().insert_or_assign(id, known->container.node);
  return true;
}

std::string ClusterState::Impl::ClashText(const NodeRecord& record) const {
  if (record.clashes().empty()) return {};
  const auto& [id, address] = *record.clashes().begin();
  const NodeRecord* const holder = FindRecord(address);
  const std::string name = holder == nullptr ? std::string() : holder->node().name;
  std::string text = "container " + id.substr(0, kShortId) + " is on node " +
                     (name.empty() ? address : name + " (" + address + ")") +
                     " too, which had it first: it is not shown here";
  const std::size_t more = record.clashes().size() - 1;
  if (more > 0) text += ", nor are " + std::to_string(more) + " more like it";
  return text;
}

void ClusterState::Impl::ShowClashes(NodeRecord& record) {
  const std::string text = ClashText(record);
  if (text == record.shown_clash()) return;
  Node node = record.node();
  if (node.error == record.shown_clash()) node.error.clear();
  record.set_shown_clash(text);
  if (!text.empty() && clash_notes_.size() < kMaxClashNotes)
    clash_notes_.push_back({node.address, text});
  SetNode(std::move(node));
}

// An entry that tells the same stays, and with it all that readers have made of it.
bool ClusterState::Impl::IsPublished(const NodeRecord& record, ContainerRecord& container,
                                     const Node& shown) const {
  const auto found = record.entries().find(container.container.id);
  if (found == record.entries().end() || !ShowsNode(*found->second, shown)) return false;
  container.container.node = record.node().address;
  return found->second->row == container.row && found->second->container == container.container;
}

std::string ClusterState::Impl::EraseSome(std::string_view address, std::string_view after,
                                          std::size_t most, const Stays& stays) {
  NodeRecord* const record = FindRecord(address);
  if (record == nullptr) return {};
  std::string last;
  std::vector<std::string> gone;
  auto at = record->entries().upper_bound(after);
  for (; at != record->entries().end() && most > 0; ++at, --most) {
    last = at->first;
    if (!stays(last)) gone.push_back(last);
  }
  if (at == record->entries().end()) last.clear();
  if (!gone.empty()) ++generation_;
  for (const std::string& id : gone) Unpublish(*record, id);
  return last;
}

void ClusterState::Impl::EraseClashes(std::string_view address, const Stays& stays) {
  NodeRecord* const record = FindRecord(address);
  if (record == nullptr) return;
  std::erase_if(record->clashes(), [&stays](const auto& clash) { return !stays(clash.first); });
}

void ClusterState::Impl::PutListed(NodeRecord& record, ContainerRecord container,
                                   const NodePointer& shown) {
  if (!IsPublished(record, container, *shown)) PutContainer(record, std::move(container), shown);
}

void ClusterState::Impl::KeepListed(NodeRecord& record, const ContainerPointer& entry,
                                    const NodePointer& shown) {
  const auto found = record.entries().find(entry->container.id);
  const bool is_published = found != record.entries().end() && found->second == entry;
  if (is_published && ShowsNode(*entry, *shown)) return;
  PutListed(record, {entry->container, entry->row}, shown);
}

void ClusterState::Impl::SetContainers(std::string_view address,
                                       std::vector<ContainerRecord> records) {
  NodeRecord* const record = FindRecord(address);
  if (record == nullptr) return;
  StringSet present;
  for (const ContainerRecord& container : records) present.insert(container.container.id);
  const Stays stays = [&present](std::string_view id) { return present.contains(id); };
  EraseSome(address, {}, record->entries().size(), stays);
  EraseClashes(address, stays);
  for (ContainerRecord& container : records)
    PutListed(*record, std::move(container), record->pointer());
  ShowClashes(*record);
}

void ClusterState::Impl::EraseContainer(std::string_view address, std::string_view id) {
  NodeRecord* const record = FindRecord(address);
  if (record == nullptr) return;
  if (const auto clash = record->clashes().find(id); clash != record->clashes().end()) {
    record->clashes().erase(clash);
    ShowClashes(*record);
  }
  if (!record->entries().contains(id)) return;
  ++generation_;
  Unpublish(*record, id);
}

void ClusterState::Impl::AddImages(const NodeRecord& record) {
  const Node& node = record.node();
  for (const auto& entry : record.image_entries()) {
    images_.emplace(ImageKey(entry->image.id, node.name, node.address), entry);
  }
  totals_.images = static_cast<std::int64_t>(images_.size());
}

void ClusterState::Impl::RemoveImages(const NodeRecord& record) {
  const Node& node = record.node();
  for (const auto& entry : record.image_entries()) {
    images_.erase(ImageKey(entry->image.id, node.name, node.address));
  }
  totals_.images = static_cast<std::int64_t>(images_.size());
}

void ClusterState::Impl::SetImages(std::string_view address, std::vector<Image> images,
                                   std::vector<std::string> rows) {
  NodeRecord* const record = FindRecord(address);
  if (record == nullptr || record->HoldsImages(images, rows)) return;
  ++generation_;
  RemoveImages(*record);
  std::vector<std::shared_ptr<const ImageEntry>> entries;
  entries.reserve(images.size());
  for (std::size_t i = 0; i < images.size(); ++i) {
    auto entry = std::make_shared<ImageEntry>();
    entry->image = std::move(images[i]);
    entry->node = record->node().address;
    if (i < rows.size()) entry->row = std::move(rows[i]);
    entries.push_back(std::move(entry));
  }
  record->set_images(std::move(entries));
  AddImages(*record);
  scheduler_.SetImages(record->slot(), record->images());
}

ClusterState::ClusterState(StateOptions options, std::vector<std::unique_ptr<Filter>> filters,
                           std::unique_ptr<Strategy> strategy, Random& random)
    : impl_(std::make_unique<Impl>(options, std::move(filters), std::move(strategy), random)) {}
ClusterState::~ClusterState() = default;

void ClusterState::SetNode(Node node) { impl_->SetNode(std::move(node)); }
void ClusterState::DropNode(std::string_view address) { impl_->DropNode(address); }
NodePointer ClusterState::FindNode(std::string_view reference) const {
  return impl_->FindNode(reference);
}
std::vector<NodePointer> ClusterState::Nodes() const { return impl_->Nodes(); }

void ClusterState::SetContainers(std::string_view address, std::vector<ContainerRecord> records) {
  impl_->SetContainers(address, std::move(records));
}
void ClusterState::PutContainer(std::string_view address, ContainerRecord record) {
  NodeRecord* const node = impl_->FindRecord(address);
  if (node == nullptr) return;
  impl_->PutContainer(*node, std::move(record), node->pointer());
  impl_->ShowClashes(*node);
}
std::string ClusterState::EraseSome(std::string_view address, std::string_view after,
                                    std::size_t most, const Stays& stays) {
  return impl_->EraseSome(address, after, most, stays);
}
void ClusterState::EraseClashes(std::string_view address, const Stays& stays) {
  impl_->EraseClashes(address, stays);
}
void ClusterState::PutListed(std::string_view address, ContainerRecord record,
                             const NodePointer& shown) {
  if (NodeRecord* const node = impl_->FindRecord(address))
    impl_->PutListed(*node, std::move(record), shown);
}
void ClusterState::KeepListed(std::string_view address, const ContainerPointer& entry,
                              const NodePointer& shown) {
  if (NodeRecord* const node = impl_->FindRecord(address)) impl_->KeepListed(*node, entry, shown);
}
void ClusterState::ShowClashes(std::string_view address) {
  if (NodeRecord* const node = impl_->FindRecord(address)) impl_->ShowClashes(*node);
}
void ClusterState::EraseContainer(std::string_view address, std::string_view id) {
  impl_->EraseContainer(address, id);
}
std::vector<ClashNote> ClusterState::TakeClashNotes() {
  return std::exchange(impl_->clash_notes_, {});
}
void ClusterState::SetImages(std::string_view address, std::vector<Image> images,
                             std::vector<std::string> rows) {
  impl_->SetImages(address, std::move(images), std::move(rows));
}

absl::StatusOr<Reservation> ClusterState::Place(const ContainerSpec& spec) {
  return impl_->Place(spec, nullptr, nullptr);
}
bool ClusterState::has_own_filters() const { return impl_->has_own_filters_; }
absl::StatusOr<std::unique_ptr<Plan>> ClusterState::PlanOf(const ContainerSpec& spec) const {
  return MakePlan(impl_->filters_, spec);
}
void ClusterState::Ask(Questions& questions) { questions.Ask(); }

PatternWork ClusterState::WorkOf(const ContainerSpec& spec) { return PatternWorkOf(spec); }

bool ClusterState::TakesLong(const PatternWork& work) const {
  const auto containers = static_cast<std::size_t>(impl_->totals_.containers);
  return work.StepsFor(impl_->by_name_.size(), containers) > kMaxLockedSteps;
}

Questions ClusterState::AskingFor(bool patterns) const {
  // A draw is among all that fit.
  const bool draws = impl_->strategy_->draws();
  return Questions(draws ? Questions::Want::kAll : Questions::Want::kBest, patterns);
}
absl::StatusOr<Reservation> ClusterState::Place(const ContainerSpec& spec, Plan& plan,
                                                Questions& questions) {
  return impl_->Place(spec, &plan, &questions);
}
Explanation ClusterState::Explain(const ContainerSpec& spec, const Plan& plan,
                                  Questions& questions) const {
  return impl_->scheduler_.ExplainBy(spec, plan, questions);
}
void ClusterState::Settle(std::uint64_t ticket, const ContainerRecord* record) {
  impl_->Settle(ticket, record);
}
absl::StatusOr<Explanation> ClusterState::Explain(const ContainerSpec& spec) const {
  return impl_->scheduler_.Explain(spec);
}
absl::StatusOr<std::uint64_t> ClusterState::ReserveName(std::string_view container_id,
                                                        std::string_view name) {
  return impl_->ReserveName(container_id, name);
}
absl::StatusOr<std::uint64_t> ClusterState::ReserveStart(std::string_view container_id) {
  return impl_->ReserveStart(container_id);
}
absl::StatusOr<std::uint64_t> ClusterState::ReserveUpdate(std::string_view container_id,
                                                          const Resources& wanted) {
  return impl_->ReserveUpdate(container_id, wanted);
}
void ClusterState::Release(std::uint64_t ticket) { impl_->Release(ticket); }

absl::StatusOr<ContainerPointer> ClusterState::FindContainer(std::string_view reference) const {
  return impl_->containers_.Resolve(reference);
}
ContainerPointer ClusterState::FindById(std::string_view id) const {
  return impl_->containers_.FindById(id);
}
std::vector<ContainerPointer> ClusterState::Containers() const {
  return impl_->containers_.NewestFirst();
}

ContainerGroups ClusterState::ContainersInGroups() const { return impl_->containers_.Groups(); }

std::vector<std::shared_ptr<const ImageEntry>> ClusterState::Images() const {
  std::vector<std::shared_ptr<const ImageEntry>> images;
  images.reserve(impl_->images_.size());
  for (const auto& [key, entry] : impl_->images_) images.push_back(entry);
  return images;
}

ClusterTotals ClusterState::Totals() const { return impl_->totals_; }

NodeTotals ClusterState::TotalsOf(std::string_view address) const {
  const NodeRecord* const record = impl_->FindRecord(address);
  if (record == nullptr) return {};
  NodeTotals totals = record->counts();
  totals.reserved = record->reserved();
  totals.total = WithOvercommit(record->node().total, impl_->scheduler_options_.overcommit);
  return totals;
}

std::string_view ClusterState::strategy() const { return impl_->strategy_->name(); }

std::vector<std::string> ClusterState::filters() const {
  std::vector<std::string> names;
  for (const std::unique_ptr<Filter>& filter : impl_->filters_) names.emplace_back(filter->name());
  return names;
}

std::uint64_t ClusterState::generation() const { return impl_->generation_; }

}  // namespace swarm
