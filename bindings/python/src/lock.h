// Python's lock (the GIL), errors across the border, and what happens when the interpreter goes.
//
// Rules of the module: whatever may wait or may take a lock of the manager runs WithoutGil, and the
// manager's threads touch Python only inside WithGil.
#pragma once

#include <pybind11/pybind11.h>

#include <exception>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "swarmlib/clock.h"

namespace pyswarm {

namespace py = pybind11;

// Gives the lock away for a scope, on a thread that holds it. Counts the threads that are out, so
// that the end of the interpreter can wait for them to come back.
class WithoutGil {
 public:
  WithoutGil();
  // Python ends a daemon thread that comes back too late by unwinding it.
  ~WithoutGil() noexcept(false);
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

 private:
  PyThreadState* state_;  // null when the interpreter is going: its last thread keeps the lock
};

// Takes the lock for a scope, on any thread; not held when the interpreter is going.
class WithGil {
 public:
  WithGil();
  ~WithGil();
  WithGil(const WithGil&) = delete;
  WithGil& operator=(const WithGil&) = delete;
  bool held() const { return held_; }

 private:
  bool held_;
  PyGILState_STATE state_{};
};

// Starts a thread that runs on its own, with every signal blocked: signals are the program's.
void StartThread(std::function<void()> work);

// True on a thread that is inside of a WithGil: a callable of the user runs, so that nothing may
// wait for the manager.
bool InCallback();

// From now on WithGil takes nothing. Called once, by the module's atexit hook, with the lock held.
void StopCallbacks();
// Threads that are WithoutGil now, the caller not among them when it holds the lock.
int ThreadsOut();
// In the child of a fork only the forking thread is left.
void ForgetThreadsOut();

// Carries a status through pybind11 to its exception in Python.
class StatusError final : public std::exception {
 public:
  explicit StatusError(absl::Status status) : status_(std::move(status)) {}
  const absl::Status& status() const { return status_; }
  const char* what() const noexcept override { return "a status that is not ok"; }

 private:
  absl::Status status_;
};

// With the lock held: StatusError becomes an exception of pyswarm._errors.
void BindErrors();

inline void OkOrRaise(absl::Status status) {
  if (!status.ok()) throw StatusError(std::move(status));
}

template <typename Value>
Value ValueOrRaise(absl::StatusOr<Value> value) {
  if (!value.ok()) throw StatusError(value.status());
  return *std::move(value);
}

// Runs `work` WithoutGil and gives what it returns.
template <typename Work>
auto Unlocked(Work work) {
  const WithoutGil released;
  return work();
}

// Seconds of Python as a Duration; not a number and below zero = 0, inf = as long as there is.
swarm::Duration Seconds(double seconds);

// How long a wait goes on before signals (Ctrl-C) are looked for.
inline constexpr swarm::Duration kSlice = std::chrono::milliseconds(100);

// Calls `wait(duration)` WithoutGil until it says something else than DeadlineExceeded or `timeout`
// is over; then DeadlineExceeded with `late` as its message. Raises what a signal handler raised.
template <typename Wait>
auto InSlices(swarm::Duration timeout, const std::string& late, Wait wait)
    -> decltype(wait(timeout)) {
  const auto is_late = [](const auto& result) {
    if constexpr (requires { result.status(); }) {
      return result.status().code() == absl::StatusCode::kDeadlineExceeded;
    } else {
      return result.code() == absl::StatusCode::kDeadlineExceeded;
    }
  };
  const swarm::TimePoint begin = swarm::SystemClock().Now();
  while (true) {
    const swarm::Duration spent = swarm::SystemClock().Now() - begin;
    const swarm::Duration left = spent < timeout ? timeout - spent : swarm::Duration::zero();
    const swarm::Duration slice = left < kSlice ? left : kSlice;
    const swarm::TimePoint start = swarm::SystemClock().Now();
    auto result = Unlocked([&] { return wait(slice); });
    // One that comes before its time is the answer, not the end of the slice.
    if (!is_late(result) || swarm::SystemClock().Now() - start < slice / 2) return result;
    if (left <= kSlice) return absl::Status(absl::StatusCode::kDeadlineExceeded, late);
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
}

}  // namespace pyswarm
