// pyswarm._core: the library for the Python code beside it. Users import pyswarm.
#include <pybind11/pybind11.h>

#include "callables.h"
#include "exchange.h"
#include "lock.h"
#include "manager.h"
#include "program_binding.h"
#include "swarmlib/version.h"

PYBIND11_MODULE(_core, module) {
  module.doc() = "The compiled part of pyswarm; its names may change. Import pyswarm instead.";
  module.attr("__version__") = std::string(swarm::Version());
  module.attr("newest_api_version") = std::string(swarm::NewestApiVersion());
  module.attr("oldest_api_version") = std::string(swarm::OldestApiVersion());
  pyswarm::BindErrors();
  pyswarm::BindCallables(module);
  pyswarm::BindExchange(module);
  pyswarm::BindManager(module);
  pyswarm::BindProgram(module);
}
