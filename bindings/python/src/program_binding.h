// swarmd's command line, for pyswarm.__main__.
#pragma once

#include <pybind11/pybind11.h>

namespace pyswarm {

namespace py = pybind11;

// run_program(program, words) -> exit code. On the main thread only, and once: it keeps SIGTERM and
// SIGINT blocked.
void BindProgram(py::module_& module);

}  // namespace pyswarm
