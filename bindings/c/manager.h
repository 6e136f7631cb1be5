// The handle of a manager.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "bindings/c/handles.h"
#include "bindings/c/owned.h"
#include "swarmlib/manager.h"
#include "swarmlib/swarm.h"

namespace swarm::c {

inline constexpr std::uint64_t kMostReply = std::uint64_t{64} << 20U;

}  // namespace swarm::c

struct swarm_manager {
  swarm::c::OwnedList owned;  // of the options; ends after the manager
  std::unique_ptr<swarm::Manager> manager;
  pid_t process = 0;  // that opened it
  // Bytes of an answer that calls in short take.
  std::unique_ptr<std::atomic<std::uint64_t>> most_reply =
      std::make_unique<std::atomic<std::uint64_t>>(swarm::c::kMostReply);
};
SWARM_HANDLE(swarm_manager);

struct swarm_strings {
  std::vector<std::string> strings;
};
SWARM_HANDLE(swarm_strings);

namespace swarm::c {

// FailedPrecondition when this process is a child of the one that made the handle.
absl::Status CheckProcess(pid_t process);

// Ok when calls may be made of it.
absl::Status Usable(const swarm_manager* manager);

}  // namespace swarm::c
