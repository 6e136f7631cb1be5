// Where calls that wait for a manager may be made.
#pragma once

#include <sys/types.h>

#include <string_view>

#include "absl/status/status.h"

namespace swarm {

// The process that a manager was opened in: its threads are in no other.
class HomeProcess {
 public:
  HomeProcess();
  // True in a child that was made by fork() since.
  bool forked() const;

 private:
  const pid_t id_;
};

// FailedPrecondition in a forked child and inside a filter or strategy, which may run while the
// state is locked. `call` names what was called: "Manager::Plan".
absl::Status CheckMayCall(const HomeProcess& home, std::string_view call);

// The same, and on a thread that runs a loop, which would wait for itself.
absl::Status CheckMayWait(const HomeProcess& home, std::string_view call);

}  // namespace swarm
