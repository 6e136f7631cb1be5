#include <algorithm>
#include <utility>

#include "sim/sim_state.h"
#include "wire/host_config.h"
#include "wire/json.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

constexpr std::string_view kBuiltIn[] = {"bridge", "host", "none"};

bool IsBuiltIn(std::string_view name) {
  return std::find(std::begin(kBuiltIn), std::end(kBuiltIn), name) != std::end(kBuiltIn);
}

SimNetwork BuiltIn(std::string_view name) {
  SimNetwork network;
  network.id = SimIdOf("network " + std::string(name));
  network.name = name;
  network.driver = name == "none" ? "null" : std::string(name);
  return network;
}

bool Wants(const FilterArguments& filters, std::string_view key, const auto& holds) {
  const auto wanted = filters.find(key);
  return wanted == filters.end() || wanted->second.empty() ||
         std::any_of(wanted->second.begin(), wanted->second.end(), holds);
}

bool IsWanted(const SimNetwork& network, const FilterArguments& filters) {
  return Wants(filters, "name",
               [&](const std::string& name) {
                 return network.name.find(name) != std::string::npos;
               }) &&
         Wants(filters, "id", [&](const std::string& id) { return network.id.starts_with(id); }) &&
         Wants(filters, "driver",
               [&](const std::string& driver) { return network.driver == driver; }) &&
         Wants(filters, "label",
               [&](const std::string& label) { return SimLabelIs(network.labels, label); }) &&
         Wants(filters, "type", [&](const std::string& type) {
           return type == (IsBuiltIn(network.name) ? "builtin" : "custom");
         });
}

}  // namespace

bool SimLabelIs(const Labels& labels, const std::string& wanted) {
  const std::size_t equals = wanted.find('=');
  const auto found = labels.find(std::string_view(wanted).substr(0, equals));
  return found != labels.end() &&
         (equals == std::string::npos || found->second == wanted.substr(equals + 1));
}

std::string SimLabels(const Labels& labels) {
  std::string json = "{";
  for (const auto& [key, value] : labels) AppendJsonField(json, key, value);
  return json + "}";
}

std::optional<SimNetwork> SimState::FindNetwork(std::string_view reference) const {
  if (IsBuiltIn(reference)) return BuiltIn(reference);
  for (const SimNetwork& network : networks_) {
    if (network.name == reference || network.id == reference) return network;
  }
  for (const SimNetwork& network : networks_) {
    if (!reference.empty() && network.id.starts_with(reference)) return network;
  }
  return std::nullopt;
}

// With the containers that are up in it, when they are wanted.
std::string SimState::NetworkText(const SimNetwork& network, bool with_containers) const {
  std::string containers = "{";
  for (const auto& [id, container] : containers_) {
    if (!with_containers || !IsUp(container)) continue;
    if (!SimIsIn(container, network.name)) continue;
    AppendJsonKey(containers, id);
    containers += "{\"Name\":" + JsonString(container.name) + "}";
  }
  std::string json = "{";
  AppendJsonField(json, "Name", network.name);
  AppendJsonField(json, "Id", network.id);
  AppendJsonField(json, "Created", FormatTime(network.created));
  AppendJsonField(json, "Scope", "local");
  AppendJsonField(json, "Driver", network.driver);
  json += ",\"IPAM\":" + network.ipam + ",\"Containers\":" + containers + "}";
  json += ",\"Options\":" + network.options + ",\"Labels\":" + SimLabels(network.labels);
  return json + "}";
}

Reply SimState::DispatchNetwork(const SimCall& call) {
  const bool is_post = call.method == "POST";
  if (call.path.size() == 1) {
    return call.method == "GET" ? ListNetworks(call) : SimError(404, "page not found");
  }
  const std::string& reference = call.path[1];
  const std::string verb = call.path.size() > 2 ? call.path[2] : "";
  if (is_post && verb.empty() && reference == "create") return CreateNetwork(call);
  if (is_post && verb.empty() && reference == "prune") return PruneNetworks();
  const std::optional<SimNetwork> network = FindNetwork(reference);
  if (!network) return SimError(404, "network " + reference + " not found");
  if (call.method == "GET" && verb.empty()) {
    return SimJson(200, NetworkText(*network, true) + "\n");
  }
  if (call.method == "DELETE" && verb.empty()) return RemoveNetwork(*network);
  if (is_post && (verb == "connect" || verb == "disconnect")) {
    return ChangeMember(*network, call, verb == "connect");
  }
  return SimError(404, "page not found");
}

Reply SimState::ListNetworks(const SimCall& call) const {
  const auto filters = ParseFilters(QueryText(call.query, "filters"));
  if (!filters.ok()) return SimError(400, "invalid filter");
  if (filters->contains("node")) return SimError(400, "invalid filter 'node'");
  std::vector<SimNetwork> all;
  for (const std::string_view name : kBuiltIn) all.push_back(BuiltIn(name));
  all.insert(all.end(), networks_.begin(), networks_.end());
  std::string json = "[";
  for (const SimNetwork& network : all) {
    if (!IsWanted(network, *filters)) continue;
    if (json.size() > 1) json.push_back(',');
    json.append(NetworkText(network, false));
  }
  return SimJson(200, json + "]\n");
}

Reply SimState::CreateNetwork(const SimCall& call) {
  JsonDocument document;
  if (!document.Parse(call.body).ok()) return SimError(400, "invalid JSON");
  const JsonValue root = document.root();
  SimNetwork network;
  network.name = TextField(root, "Name").value_or("");
  network.driver = TextField(root, "Driver").value_or("");
  network.labels = LabelsField(root, "Labels").value_or(Labels());
  if (network.driver.empty()) network.driver = "bridge";
  if (const JsonValue ipam = root.Find("IPAM")) network.ipam = ipam.raw();
  if (const JsonValue options = root.Find("Options")) network.options = options.raw();
  if (network.name.empty()) return SimError(400, "invalid network name: name is empty");
  if (IsBuiltIn(network.name)) {
    return SimError(403, "operation is not permitted on predefined " + network.name + " network ");
  }
  if (FindNetwork(network.name)) {
    return SimError(409, "network with name " + network.name + " already exists");
  }
  network.id = NewId();
  network.created = Now();
  networks_.push_back(network);
  Emit("network", "create", network.id, {{"name", network.name}, {"type", network.driver}});
  return SimJson(201, "{\"Id\":\"" + network.id + "\",\"Warning\":\"\"}\n");
}

void SimState::EraseNetwork(const SimNetwork& network) {
  std::erase_if(networks_, [&](const SimNetwork& known) { return known.id == network.id; });
  Emit("network", "destroy", network.id, {{"name", network.name}, {"type", network.driver}});
}

Reply SimState::RemoveNetwork(const SimNetwork& network) {
  if (IsBuiltIn(network.name)) {
    return SimError(403, network.name + " is a pre-defined network and cannot be removed");
  }
  for (const auto& [id, container] : containers_) {
    if (!IsUp(container) || !SimIsIn(container, network.name)) continue;
    return SimError(403, "error while removing network: network " + network.name + " id " +
                             network.id + " has active endpoints");
  }
  EraseNetwork(network);
  return SimEmpty(204);
}

Reply SimState::ChangeMember(const SimNetwork& network, const SimCall& call, bool connects) {
  JsonDocument document;
  if (!document.Parse(call.body).ok()) return SimError(400, "invalid JSON");
  const std::string reference = TextField(document.root(), "Container").value_or("");
  SimContainer* const container = Find(reference);
  if (container == nullptr) return SimError(404, "No such container: " + reference);
  const bool is_in = SimIsIn(*container, network.name);
  if (connects) {
    if (is_in) {
      return SimError(403, "endpoint with name " + container->name + " already exists in network " +
                               network.name);
    }
    container->networks.push_back(network.name);
  } else {
    if (!is_in) {
      return SimError(
          403, "container " + container->id + " is not connected to network " + network.name);
    }
    std::erase(container->networks, network.name);
  }
  if (IsUp(*container)) {
    Emit("network", connects ? "connect" : "disconnect", network.id,
         {{"container", container->id}, {"name", network.name}, {"type", network.driver}});
  }
  return SimEmpty(200);
}

Reply SimState::PruneNetworks() {
  std::vector<std::string> names;
  for (const SimNetwork& network : std::vector<SimNetwork>(networks_)) {
    const bool used = std::any_of(containers_.begin(), containers_.end(), [&](const auto& entry) {
      return SimIsIn(entry.second, network.name);
    });
    if (used) continue;
    names.push_back(network.name);
    EraseNetwork(network);
  }
  std::string json = "{\"NetworksDeleted\":";
  AppendJsonStrings(json, names);
  return SimJson(200, json + "}\n");
}

bool SimIsIn(const SimContainer& container, std::string_view network) {
  return std::find(container.networks.begin(), container.networks.end(), network) !=
         container.networks.end();
}

// The network of the mode first; a name or id that nobody knows is kept as it is until the start.
void SimState::TakeNetworks(JsonValue body, SimContainer& container) {
  if (container.network_mode.starts_with("container:")) return;
  const auto add = [&](const std::string& reference) {
    const std::optional<SimNetwork> network =
        FindNetwork(reference == "default" ? std::string("bridge") : reference);
    std::string name = network ? network->name : reference;
    if (!SimIsIn(container, name)) container.networks.push_back(std::move(name));
  };
  add(container.network_mode);
  const JsonValue endpoints = body.Find("NetworkingConfig").Find("EndpointsConfig");
  endpoints.ForEachMember([&](JsonValue key, JsonValue) { add(key.text()); });
}

std::string SimState::EndpointsText(const SimContainer& container) const {
  std::string json = "{";
  for (const std::string& name : container.networks) {
    const std::optional<SimNetwork> network = FindNetwork(name);
    AppendJsonKey(json, name);
    json += "{\"IPAMConfig\":null,\"Links\":null,\"Aliases\":null,\"NetworkID\":\"" +
            (network ? network->id : std::string()) + "\"}";
  }
  return json + "}";
}

std::string SimState::MissingNetwork(const SimContainer& container) const {
  for (const std::string& name : container.networks) {
    if (!FindNetwork(name)) return name;
  }
  return "";
}

}  // namespace swarm
