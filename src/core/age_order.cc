#include "core/age_order.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace swarm {
namespace {

std::string_view NodeName(const ContainerEntry& entry) {
  const Node& node = *entry.node;
  return node.name.empty() ? node.address : node.name;
}

bool Above(const ContainerEntry& left, const ContainerEntry& right) {
  if (left.container.created != right.container.created) {
    return left.container.created > right.container.created;
  }
  const int names = NodeName(left).compare(NodeName(right));
  return names != 0 ? names < 0 : left.container.id < right.container.id;
}

bool IsAbove(const ContainerPointer& left, const ContainerEntry& right) {
  return Above(*left, right);
}

}  // namespace

// Where the entry is, or where it would be: in the group that reaches as far as it, behind the last
// one when none does.
AgeOrder::Place AgeOrder::Find(const ContainerEntry& entry) const {
  const auto group = std::partition_point(
      groups_.begin(), groups_.end(),
      [&entry](const Group& one) { return Above(*one.entries->back(), entry); });
  if (group == groups_.end()) return {groups_.size(), 0};
  const ContainerGroup& entries = *group->entries;
  const auto at = std::lower_bound(entries.begin(), entries.end(), entry, IsAbove);
  return {static_cast<std::size_t>(group - groups_.begin()),
          static_cast<std::size_t>(at - entries.begin())};
}

ContainerGroup& AgeOrder::Writable(std::size_t group) {
  Group& one = groups_[group];
  if (one.is_shared) one = {std::make_shared<ContainerGroup>(*one.entries), false};
  return *one.entries;
}

void AgeOrder::Put(ContainerPointer entry) {
  ++size_;
  Place place = Find(*entry);
  // Between two groups: into the one that it was just taken from, since a changed container is
  // taken out and put back; else into the upper one if it has room.
  const std::size_t vacated = std::exchange(vacated_, kNone);
  if (place.index == 0 && place.group > 0 && place.group != vacated) {
    const std::size_t before = groups_[place.group - 1].entries->size();
    if (before < kMostInGroup) place = {place.group - 1, before};
  }
  // Containers mostly come in the order of their age: a full group at an end stays full.
  const bool is_front = place.group == 0 && place.index == 0;
  const bool is_full =
      place.group < groups_.size() && groups_[place.group].entries->size() == kMostInGroup;
  if (place.group == groups_.size() || (is_front && is_full)) {
    auto entries = std::make_shared<ContainerGroup>(1, std::move(entry));
    groups_.insert(groups_.begin() + static_cast<std::ptrdiff_t>(place.group),
                   {std::move(entries), false});
    return;
  }
  ContainerGroup& entries = Writable(place.group);
  entries.insert(entries.begin() + static_cast<std::ptrdiff_t>(place.index), std::move(entry));
  if (entries.size() > kMostInGroup) Split(place.group);
}

void AgeOrder::Split(std::size_t group) {
  ContainerGroup& entries = *groups_[group].entries;
  const auto middle = entries.begin() + static_cast<std::ptrdiff_t>(entries.size() / 2);
  Group second{std::make_shared<ContainerGroup>(std::make_move_iterator(middle),
                                                std::make_move_iterator(entries.end())),
               false};
  entries.erase(middle, entries.end());
  groups_.insert(groups_.begin() + static_cast<std::ptrdiff_t>(group) + 1, std::move(second));
}

void AgeOrder::Erase(const ContainerEntry& entry) {
  const Place place = Find(entry);
  SWARM_CHECK(
      place.group < groups_.size() && (*groups_[place.group].entries)[place.index].get() == &entry,
      "an entry that is erased is there");
  --size_;
  vacated_ = kNone;
  if (groups_[place.group].entries->size() == 1) {
    groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(place.group));
    return;
  }
  vacated_ = place.group;
  ContainerGroup& entries = Writable(place.group);
  entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(place.index));
  // Two small neighbours become one, so that the groups stay few.
  const std::size_t next = place.group + 1;
  if (next == groups_.size()) return;
  if (entries.size() + groups_[next].entries->size() > kMostInGroup / 2) return;
  entries.insert(entries.end(), groups_[next].entries->begin(), groups_[next].entries->end());
  groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(next));
}

std::vector<ContainerPointer> AgeOrder::All() const {
  std::vector<ContainerPointer> all;
  all.reserve(size_);
  for (const Group& group : groups_) {
    all.insert(all.end(), group.entries->begin(), group.entries->end());
  }
  return all;
}

ContainerGroups AgeOrder::Groups() const {
  ContainerGroups groups;
  groups.reserve(groups_.size());
  for (const Group& group : groups_) {
    group.is_shared = true;
    groups.push_back(group.entries);
  }
  return groups;
}

}  // namespace swarm
