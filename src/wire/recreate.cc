#include "wire/recreate.h"

#include <iterator>
#include <utility>

#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/host_config.h"
#include "wire/json.h"

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;

constexpr std::size_t kShortId = 12;

bool IsOwnNetwork(std::string_view mode) {
  return mode.empty() || mode == "default" || mode == "bridge" || mode == "host" ||
         mode == "none" || mode.starts_with("container:");
}

// "web" of "/web", of "/web:/here/web" and of "web:ro".
std::string WithoutAlias(const std::string& reference) {
  const std::size_t begin = reference.starts_with('/') ? 1 : 0;
  return reference.substr(begin, reference.find(':') - begin);
}

void FindNeeds(JsonValue host, std::vector<std::string>& to) {
  for (const char* field : {"NetworkMode", "IpcMode", "PidMode", "UTSMode"}) {
    const std::string joined = JoinedContainer(host.Find(field).text());
    if (!joined.empty()) to.push_back(WithoutAlias(joined));
  }
  for (const char* field : {"Links", "VolumesFrom"}) {
    host.Find(field).ForEachElement(
        [&to](JsonValue other) { to.push_back(WithoutAlias(other.text())); });
  }
}

void NoteState(JsonValue inspect, Recreation& to) {
  const JsonValue state = inspect.Find("State");
  const std::string status = state.Find("Status").text();
  to.is_paused = state.Find("Paused").boolean();
  to.is_restarting = state.Find("Restarting").boolean();
  to.is_up = state.Find("Running").boolean() || to.is_paused || to.is_restarting;
  to.is_dead = state.Find("Dead").boolean() || status == "dead" || status == "removing";
  to.is_unstarted = status == "created" && !to.is_up;
  to.exit_code = static_cast<int>(state.Find("ExitCode").integer().value_or(0));
}

void FindHindrances(JsonValue inspect, JsonValue host, std::vector<std::string>& to) {
  if (host.Find("AutoRemove").boolean()) to.emplace_back("it is removed when it stops");
  for (const char* field : {"NetworkMode", "IpcMode", "PidMode", "UTSMode"}) {
    if (host.Find(field).text().starts_with("container:"))
      to.push_back(std::string("its ") + field + " is another container's");
  }
  for (const char* field : {"Links", "VolumesFrom"}) {
    if (!host.Find(field).elements().empty())
      to.push_back(std::string("it has ") + field + " of other containers");
  }
  inspect.Find("Mounts").ForEachElement([&to](JsonValue mount) {
    if (mount.Find("Type").text() == "volume")
      to.push_back("its volume " + mount.Find("Name").text() + " stays on the node");
  });
}

// "linux/amd64" of API 1.41 and newer is only "linux" in inspect: no architecture, so no wish.
std::string PlatformOf(JsonValue inspect) {
  const std::string platform = inspect.Find("Platform").text();
  return platform.find('/') == std::string::npos ? std::string() : platform;
}

// What was asked for at one network; addresses that the engine gave are left out.
std::string EndpointText(JsonValue endpoint, std::string_view id) {
  std::vector<std::string> aliases;
  endpoint.Find("Aliases").ForEachElement([&](JsonValue alias) {
    if (alias.text() != id.substr(0, kShortId)) aliases.push_back(alias.text());
  });
  std::string json = "{";
  AppendJsonKey(json, "Aliases");
  AppendJsonStrings(json, aliases);
  for (const char* field : {"IPAMConfig", "Links", "DriverOpts"}) {
    const JsonValue value = endpoint.Find(field);
    if (value.absent()) continue;
    AppendJsonKey(json, field);
    json.append(value.raw());
  }
  return json + "}";
}

// What "default" and "" mean.
std::string NetworkOf(std::string_view mode) {
  if (mode.empty() || mode == "default") return "bridge";
  return std::string(mode);
}

std::string NetworkingText(JsonValue inspect, std::string_view mode, std::string_view id,
                           std::vector<std::string>& hindrances) {
  const bool is_joined = mode.starts_with("container:");
  const JsonValue networks = inspect.Find("NetworkSettings").Find("Networks");
  const std::string wanted = NetworkOf(mode);
  std::string endpoints = "{";
  std::vector<std::string> names;
  bool is_wanted = is_joined;
  networks.ForEachMember([&](JsonValue key, JsonValue at) {
    const std::string network = at.Find("NetworkID").text();
    names.push_back(key.text());
    if (key.text() == wanted || (wanted.size() >= kShortId && network.starts_with(wanted))) {
      is_wanted = true;
    }
    AppendJsonKey(endpoints, key.text());
    endpoints.append(EndpointText(at, id));
  });
  // Engines before API 1.44 take one at create.
  if (names.size() > 1) {
    hindrances.push_back("it is on several networks: " + Join(names, ", "));
  } else if (names.size() == 1 && !is_wanted) {
    hindrances.push_back("it is on the network " + names.front() + ", and was created on " +
                         wanted);
  } else if (networks.is(Kind::kObject) && names.empty() && !is_joined && wanted != "none" &&
             wanted != "host") {
    hindrances.push_back("it is on no network any more, and was created on " + wanted);
  }
  if (IsOwnNetwork(mode)) return "{}";
  return "{\"EndpointsConfig\":" + endpoints + "}}";
}

// A name that the engine gave, or that the host has: the next one gets its own.
void LeaveHostName(JsonValue config, JsonValue host, std::string_view id,
                   std::string_view node_name, TextEdits& edits) {
  const JsonValue name = config.Find("Hostname");
  const JsonValue domain = config.Find("Domainname");
  const auto leave = [&edits](JsonValue field) {
    if (!field.absent()) edits.Replace(field.begin(), field.end(), "null");
  };
  if (name && name.text() == id.substr(0, kShortId)) leave(name);
  std::string whole = name.text();
  if (!domain.text().empty()) whole += "." + domain.text();
  const bool is_hosts =
      host.Find("UTSMode").text() == "host" || (host.Find("NetworkMode").text() == "host" &&
                                                (name.text() == node_name || whole == node_name));
  if (!is_hosts || name.text() == id.substr(0, kShortId)) return;
  leave(name);
  leave(domain);
}

void AddLabels(JsonValue config, std::string_view id, bool was_up, TextEdits& edits) {
  const JsonValue labels = config.Find("Labels");
  const std::string values[] = {JsonString(id), was_up ? "\"true\"" : "\"false\""};
  const std::string_view keys[] = {kMovedFromLabel, kMovedRunningLabel};
  std::string members;
  for (std::size_t at = 0; at < std::size(keys); ++at) {
    const std::string member = JsonString(keys[at]) + ":" + values[at];
    const JsonValue old = labels.Find(keys[at]);
    if (old) {
      edits.Replace(old.begin(), old.end(), values[at]);
    } else if (labels.is(Kind::kObject)) {
      edits.AddMember(labels, member);
    } else {
      members += (members.empty() ? "" : ",") + member;
    }
  }
  if (labels.is(Kind::kObject)) return;
  if (labels) {
    edits.Replace(labels.begin(), labels.end(), "{" + members + "}");
  } else {
    edits.AddMember(config, "\"Labels\":{" + members + "}");
  }
}

}  // namespace

absl::StatusOr<Recreation> ReadRecreation(std::string_view inspect, std::string_view node_name) {
  JsonDocument document;
  if (absl::Status parsed = document.Parse(inspect); !parsed.ok()) return parsed;
  const JsonValue root = document.root();
  const JsonValue config = root.Find("Config");
  const JsonValue host = root.Find("HostConfig");
  const std::string id = root.Find("Id").text();
  if (!config.is(Kind::kObject) || !host.is(Kind::kObject) || id.size() < kShortId)
    return InvalidArgument("the engine's description of a container has no Config or HostConfig");
  Recreation made;
  NoteState(root, made);
  made.name = root.Find("Name").text();
  if (made.name.starts_with('/')) made.name.erase(0, 1);
  made.image = root.Find("Image").text();
  FindHindrances(root, host, made.hindrances);
  FindNeeds(host, made.needs);
  made.platform = PlatformOf(root);
  const std::string networking =
      NetworkingText(root, host.Find("NetworkMode").text(), id, made.hindrances);
  TextEdits edits;
  LeaveHostName(config, host, id, node_name, edits);
  AddLabels(config, id, made.is_up, edits);
  edits.AddMember(config, "\"HostConfig\":" + std::string(host.raw()));
  edits.AddMember(config, "\"NetworkingConfig\":" + networking);
  made.body = edits.Apply(inspect, config.begin(), config.end());
  return made;
}

}  // namespace swarm
