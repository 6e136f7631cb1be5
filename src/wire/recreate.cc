#include "wire/recreate.h"

#include <utility>

#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/json.h"

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;

constexpr std::size_t kShortId = 12;

bool IsOwnNetwork(std::string_view mode) {
  return mode.empty() || mode == "default" || mode == "bridge" || mode == "host" ||
         mode == "none" || mode.starts_with("container:");
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

std::string NetworkingText(JsonValue inspect, std::string_view mode, std::string_view id,
                           std::vector<std::string>& hindrances) {
  if (IsOwnNetwork(mode)) return "{}";
  std::string endpoints = "{";
  std::vector<std::string> names;
  inspect.Find("NetworkSettings").Find("Networks").ForEachMember([&](JsonValue key, JsonValue at) {
    names.push_back(key.text());
    AppendJsonKey(endpoints, key.text());
    endpoints.append(EndpointText(at, id));
  });
  // Engines before API 1.44 take one at create.
  if (names.size() > 1) hindrances.push_back("it is on several networks: " + Join(names, ", "));
  return "{\"EndpointsConfig\":" + endpoints + "}}";
}

}  // namespace

absl::StatusOr<Recreation> ReadRecreation(std::string_view inspect) {
  JsonDocument document;
  if (absl::Status parsed = document.Parse(inspect); !parsed.ok()) return parsed;
  const JsonValue root = document.root();
  const JsonValue config = root.Find("Config");
  const JsonValue host = root.Find("HostConfig");
  const std::string id = root.Find("Id").text();
  if (!config.is(Kind::kObject) || !host.is(Kind::kObject) || id.size() < kShortId)
    return InvalidArgument("the engine's description of a container has no Config or HostConfig");
  Recreation made;
  FindHindrances(root, host, made.hindrances);
  made.platform = PlatformOf(root);
  const std::string networking =
      NetworkingText(root, host.Find("NetworkMode").text(), id, made.hindrances);
  TextEdits edits;
  const JsonValue name = config.Find("Hostname");
  // The engine's own choice: the next one chooses its own.
  if (name && name.text() == id.substr(0, kShortId))
    edits.Replace(name.begin(), name.end(), "null");
  edits.AddMember(config, "\"HostConfig\":" + std::string(host.raw()));
  edits.AddMember(config, "\"NetworkingConfig\":" + networking);
  made.body = edits.Apply(inspect, config.begin(), config.end());
  return made;
}

}  // namespace swarm
