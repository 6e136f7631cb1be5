// The wall between C and C++: no exception crosses it, and each failure becomes a code and an error
// object.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "swarmlib/clock.h"
#include "swarmlib/swarm.h"

struct swarm_error {
  swarm_code code = SWARM_UNKNOWN;
  int http_status = 500;
  std::string message;
};

// What a callback says about its failure.
struct swarm_failure {
  std::string message;
};

namespace swarm::c {

// Of the exception being handled; call it in a catch block.
absl::Status StatusOfException();

// Sets *error (when it is wanted) and returns the code; `call` goes before the message.
swarm_code Fail(const char* call, const absl::Status& status, swarm_error** error);

// Marks the thread as being in a callback of the library while it lives.
class InCallback {
 public:
  InCallback() { ++depth_; }
  ~InCallback() { --depth_; }
  InCallback(const InCallback&) = delete;
  InCallback& operator=(const InCallback&) = delete;
  static bool Now() { return depth_ > 0; }

 private:
  static thread_local int depth_;
};

// FailedPrecondition in a callback: for calls that wait.
absl::Status MayWait();

// Runs `work`, which gives an absl::Status, for the C function `call`.
template <typename Work>
swarm_code Guard(const char* call, swarm_error** error, const Work& work) noexcept {
  if (error != nullptr) *error = nullptr;
  try {
    const absl::Status status = work();
    return status.ok() ? SWARM_OK : Fail(call, status, error);
  } catch (...) {
    return Fail(call, StatusOfException(), error);
  }
}

// The same for a call that waits.
template <typename Work>
swarm_code GuardWait(const char* call, swarm_error** error, const Work& work) noexcept {
  return Guard(call, error, [&]() -> absl::Status {
    if (absl::Status may = MayWait(); !may.ok()) return may;
    return work();
  });
}

// Runs a getter; `otherwise` when it throws.
template <typename Value, typename Work>
Value GuardValue(Value otherwise, const Work& work) noexcept {
  try {
    return work();
  } catch (...) {
    return otherwise;
  }
}

// Runs a callback of the caller, which gives a swarm_code, and makes a status of what it says.
// `whose` begins the message: "filter evenness".
template <typename Work>
absl::Status CallBack(std::string_view whose, const Work& work);

absl::Status StatusOfCallback(std::string_view whose, swarm_code code, const swarm_failure& failure,
                              const absl::Status& thrown);

template <typename Work>
absl::Status CallBack(std::string_view whose, const Work& work) {
  const InCallback marked;
  swarm_failure failure;
  swarm_code code = SWARM_INTERNAL;
  absl::Status thrown;
  try {
    code = work(&failure);
    if (code == SWARM_OK) return absl::OkStatus();
  } catch (...) {
    thrown = StatusOfException();
  }
  return StatusOfCallback(whose, code, failure, thrown);
}

// A status of that code; SWARM_OK and numbers that are none become Unknown.
absl::Status MakeStatus(swarm_code code, std::string_view message);

// Below 0 and beyond ten years: ten years.
Duration ToDuration(std::int64_t milliseconds);

// Of a string that must be there: InvalidArgument names it.
absl::Status Wanted(const void* pointer, const char* name);

inline std::string_view OrEmpty(const char* text) {
  return text == nullptr ? std::string_view() : text;
}

// A copy for the caller, in UTF-8, to be freed by swarm_string_free.
char* CopyOut(std::string text);

}  // namespace swarm::c
