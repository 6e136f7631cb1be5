// Which node knows an exec id.
#pragma once

#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace swarm {

// Exec ids that are kept; the one not asked for longest goes first.
inline constexpr std::size_t kMostExecs = 65'536;

// Thread-safe.
class ExecTable {
 public:
  // Returns the node that holds the exec: the one remembered first, since no two engines make the
  // same id by themselves. Counts as a use.
  std::string Remember(std::string exec_id, std::string node_address);
  // The node's address; counts as a use.
  std::optional<std::string> Find(std::string_view exec_id);
  // Forgets every exec of a node that is gone.
  void ForgetNode(std::string_view node_address);

 private:
  using Entry = std::pair<std::string, std::string>;  // exec id, node address

  std::optional<std::string> FindLocked(std::string_view exec_id);

  std::mutex mutex_;
  std::list<Entry> by_use_;  // latest first
  StringMap<std::list<Entry>::iterator> by_id_;
};

}  // namespace swarm
