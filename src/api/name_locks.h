// One at a time for each name: who changes what a name stands for waits for its turn.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "async/task.h"
#include "swarmlib/callback.h"

namespace swarm {

// Thread-safe. Nothing is given back by destruction: who has locked releases.
class NameLocks {
 public:
  static constexpr std::size_t kMostWaiting = 1'024;  // for one name

  // Calls back when the caller holds the name, maybe before it returns; ResourceExhausted when too
  // many wait already.
  void Acquire(const std::string& name, Callback<absl::Status> done);
  // The next in turn is called on this thread.
  void Release(const std::string& name);
  // Nobody waits any more: callbacks are dropped. They may hold what holds this. Names that were
  // held until then may be released still.
  void Abandon();

 private:
  std::mutex mutex_;
  bool abandoned_ = false;
  std::map<std::string, std::deque<Callback<absl::Status>>> waiting_;  // a name that is held
};

// Takes all names, in their order whatever the order given, each once; all or none. `locks`
// outlives the wait.
Task<absl::Status> LockNames(NameLocks& locks, std::vector<std::string> names);
// Of names that were given to LockNames and taken.
void UnlockNames(NameLocks& locks, std::vector<std::string> names);

}  // namespace swarm
