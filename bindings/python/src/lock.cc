#include "lock.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <thread>

#include "swarmlib/status.h"

namespace pyswarm {
namespace {

std::atomic<bool> callbacks_stopped{false};
std::atomic<int> threads_out{0};
thread_local int callback_depth = 0;

}  // namespace

WithoutGil::WithoutGil() : state_(nullptr) {
  if (_Py_IsFinalizing()) return;
  ++threads_out;
  state_ = PyEval_SaveThread();
}

WithoutGil::~WithoutGil() noexcept(false) {
  if (state_ == nullptr) return;
  // The interpreter would end this thread in the middle of C++; it may as well wait for the
  // process to end.
  while (_Py_IsFinalizing()) pause();
  PyEval_RestoreThread(state_);
  --threads_out;
}

WithGil::WithGil() : held_(!callbacks_stopped && Py_IsInitialized() && !_Py_IsFinalizing()) {
  if (!held_) return;
  state_ = PyGILState_Ensure();
  ++callback_depth;
}

WithGil::~WithGil() {
  if (!held_) return;
  --callback_depth;
  PyGILState_Release(state_);
}

void StartThread(std::function<void()> work) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread(std::move(work)).detach();
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

bool InCallback() { return callback_depth > 0; }

void StopCallbacks() { callbacks_stopped = true; }
int ThreadsOut() { return threads_out; }
void ForgetThreadsOut() { threads_out = 0; }

void BindErrors() {
  // Never freed: exceptions may be raised until the very end.
  static const py::handle make = [] {
    py::object found = py::module_::import("pyswarm._errors").attr("from_status");
    return found.release();
  }();
  py::register_local_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const StatusError& error) {
      const absl::Status& status = error.status();
      try {
        const py::object raised =
            make(static_cast<int>(status.code()), swarm::HttpStatusOf(status),
                 py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(
                     swarm::MessageOf(status).data(),
                     static_cast<Py_ssize_t>(swarm::MessageOf(status).size()), "replace")));
        PyErr_SetObject(py::type::handle_of(raised).ptr(), raised.ptr());
      } catch (py::error_already_set& python) {
        python.restore();
      }
    }
  });
}

swarm::Duration Seconds(double seconds) {
  constexpr double kMost = 4e9;  // more than a century
  if (!(seconds > 0)) return swarm::Duration::zero();
  return swarm::Duration(static_cast<std::int64_t>(std::fmin(seconds, kMost) * 1e9));
}

}  // namespace pyswarm
