#include <algorithm>
#include <utility>

#include "model/names.h"
#include "sim/sim_state.h"
#include "wire/host_config.h"
#include "wire/json.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

std::string VolumeText(const SimVolume& volume) {
  std::string json = "{";
  AppendJsonField(json, "CreatedAt", FormatTimeSeconds(volume.created));
  AppendJsonField(json, "Driver", "local");
  json += ",\"Labels\":" + (volume.labels.empty() ? "null" : SimLabels(volume.labels));
  AppendJsonField(json, "Mountpoint", "/var/lib/docker/volumes/" + volume.name + "/_data");
  AppendJsonField(json, "Name", volume.name);
  json += ",\"Options\":null";
  AppendJsonField(json, "Scope", "local");
  return json + "}";
}

}  // namespace

Reply SimState::DispatchVolume(const SimCall& call) {
  const bool is_post = call.method == "POST";
  if (call.path.size() == 1) {
    return call.method == "GET" ? ListVolumes(call) : SimError(404, "page not found");
  }
  const std::string& name = call.path[1];
  if (is_post && name == "create") return CreateVolume(call);
  if (is_post && name == "prune") return PruneVolumes(call);
  const auto found = volumes_.find(name);
  if (found == volumes_.end()) {
    if (call.method == "DELETE" && QueryFlag(call.query, "force", false)) return SimEmpty(204);
    return SimError(404, "get " + name + ": no such volume");
  }
  if (call.method == "GET") return SimJson(200, VolumeText(found->second) + "\n");
  if (call.method == "DELETE") return RemoveVolume(found->second);
  return SimError(404, "page not found");
}

std::vector<std::string> SimState::UsersOf(std::string_view volume) const {
  std::vector<std::string> users;
  for (const auto& [id, container] : containers_) {
    for (const auto& [name, destination] : container.volumes) {
      if (name == volume) users.push_back(id);
    }
  }
  return users;
}

bool SimState::FilterTakes(const SimVolume& volume, std::string_view filter,
                           const std::string& value) const {
  if (filter == "name") return volume.name.find(value) != std::string::npos;
  if (filter == "label") return SimLabelIs(volume.labels, value);
  if (filter == "dangling") return UsersOf(volume.name).empty() == ParseBoolean(value);
  return filter == "driver" && value == "local";
}

Reply SimState::ListVolumes(const SimCall& call) const {
  const auto filters = ParseFilters(QueryText(call.query, "filters"));
  if (!filters.ok()) return SimError(400, "invalid filter");
  if (filters->contains("node")) return SimError(400, "invalid filter 'node'");
  std::string json = "{\"Volumes\":[";
  for (const auto& entry : volumes_) {
    const SimVolume& volume = entry.second;
    const bool wanted = std::all_of(filters->begin(), filters->end(), [&](const auto& filter) {
      return std::any_of(filter.second.begin(), filter.second.end(), [&](const std::string& value) {
        return FilterTakes(volume, filter.first, value);
      });
    });
    if (!wanted) continue;
    if (json.back() != '[') json.push_back(',');
    json.append(VolumeText(volume));
  }
  return SimJson(200, json + "],\"Warnings\":null}\n");
}

SimVolume& SimState::AddVolume(std::string name, Labels labels) {
  const auto [known, is_new] = volumes_.try_emplace(name);
  if (!is_new) return known->second;
  known->second = {name, std::move(labels), Now()};
  Emit("volume", "create", name, {{"driver", "local"}});
  return known->second;
}

Reply SimState::CreateVolume(const SimCall& call) {
  JsonDocument document;
  if (!document.Parse(call.body).ok()) return SimError(400, "invalid JSON");
  std::string name = TextField(document.root(), "Name").value_or("");
  if (name.empty()) name = NewId();
  if (!IsContainerName(name)) {
    return SimError(400, "create " + name + ": \"" + name +
                             "\" includes invalid characters for a local volume name");
  }
  Labels labels = LabelsField(document.root(), "Labels").value_or(Labels());
  return SimJson(201, VolumeText(AddVolume(std::move(name), std::move(labels))) + "\n");
}

Reply SimState::RemoveVolume(const SimVolume& volume) {
  const std::vector<std::string> users = UsersOf(volume.name);
  if (!users.empty()) {
    return SimError(409, "remove " + volume.name + ": volume is in use - [" + users.front() + "]");
  }
  const std::string name = volume.name;
  volumes_.erase(name);
  Emit("volume", "destroy", name, {{"driver", "local"}});
  return SimEmpty(204);
}

Reply SimState::PruneVolumes(const SimCall& call) {
  constexpr ApiVersion kKeepsNamed{1, 42};
  const auto filters = ParseFilters(QueryText(call.query, "filters"));
  if (!filters.ok()) return SimError(400, "invalid filter");
  const auto all = filters->find("all");
  if (all != filters->end() && call.version < kKeepsNamed)
    return SimError(400, "invalid filter 'all'");
  const bool named =
      call.version < kKeepsNamed || (all != filters->end() && ParseBoolean(all->second.front()));
  std::vector<std::string> names;
  for (const auto& [name, volume] : std::map<std::string, SimVolume>(volumes_)) {
    if (!UsersOf(name).empty() || (!named && !IsFullId(name))) continue;
    RemoveVolume(volume);
    names.push_back(name);
  }
  std::string json = "{\"VolumesDeleted\":";
  AppendJsonStrings(json, names);
  return SimJson(200, json + ",\"SpaceReclaimed\":0}\n");
}

// Named volumes of a create body, with where they are mounted; they are made if need be.
void SimState::TakeVolumes(JsonValue host_config, SimContainer& container) {
  const auto take = [&](std::string name, std::string destination) {
    if (name.empty() || name.front() == '/') return;
    AddVolume(name, {});
    container.volumes.emplace_back(std::move(name), std::move(destination));
  };
  for (const std::string& bind :
       TextsField(host_config, "Binds").value_or(std::vector<std::string>())) {
    const std::size_t colon = bind.find(':');
    if (colon == std::string::npos) continue;
    const std::string rest = bind.substr(colon + 1);
    take(bind.substr(0, colon), rest.substr(0, rest.find(':')));
  }
  for (const JsonValue mount : host_config.Find("Mounts").elements()) {
    if (mount.Find("Type").Equals("volume"))
      take(mount.Find("Source").text(), mount.Find("Target").text());
  }
}

std::string SimMounts(const SimContainer& container) {
  std::string json = "[";
  for (const auto& [name, destination] : container.volumes) {
    if (json.size() > 1) json.push_back(',');
    json += "{\"Type\":\"volume\",\"Name\":" + JsonString(name) +
            ",\"Source\":" + JsonString("/var/lib/docker/volumes/" + name + "/_data") +
            ",\"Destination\":" + JsonString(destination) + ",\"Driver\":\"local\",\"RW\":true}";
  }
  return json + "]";
}

}  // namespace swarm
