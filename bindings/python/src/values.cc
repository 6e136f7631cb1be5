#include "values.h"

#include <chrono>

namespace pyswarm {
namespace {

double UnixSeconds(swarm::WallTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

py::list Expressions(const std::vector<swarm::Expression>& expressions) {
  py::list list;
  for (const swarm::Expression& expression : expressions) list.append(Text(expression.text));
  return list;
}

py::list Ports(const std::vector<swarm::PortBinding>& ports) {
  py::list list;
  for (const swarm::PortBinding& port : ports) {
    py::dict one;
    one["host_ip"] = Text(port.host_ip);
    one["host_first"] = port.host_first;
    one["host_last"] = port.host_last;
    one["container_port"] = port.container_port;
    one["protocol"] = Text(port.protocol);
    list.append(std::move(one));
  }
  return list;
}

py::dict PlacementDict(const swarm::Placement& placement) {
  py::dict dict;
  dict["address"] = Text(placement.node);
  dict["node"] = Text(placement.node_name);
  dict["weight"] = placement.weight;
  dict["soft_dropped"] = placement.soft_dropped;
  return dict;
}

}  // namespace

py::str Text(std::string_view text) {
  PyObject* made =
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
  if (made == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(made);
}

py::list Texts(const std::vector<std::string>& texts) {
  py::list list;
  for (const std::string& text : texts) list.append(Text(text));
  return list;
}

py::dict LabelDict(const swarm::Labels& labels) {
  py::dict dict;
  for (const auto& [key, value] : labels) dict[Text(key)] = Text(value);
  return dict;
}

py::tuple ResourcesTuple(const swarm::Resources& resources) {
  return py::make_tuple(resources.nano_cpus, resources.memory);
}

py::dict NodeDict(const swarm::Node& node) {
  py::dict dict;
  dict["address"] = Text(node.address);
  dict["id"] = Text(node.id);
  dict["name"] = Text(node.name);
  dict["ip"] = Text(node.ip);
  dict["state"] = Text(swarm::NodeStateName(node.state));
  dict["error"] = Text(node.error);
  dict["failures"] = node.failures;
  dict["cordoned"] = node.cordoned;
  dict["total"] = ResourcesTuple(node.total);
  dict["labels"] = LabelDict(node.labels);
  dict["engine_version"] = Text(node.engine_version);
  dict["api_version"] = Text(node.api_version);
  dict["os"] = Text(node.os);
  dict["architecture"] = Text(node.architecture);
  dict["kernel_version"] = Text(node.kernel_version);
  dict["operating_system"] = Text(node.operating_system);
  return dict;
}

py::dict ContainerDict(const swarm::Container& container) {
  py::dict dict;
  dict["id"] = Text(container.id);
  dict["names"] = Texts(container.names);
  dict["image"] = Text(container.image);
  dict["command"] = Text(container.command);
  dict["state"] = Text(swarm::ContainerStateName(container.state));
  dict["labels"] = LabelDict(container.labels);
  dict["created"] = UnixSeconds(container.created);
  dict["nano_cpus"] = container.request.nano_cpus;
  dict["memory"] = container.request.memory;
  return dict;
}

py::dict ImageDict(const swarm::Image& image) {
  py::dict dict;
  dict["id"] = Text(image.id);
  dict["tags"] = Texts(image.repo_tags);
  dict["digests"] = Texts(image.repo_digests);
  dict["labels"] = LabelDict(image.labels);
  dict["size"] = image.size;
  return dict;
}

py::dict SpecDict(const swarm::ContainerSpec& spec) {
  py::dict dict;
  dict["name"] = Text(spec.name);
  dict["image"] = Text(spec.image);
  dict["labels"] = LabelDict(spec.labels);
  dict["constraints"] = Expressions(spec.constraints);
  dict["affinities"] = Expressions(spec.affinities);
  dict["whitelists"] = Expressions(spec.whitelists);
  dict["nano_cpus"] = spec.request.nano_cpus;
  dict["memory"] = spec.request.memory;
  dict["ports"] = Ports(spec.ports);
  dict["host_network"] = spec.host_network;
  dict["exposed"] = Ports(spec.exposed);
  dict["volumes_from"] = Texts(spec.volumes_from);
  dict["links"] = Texts(spec.links);
  dict["joined"] = Texts(spec.joined);
  dict["platform"] = Text(spec.platform);
  return dict;
}

py::dict ExplanationDict(const swarm::Explanation& explanation) {
  py::dict dict;
  dict["chosen"] = explanation.chosen ? py::object(PlacementDict(*explanation.chosen)) : py::none();
  py::list candidates;
  for (const swarm::Placement& placement : explanation.candidates)
    candidates.append(PlacementDict(placement));
  dict["candidates"] = std::move(candidates);
  py::list refused;
  for (const swarm::NodeReason& reason : explanation.refused)
    refused.append(py::make_tuple(Text(reason.node), Text(reason.reason)));
  dict["refused"] = std::move(refused);
  dict["summary"] = Text(explanation.summary);
  return dict;
}

std::vector<std::string> StringVector(const py::handle& given, const char* what) {
  if (!py::isinstance<py::list>(given) && !py::isinstance<py::tuple>(given))
    throw py::type_error(std::string(what) + " must be a list of str");
  std::vector<std::string> strings;
  for (const py::handle item : given) {
    if (!py::isinstance<py::str>(item))
      throw py::type_error(std::string(what) + " must be a list of str");
    strings.push_back(item.cast<std::string>());
  }
  return strings;
}

}  // namespace pyswarm
