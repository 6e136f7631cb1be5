#include "core/container_index.h"

#include <algorithm>

#include "sched/inventory.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr std::size_t kMaxCandidatesNamed = 5;  // in the message about an ambiguous prefix

// "n1/web": how to say which one is meant.
std::string QualifiedName(const ContainerEntry& entry, std::string_view name) {
  return (entry.node->name.empty() ? entry.node->address : entry.node->name) + "/" +
         std::string(name);
}

bool IsHexadecimal(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

absl::Status Ambiguous(std::string_view prefix, const std::vector<const ContainerEntry*>& found) {
  std::string message = "multiple IDs found with provided prefix: " + std::string(prefix) + " (";
  for (std::size_t i = 0; i < found.size() && i < kMaxCandidatesNamed; ++i) {
    const Container& container = found[i]->container;
    if (i > 0) message += ", ";
    message += container.id.substr(0, kShortId);
    if (!container.names.empty()) message += " " + QualifiedName(*found[i], container.names[0]);
  }
  if (found.size() > kMaxCandidatesNamed) message += ", ...";
  return InvalidArgument(message + "): give more digits");
}

absl::Status OnSeveralNodes(std::string_view name,
                            const std::vector<const ContainerEntry*>& found) {
  std::vector<std::string> names;
  names.reserve(found.size());
  for (const ContainerEntry* entry : found) names.push_back(QualifiedName(*entry, name));
  std::sort(names.begin(), names.end());
  return AlreadyExists("The container name " + InQuotes(name) +
                       " is on several nodes: " + Join(names, ", ") + ". Use node/name.");
}

}  // namespace

std::string InQuotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

ContainerIndex::Key::Key(std::string_view whole) : text(whole) {
  constexpr std::size_t kHeadBytes = sizeof(head);
  constexpr unsigned kByteBits = 8;
  for (std::size_t i = 0; i < kHeadBytes; ++i) {
    head = head << kByteBits | (i < whole.size() ? static_cast<unsigned char>(whole[i]) : 0);
  }
}

void ContainerIndex::Put(ContainerPointer entry) {
  const Container& container = entry->container;
  Erase(container.id);
  for (const std::string& name : container.names) by_name_.insert({Key(name), container.id});
  if (!container.swarm_id.empty()) by_swarm_id_.insert({Key(container.swarm_id), container.id});
  by_age_.Put(entry);
  by_id_.emplace(Key(container.id), std::move(entry));
}

void ContainerIndex::Erase(std::string_view id) {
  const auto found = by_id_.find(Key(id));
  if (found == by_id_.end()) return;
  // Keys are views into the entry: it must stay until the last of them is gone.
  const ContainerPointer entry = found->second;
  const Container& container = entry->container;
  for (const std::string& name : container.names) by_name_.erase({Key(name), container.id});
  by_swarm_id_.erase({Key(container.swarm_id), container.id});
  by_age_.Erase(*entry);
  by_id_.erase(found);
}

ContainerPointer ContainerIndex::FindById(std::string_view id) const {
  const auto found = by_id_.find(Key(id));
  return found == by_id_.end() ? nullptr : found->second;
}

ContainerPointer ContainerIndex::FindBySwarmId(std::string_view swarm_id) const {
  if (swarm_id.empty()) return nullptr;
  const auto found = by_swarm_id_.lower_bound({Key(swarm_id), {}});
  if (found == by_swarm_id_.end() || found->from.text != swarm_id) return nullptr;
  return FindById(found->id);
}

void ContainerIndex::AppendWithPrefix(std::string_view prefix,
                                      std::vector<const ContainerEntry*>& found) const {
  for (auto at = by_id_.lower_bound(Key(prefix));
       at != by_id_.end() && at->first.text.starts_with(prefix); ++at) {
    found.push_back(at->second.get());
    if (found.size() > kMaxCandidatesNamed) return;
  }
}

void ContainerIndex::AppendWithSwarmId(std::string_view swarm_id,
                                       std::vector<const ContainerEntry*>& found) const {
  for (auto at = by_swarm_id_.lower_bound({Key(swarm_id), {}}); at != by_swarm_id_.end(); ++at) {
    const bool matches = at->from.text == swarm_id ||
                         (swarm_id.size() == kShortId && at->from.text.starts_with(swarm_id));
    if (!matches || found.size() > kMaxCandidatesNamed) return;
    found.push_back(by_id_.find(Key(at->id))->second.get());
  }
}

void ContainerIndex::AppendWithName(std::string_view name,
                                    std::vector<const ContainerEntry*>& found) const {
  for (auto at = by_name_.lower_bound({Key(name), {}});
       at != by_name_.end() && at->from.text == name; ++at) {
    found.push_back(by_id_.find(Key(at->id))->second.get());
  }
}

ContainerIndex::Meaning ContainerIndex::Find(std::string_view reference,
                                             std::vector<const ContainerEntry*>& found) const {
  if (reference.empty()) return Meaning::kNone;
  if (const auto exact = by_id_.find(Key(reference)); exact != by_id_.end()) {
    found.push_back(exact->second.get());
    return Meaning::kId;
  }
  if (reference.size() == kShortId) AppendWithPrefix(reference, found);
  if (!found.empty()) return Meaning::kShortId;
  AppendWithSwarmId(reference, found);
  if (!found.empty()) return Meaning::kSwarmId;
  const std::string_view name = reference.front() == '/' ? reference.substr(1) : reference;
  AppendWithName(name, found);
  if (!found.empty()) return Meaning::kName;
  const std::size_t slash = name.find('/');
  if (slash != std::string_view::npos) {
    AppendWithName(name.substr(slash + 1), found);
    std::erase_if(found, [&](const ContainerEntry* entry) {
      return !nodes_.IsNode(name.substr(0, slash), entry->container.node);
    });
    return found.empty() ? Meaning::kNone : Meaning::kNodeName;
  }
  if (!IsHexadecimal(reference)) return Meaning::kNone;
  AppendWithPrefix(reference, found);
  return found.empty() ? Meaning::kNone : Meaning::kPrefix;
}

absl::StatusOr<ContainerPointer> ContainerIndex::Resolve(std::string_view reference) const {
  // What most requests give, and what comes before every other meaning.
  if (const auto exact = by_id_.find(Key(reference)); exact != by_id_.end()) return exact->second;
  std::vector<const ContainerEntry*> found;
  const Meaning meaning = Find(reference, found);
  if (meaning == Meaning::kNone) return NotFound("No such container: " + std::string(reference));
  if (found.size() == 1) return FindById(found.front()->container.id);
  if (meaning == Meaning::kName || meaning == Meaning::kNodeName) {
    const std::string_view name = reference.front() == '/' ? reference.substr(1) : reference;
    return OnSeveralNodes(meaning == Meaning::kName ? name : name.substr(name.find('/') + 1),
                          found);
  }
  return Ambiguous(reference, found);
}

std::vector<const ContainerEntry*> ContainerIndex::Meant(std::string_view reference) const {
  std::vector<const ContainerEntry*> found;
  const Meaning meaning = Find(reference, found);
  const bool by_digits = meaning == Meaning::kPrefix || meaning == Meaning::kShortId;
  if (by_digits && found.size() > 1) found.clear();
  return found;
}

std::vector<const ContainerEntry*> ContainerIndex::Named(std::string_view text) const {
  std::vector<const ContainerEntry*> found;
  if (text.empty()) return found;
  if (const auto exact = by_id_.find(Key(text)); exact != by_id_.end())
    found.push_back(exact->second.get());
  if (text.size() == kShortId) {
    for (auto at = by_id_.lower_bound(Key(text));
         at != by_id_.end() && at->first.text.starts_with(text); ++at) {
      found.push_back(at->second.get());
    }
  }
  for (auto at = by_name_.lower_bound({Key(text), {}});
       at != by_name_.end() && at->from.text == text; ++at) {
    const ContainerEntry* const entry = by_id_.find(Key(at->id))->second.get();
    if (entry->container.names[0] == text) found.push_back(entry);
  }
  return found;
}

const ContainerEntry* ContainerIndex::HolderOfName(std::string_view name) const {
  const auto at = by_name_.lower_bound({Key(name), {}});
  if (at == by_name_.end() || at->from.text != name) return nullptr;
  return by_id_.find(Key(at->id))->second.get();
}

}  // namespace swarm
