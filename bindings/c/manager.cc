#include "bindings/c/manager.h"

#include <unistd.h>

#include <utility>

#include "bindings/c/options.h"
#include "swarmlib/status.h"

namespace swarm::c {

absl::Status CheckProcess(pid_t process) {
  if (process == ::getpid()) return absl::OkStatus();
  return FailedPrecondition(
      "the handle was made before a fork, by the parent: its threads are not in this process; open "
      "a manager of its own here");
}

absl::Status Usable(const swarm_manager* manager) {
  if (absl::Status live = CheckHandle(manager); !live.ok()) return live;
  return CheckProcess(manager->process);
}

}  // namespace swarm::c

using namespace swarm::c;

swarm_code swarm_manager_open(const swarm_options* options, swarm_manager** manager,
                              swarm_error** error) {
  if (manager != nullptr) *manager = nullptr;
  return GuardWait("swarm_manager_open", error, [&]() -> absl::Status {
    if (absl::Status wanted = Wanted(manager, "manager"); !wanted.ok()) return wanted;
    OwnedList owned;
    swarm::Config config;
    if (absl::Status read = ReadOptions(options, config, owned); !read.ok()) return read;
    absl::StatusOr<std::unique_ptr<swarm::Manager>> opened =
        swarm::Manager::Open(std::move(config));
    if (!opened.ok()) return opened.status();
    *manager = New(swarm_manager{std::move(owned), *std::move(opened), ::getpid()});
    for (const OwnedPointer& each : (*manager)->owned) each->Take();
    return absl::OkStatus();
  });
}

swarm_code swarm_manager_serve(swarm_manager* manager, swarm_error** error) {
  return GuardWait("swarm_manager_serve", error, [&]() -> absl::Status {
    if (absl::Status usable = Usable(manager); !usable.ok()) return usable;
    return manager->manager->Serve();
  });
}

swarm_code swarm_manager_addresses(swarm_manager* manager, swarm_strings** addresses,
                                   swarm_error** error) {
  if (addresses != nullptr) *addresses = nullptr;
  return GuardWait("swarm_manager_addresses", error, [&]() -> absl::Status {
    if (absl::Status usable = Usable(manager); !usable.ok()) return usable;
    if (absl::Status wanted = Wanted(addresses, "addresses"); !wanted.ok()) return wanted;
    *addresses = New(swarm_strings{manager->manager->addresses()});
    return absl::OkStatus();
  });
}

swarm_code swarm_manager_wait_ready(swarm_manager* manager, int64_t timeout_ms,
                                    swarm_error** error) {
  return GuardWait("swarm_manager_wait_ready", error, [&]() -> absl::Status {
    if (absl::Status usable = Usable(manager); !usable.ok()) return usable;
    return manager->manager->WaitReady(ToDuration(timeout_ms));
  });
}

swarm_code swarm_manager_run(swarm_manager* manager, swarm_error** error) {
  return GuardWait("swarm_manager_run", error, [&]() -> absl::Status {
    if (absl::Status usable = Usable(manager); !usable.ok()) return usable;
    return manager->manager->Run();
  });
}

swarm_code swarm_manager_close(swarm_manager* manager, int64_t grace_ms, swarm_error** error) {
  return GuardWait("swarm_manager_close", error, [&]() -> absl::Status {
    if (absl::Status usable = Usable(manager); !usable.ok()) return usable;
    manager->manager->Close(ToDuration(grace_ms));
    return absl::OkStatus();
  });
}

void swarm_manager_free(swarm_manager* manager) {
  constexpr char kCall[] = "swarm_manager_free";
  if (!IsLive(manager, kCall)) return;
  if (InCallback::Now()) {
    Report(kCall, "swarm_manager", "cannot be freed in a callback of the library: it stays open");
    return;
  }
  // What is the parent's cannot be ended here.
  if (!CheckProcess(manager->process).ok()) {
    static_cast<void>(manager->manager.release());
    static_cast<void>(new OwnedList(std::move(manager->owned)));
  }
  Free(manager, kCall);
}

size_t swarm_strings_count(const swarm_strings* strings) {
  return IsLive(strings, "swarm_strings_count") ? strings->strings.size() : 0;
}
const char* swarm_strings_at(const swarm_strings* strings, size_t index) {
  if (!IsLive(strings, "swarm_strings_at") || index >= strings->strings.size()) return nullptr;
  return strings->strings[index].c_str();
}
void swarm_strings_free(swarm_strings* strings) { Free(strings, "swarm_strings_free"); }
