#include "program.h"  // of examples/swarmd

#include <pybind11/stl.h>

#include <cstdio>
#include <string>
#include <vector>

#include "program_binding.h"

namespace pyswarm {

void BindProgram(py::module_& module) {
  module.def(
      "run_program",
      [](const std::string& program, const std::vector<std::string>& words) {
        int code = 0;
        {
          const py::gil_scoped_release unlocked;
          code = swarmd::RunProgram(program, words);
          std::fflush(stdout);
        }
        return code;
      },
      py::arg("program"), py::arg("words"));
}

}  // namespace pyswarm
