// What engines pruned, added up.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "api/each_node.h"

namespace swarm {

class PruneReport {
 public:
  // `key` is the member of an answer that lists what was removed, "VolumesDeleted".
  explicit PruneReport(std::string key) : key_(std::move(key)) {}

  // One engine's answer, or why there is none. An answer that is no JSON counts as a failure.
  void Add(NodePointer node, Result answer);

  // The names that one node has removed.
  const std::set<std::string>& removed_by(std::size_t at) const { return removed_[at]; }
  std::size_t size() const { return answers_.size(); }
  const Node& node(std::size_t at) const { return *answers_[at].node; }

  // Why not all went well, and where it did.
  absl::Status Failure() const;

  // {"VolumesDeleted":[...],"SpaceReclaimed":n}: each name once, in order. The sum is left out when
  // no engine gave one.
  std::string Text() const;
  // The same with other names.
  std::string TextOf(const std::set<std::string>& names) const;

 private:
  const std::string key_;
  std::vector<NodeAnswer> answers_;
  std::vector<std::set<std::string>> removed_;
  std::int64_t reclaimed_ = 0;
  bool has_sum_ = false;
};

}  // namespace swarm
