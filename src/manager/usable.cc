#include "manager/usable.h"

#include <unistd.h>

#include <string>

#include "async/loop.h"
#include "swarmlib/status.h"

namespace swarm {

HomeProcess::HomeProcess() : id_(getpid()) {}
bool HomeProcess::forked() const { return getpid() != id_; }

absl::Status CheckMayWait(const HomeProcess& home, std::string_view call) {
  if (home.forked()) {
    return FailedPrecondition(std::string(call) +
                              ": the manager was opened before fork() and runs in the parent only; "
                              "open one in this process");
  }
  if (Loop::Current() != nullptr) {
    return FailedPrecondition(std::string(call) +
                              ": this is a thread of a manager (a callback, a filter, a strategy), "
                              "which must not wait; call it on another thread");
  }
  return absl::OkStatus();
}

}  // namespace swarm
