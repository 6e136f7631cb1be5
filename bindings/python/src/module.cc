// pyswarm._core: the library for the Python code beside it. Users import pyswarm.
#include <pybind11/pybind11.h>

#include "callables.h"
#include "exchange.h"
#include "lock.h"
#include "manager.h"
#include "program_binding.h"
#include "ready.h"
#include "swarmlib/version.h"

namespace py = pybind11;

namespace {

constexpr char kSubinterpreter[] =
    "pyswarm cannot be imported in a subinterpreter: use it in the main interpreter, or in a "
    "process of its own";

// The threads of managers know one interpreter only, and the end of another would close them.
bool IsMainInterpreter() { return PyInterpreterState_Get() == PyInterpreterState_Main(); }

void Fill(py::module_& module) {
  module.doc() = "The compiled part of pyswarm; its names may change. Import pyswarm instead.";
  module.attr("__version__") = std::string(swarm::Version());
  module.attr("newest_api_version") = std::string(swarm::NewestApiVersion());
  module.attr("oldest_api_version") = std::string(swarm::OldestApiVersion());
  pyswarm::BindErrors();
  pyswarm::BindCallables(module);
  pyswarm::BindExchange(module);
  pyswarm::BindManager(module);
  pyswarm::BindProgram(module);
  pyswarm::BindReady(module);
  // Python takes the module from the main interpreter without making it anew.
  module.def("check_interpreter", [] {
    if (!IsMainInterpreter()) throw py::import_error(kSubinterpreter);
  });
}

}  // namespace

// As PYBIND11_MODULE makes it, but before anything of pybind11 exists in a subinterpreter.
extern "C" PYBIND11_EXPORT PyObject* PyInit__core();
PyObject* PyInit__core() {
  if (!IsMainInterpreter()) {
    PyErr_SetString(PyExc_ImportError, kSubinterpreter);
    return nullptr;
  }
  PYBIND11_CHECK_PYTHON_VERSION
  PYBIND11_ENSURE_INTERNALS_READY
  static py::module_::module_def definition;
  auto module = py::module_::create_extension_module("_core", nullptr, &definition);
  try {
    Fill(module);
    return module.ptr();
  }
  PYBIND11_CATCH_INIT_EXCEPTIONS
}
