// swarm::Config from the keywords of pyswarm.Manager.
#pragma once

#include <pybind11/pybind11.h>

#include "callables.h"
#include "swarmlib/manager.h"

namespace pyswarm {

// With the lock held. `options` has every key that _manager.py gives; raises TypeError or
// StatusError on what cannot be read. What Python is to be called with stands in `kept`.
swarm::Config ReadConfig(const pybind11::dict& options, Callables& kept);

}  // namespace pyswarm
