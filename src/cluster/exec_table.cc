#include "cluster/exec_table.h"

namespace swarm {

std::string ExecTable::Remember(std::string exec_id, std::string node_address) {
  const std::lock_guard lock(mutex_);
  if (std::optional<std::string> known = FindLocked(exec_id)) return *std::move(known);
  by_use_.emplace_front(exec_id, node_address);
  by_id_.emplace(std::move(exec_id), by_use_.begin());
  if (by_use_.size() > kMostExecs) {
    by_id_.erase(by_id_.find(by_use_.back().first));
    by_use_.pop_back();
  }
  return node_address;
}

std::optional<std::string> ExecTable::Find(std::string_view exec_id) {
  const std::lock_guard lock(mutex_);
  return FindLocked(exec_id);
}

std::optional<std::string> ExecTable::FindLocked(std::string_view exec_id) {
  const auto found = by_id_.find(exec_id);
  if (found == by_id_.end()) return std::nullopt;
  by_use_.splice(by_use_.begin(), by_use_, found->second);
  return found->second->second;
}

void ExecTable::ForgetNode(std::string_view node_address) {
  const std::lock_guard lock(mutex_);
  for (auto at = by_use_.begin(); at != by_use_.end();) {
    if (at->second != node_address) {
      ++at;
      continue;
    }
    by_id_.erase(by_id_.find(at->first));
    at = by_use_.erase(at);
  }
}

}  // namespace swarm
