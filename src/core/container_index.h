// Every container of the cluster by id, swarm id, name and age.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/statusor.h"
#include "base/text.h"
#include "core/age_order.h"
#include "swarmlib/cluster.h"

namespace swarm {

// For messages.
std::string InQuotes(std::string_view text);

// Answers which node a word before the slash of "node/name" means.
class NodeLookup {
 public:
  virtual ~NodeLookup() = default;
  // True when `reference` is the address, name or ID of that node.
  virtual bool IsNode(std::string_view reference, std::string_view address) const = 0;
};

// Holds entries; its keys are views into them. Not thread-safe. Every call costs the logarithm of
// the containers and what it returns.
class ContainerIndex {
 public:
  // `nodes` outlives this.
  explicit ContainerIndex(const NodeLookup& nodes) : nodes_(nodes) {}

  // Takes the place of an entry with the same id.
  void Put(ContainerPointer entry);
  void Erase(std::string_view id);

  ContainerPointer FindById(std::string_view id) const;
  ContainerPointer FindBySwarmId(std::string_view swarm_id) const;
  // As Cluster::FindContainer.
  absl::StatusOr<ContainerPointer> Resolve(std::string_view reference) const;
  // All that the first known meaning of `reference` names; a prefix only when it names one.
  std::vector<const ContainerEntry*> Meant(std::string_view reference) const;
  // Those whose id, first 12 digits of it, or first name is `text`.
  std::vector<const ContainerEntry*> Named(std::string_view text) const;
  // One that holds `name` as its own or as an alias, or null.
  const ContainerEntry* HolderOfName(std::string_view name) const;

  // Newest first; equal times by node name, then id.
  std::vector<ContainerPointer> NewestFirst() const { return by_age_.All(); }
  ContainerGroups Groups() const { return by_age_.Groups(); }

 private:
  // A text with its first bytes beside it, so that a search seldom has to touch the text itself.
  struct Key {
    Key(std::string_view whole);  // NOLINT(google-explicit-constructor): a view and nothing else
    std::uint64_t head = 0;
    std::string_view text;
    friend bool operator<(const Key& left, const Key& right) {
      return left.head != right.head ? left.head < right.head : left.text < right.text;
    }
  };
  // What is looked for, then the id that it leads to.
  struct Link {
    Key from;
    std::string_view id;
    friend bool operator<(const Link& left, const Link& right) {
      if (left.from < right.from) return true;
      return !(right.from < left.from) && left.id < right.id;
    }
  };
  enum class Meaning { kNone, kId, kShortId, kSwarmId, kName, kNodeName, kPrefix };

  Meaning Find(std::string_view reference, std::vector<const ContainerEntry*>& found) const;
  void AppendWithPrefix(std::string_view prefix, std::vector<const ContainerEntry*>& found) const;
  void AppendWithSwarmId(std::string_view swarm_id,
                         std::vector<const ContainerEntry*>& found) const;
  void AppendWithName(std::string_view name, std::vector<const ContainerEntry*>& found) const;

  const NodeLookup& nodes_;
  absl::btree_map<Key, ContainerPointer> by_id_;
  absl::btree_set<Link> by_swarm_id_;
  absl::btree_set<Link> by_name_;
  AgeOrder by_age_;
};

}  // namespace swarm
