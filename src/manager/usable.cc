#include "manager/usable.h"

#include <unistd.h>

#include <string>

#include "async/loop.h"
#include "cluster/calling_out.h"
#include "swarmlib/status.h"

namespace swarm {

HomeProcess::HomeProcess() : id_(getpid()) {}
bool HomeProcess::forked() const { return getpid() != id_; }

absl::Status CheckMayCall(const HomeProcess& home, std::string_view call) {
  if (home.forked()) {
    return FailedPrecondition(std::string(call) +
                              ": the manager was opened before fork() and runs in the parent only; "
                              "open one in this process");
  }
  if (CallingOut::Now()) {
    return FailedPrecondition(std::string(call) +
                              ": a filter or a strategy decides by what it is given and calls no "
                              "manager");
  }
  return absl::OkStatus();
}

absl::Status CheckMayWait(const HomeProcess& home, std::string_view call) {
  if (const absl::Status may = CheckMayCall(home, call); !may.ok()) return may;
  if (Loop::Current() != nullptr) {
    return FailedPrecondition(std::string(call) +
                              ": this is a thread of a manager (a callback), which must not wait; "
                              "call it on another thread");
  }
  return absl::OkStatus();
}

}  // namespace swarm
