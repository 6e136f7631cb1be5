// swarm::Manager for pyswarm._manager.
#pragma once

#include <pybind11/pybind11.h>

namespace pyswarm {

// Adds the class Manager, close_all (for atexit) and after_fork.
void BindManager(pybind11::module_& module);

}  // namespace pyswarm
