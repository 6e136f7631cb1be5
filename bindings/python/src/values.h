// The library's values as plain Python ones; pyswarm/_values.py makes its dataclasses of them.
#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <string_view>
#include <vector>

#include "swarmlib/cluster.h"
#include "swarmlib/model.h"

namespace pyswarm {

namespace py = pybind11;

// With the lock held, each. Bytes that are not UTF-8 become U+FFFD.
py::str Text(std::string_view text);
py::list Texts(const std::vector<std::string>& texts);
py::dict LabelDict(const swarm::Labels& labels);
py::tuple ResourcesTuple(const swarm::Resources& resources);  // nano_cpus, memory
py::dict NodeDict(const swarm::Node& node);
py::dict ContainerDict(const swarm::Container& container);
py::dict ImageDict(const swarm::Image& image);
py::dict SpecDict(const swarm::ContainerSpec& spec);
py::dict ExplanationDict(const swarm::Explanation& explanation);

// A list or tuple of str. TypeError names `what` otherwise.
std::vector<std::string> StringVector(const py::handle& given, const char* what);

}  // namespace pyswarm
