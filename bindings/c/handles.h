// The living handles. In a debug build (SWARM_CHECK_HANDLES) each is in a list, so that one that
// was freed or is of another kind is found out; in others only NULL is.
#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "bindings/c/guard.h"

namespace swarm::c {

#ifdef SWARM_CHECK_HANDLES
inline constexpr bool kHandlesAreChecked = true;
#else
inline constexpr bool kHandlesAreChecked = false;
#endif

// The kind in words, as swarm.h spells it. Specialised beside each handle by SWARM_HANDLE.
template <typename Handle>
struct KindOf;

void Remember(const void* handle, const char* kind);
// False when it was not there.
bool Forget(const void* handle, const char* kind);
// Empty when it lives; else what is wrong, "was freed already".
std::string Complaint(const void* handle, const char* kind);
// Says on standard error what is wrong with the handle of a call that returns no error.
void Report(const char* call, const char* kind, const std::string& complaint);

// Makes a handle.
template <typename Handle>
Handle* New(Handle&& value) {
  auto* const handle = new Handle(std::forward<Handle>(value));
  if constexpr (kHandlesAreChecked) Remember(handle, KindOf<Handle>::kName);
  return handle;
}

// InvalidArgument that names the handle.
template <typename Handle>
absl::Status CheckHandle(const Handle* handle) {
  const std::string kind = KindOf<Handle>::kName;
  if (handle == nullptr) return MakeStatus(SWARM_INVALID_ARGUMENT, "the " + kind + " is NULL");
  if constexpr (kHandlesAreChecked) {
    const std::string complaint = Complaint(handle, KindOf<Handle>::kName);
    if (!complaint.empty())
      return MakeStatus(SWARM_INVALID_ARGUMENT, "the " + kind + " " + complaint);
  }
  return absl::OkStatus();
}

// For calls that return no error: false for NULL, and, with a report, for a dead handle.
template <typename Handle>
bool IsLive(const Handle* handle, const char* call) {
  if (handle == nullptr) return false;
  if constexpr (kHandlesAreChecked) {
    const std::string complaint = Complaint(handle, KindOf<Handle>::kName);
    if (!complaint.empty()) {
      Report(call, KindOf<Handle>::kName, complaint);
      return false;
    }
  }
  return true;
}

template <typename Handle>
void Free(Handle* handle, const char* call) {
  if (handle == nullptr) return;
  if constexpr (kHandlesAreChecked) {
    if (!Forget(handle, KindOf<Handle>::kName)) {
      Report(call, KindOf<Handle>::kName, Complaint(handle, KindOf<Handle>::kName));
      return;
    }
  }
  delete handle;
}

}  // namespace swarm::c

#define SWARM_HANDLE(type)                      \
  template <>                                   \
  struct swarm::c::KindOf<type> {               \
    static constexpr const char* kName = #type; \
  }

SWARM_HANDLE(swarm_error);
