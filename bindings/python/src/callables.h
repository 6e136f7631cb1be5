// What Python gives a manager to call: filters, strategies, discovery, the log.
//
// The callables come from pyswarm/_callbacks.py, which wraps what the user gave: they raise nothing
// and give (True, value) or (False, code, message).
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lock.h"
#include "swarmlib/manager.h"

namespace pyswarm {

// One Python object that a manager's threads may call. It is let go of with the lock held, on
// whichever thread, or left alone when the interpreter is going.
class Callable {
 public:
  // With the lock held, as for each below. `what`: "filter \"evenname\"".
  Callable(std::string what, py::object object);
  ~Callable();
  Callable(const Callable&) = delete;
  Callable& operator=(const Callable&) = delete;

  const std::string& what() const { return what_; }
  // Calls it and takes the answer apart.
  template <typename... Arguments>
  absl::StatusOr<py::object> Call(Arguments&&... arguments) const {
    if (!object_) return Ended();
    try {
      // Kept by the call: another thread may drop it meanwhile.
      const py::object object = object_;
      return TakeApart(object(std::forward<Arguments>(arguments)...));
    } catch (py::error_already_set& error) {
      // Ctrl-C in front of the callable.
      if (error.matches(PyExc_KeyboardInterrupt)) PyErr_SetInterrupt();
      return Failed(error);
    } catch (const std::exception& error) {
      return Failed(error);
    }
  }
  absl::Status Failed(const std::exception& error) const;
  // Tells the collector of the object.
  int Traverse(visitproc visit, void* arg) const {
    Py_VISIT(object_.ptr());
    return 0;
  }
  // Drops the object, so that a manager that is closed keeps nothing alive.
  void Drop();

 private:
  absl::Status Ended() const;
  absl::StatusOr<py::object> TakeApart(const py::object& answer) const;

  const std::string what_;
  py::object object_;
};

// The callables of one manager.
using Callables = std::vector<std::shared_ptr<Callable>>;

// Each takes a dict name -> adapter (see _callbacks.py) and registers its entries; raises when a
// name is taken.
void AddFilters(swarm::Config& config, const py::dict& filters, Callables& kept);
void AddStrategies(swarm::Config& config, const py::dict& strategies, Callables& kept);
void AddDiscovery(swarm::Config& config, const py::dict& schemes, Callables& kept);
void SetLog(swarm::Config& config, const py::object& log, Callables& kept);

// What went wrong in a predicate or a strategy on this thread since the last time; these can tell
// nothing to the scheduler but that a node does not fit.
absl::Status TakeSilentFailure();

// The classes that the callables are given.
void BindCallables(py::module_& module);

}  // namespace pyswarm
