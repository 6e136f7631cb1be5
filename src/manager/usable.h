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

// FailedPrecondition in a forked child, and on a thread that runs a loop, which would wait for
// itself. `call` names what was called: "Manager::Serve".
absl::Status CheckMayWait(const HomeProcess& home, std::string_view call);

}  // namespace swarm
