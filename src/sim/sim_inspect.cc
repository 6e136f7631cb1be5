#include <utility>

#include "base/text.h"
#include "sim/sim_state.h"
#include "wire/containers.h"
#include "wire/json.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

constexpr const char* kZeroTime = "0001-01-01T00:00:00Z";

std::string TimeText(WallTime time) { return time == WallTime{} ? kZeroTime : FormatTime(time); }

std::string PortKey(const PortBinding& port) {
  return std::to_string(port.container_port) + "/" + port.protocol;
}

// A port on every address is shown once for each family.
std::vector<std::string> ShownIps(const PortBinding& port) {
  if (port.host_ip.empty()) return {"0.0.0.0", "::"};
  return {port.host_ip};
}

// {"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}],"443/tcp":null}
std::string PortMap(const SimContainer& container) {
  if (!IsUp(container)) return "{}";
  std::map<std::string, std::string> lists;
  for (const PortBinding& port : container.exposed) lists[PortKey(port)];
  for (const PortBinding& port : container.bound) {
    std::string& list = lists[PortKey(port)];
    for (const std::string& ip : ShownIps(port)) {
      list.append(list.empty() ? "" : ",")
          .append("{\"HostIp\":" + JsonString(ip) + ",\"HostPort\":\"" +
                  std::to_string(port.host_first) + "\"}");
    }
  }
  std::string json = "{";
  for (const auto& [key, list] : lists) {
    AppendJsonKey(json, key);
    json.append(list.empty() ? "null" : "[" + list + "]");
  }
  return json + "}";
}

std::string PortRows(const SimContainer& container) {
  std::string json = "[";
  if (!IsUp(container)) return "[]";
  const auto add = [&json](const std::string& object) {
    json.append(json.size() > 1 ? "," : "").append(object);
  };
  StringSet bound;
  for (const PortBinding& port : container.bound) {
    bound.insert(PortKey(port));
    for (const std::string& ip : ShownIps(port)) {
      add("{\"IP\":" + JsonString(ip) + ",\"PrivatePort\":" + std::to_string(port.container_port) +
          ",\"PublicPort\":" + std::to_string(port.host_first) + ",\"Type\":\"" + port.protocol +
          "\"}");
    }
  }
  for (const PortBinding& port : container.exposed) {
    if (bound.contains(PortKey(port)) || container.network_mode == "host") continue;
    add("{\"PrivatePort\":" + std::to_string(port.container_port) + ",\"Type\":\"" + port.protocol +
        "\"}");
  }
  return json + "]";
}

std::string LabelsText(const Labels& labels) {
  std::string json = "{";
  for (const auto& [key, value] : labels) AppendJsonField(json, key, value);
  return json + "}";
}

void AppendRaw(std::string& json, std::string_view key, std::string_view value) {
  AppendJsonKey(json, key);
  json.append(value);
}

std::string StateText(const SimContainer& container) {
  std::string json = "{";
  AppendJsonField(json, "Status", ContainerStateName(container.state));
  AppendJsonField(json, "Running", IsUp(container));
  AppendJsonField(json, "Paused", container.state == ContainerState::kPaused);
  AppendJsonField(json, "Restarting", false);
  AppendJsonField(json, "OOMKilled", false);
  AppendJsonField(json, "Dead", false);
  AppendJsonField(json, "Pid", IsUp(container) ? 1000 + static_cast<int>(container.order) : 0);
  AppendJsonField(json, "ExitCode", container.exit_code);
  AppendJsonField(json, "Error", container.error);
  AppendJsonField(json, "StartedAt", TimeText(container.started));
  AppendJsonField(json, "FinishedAt", TimeText(container.finished));
  return json + "}";
}

// `json` (an object) with a member added unless it is there.
std::string WithMember(const std::string& json, std::string_view key, const std::string& value) {
  JsonDocument document;
  if (!document.Parse(json).ok() || !document.root().Find(key).absent()) return json;
  TextEdits edits;
  const JsonValue old = document.root().Find(key);
  if (old) {
    edits.Replace(old.begin(), old.end(), value);
  } else {
    edits.AddMember(document.root(), JsonString(key) + ":" + value);
  }
  return edits.Apply(json, 0, json.size());
}

std::string ExposedText(const SimContainer& container) {
  std::string json = "{";
  for (const PortBinding& port : container.exposed) AppendRaw(json, PortKey(port), "{}");
  return json + "}";
}

}  // namespace

bool OnBridge(const SimContainer& container) {
  return container.network_mode == "default" || container.network_mode == "bridge";
}

Container SimState::ModelOf(const SimContainer& container) const {
  Container model;
  model.state = container.state;
  model.exit_code = container.exit_code;
  model.started_at = container.started;
  model.finished_at = container.finished;
  return model;
}

std::string SimState::Row(const SimContainer& container) const {
  std::string json = "{";
  AppendJsonField(json, "Id", container.id);
  AppendRaw(json, "Names", "[" + JsonString("/" + container.name) + "]");
  AppendJsonField(json, "Image", container.image);
  AppendJsonField(json, "ImageID", container.image_id);
  AppendJsonField(json, "Command", Join(container.arguments, " "));
  AppendJsonField(json, "Created", container.created.time_since_epoch().count() / 1'000'000'000);
  AppendRaw(json, "Ports", PortRows(container));
  AppendRaw(json, "Labels", LabelsText(container.labels));
  AppendJsonField(json, "State", ContainerStateName(container.state));
  AppendJsonField(json, "Status", StatusText(ModelOf(container), NodeState::kHealthy, Now()));
  AppendRaw(json, "HostConfig", "{\"NetworkMode\":" + JsonString(container.network_mode) + "}");
  AppendRaw(json, "NetworkSettings", "{\"Networks\":" + EndpointsText(container) + "}");
  AppendRaw(json, "Mounts", SimMounts(container));
  return json + "}";
}

Reply SimState::Inspect(const SimContainer& container) const {
  std::string json = "{";
  AppendJsonField(json, "Id", container.id);
  AppendJsonField(json, "Created", FormatTime(container.created));
  AppendJsonField(json, "Path",
                  container.arguments.empty() ? std::string() : container.arguments.front());
  std::vector<std::string> rest(container.arguments.begin() + (container.arguments.empty() ? 0 : 1),
                                container.arguments.end());
  AppendJsonKey(json, "Args");
  AppendJsonStrings(json, rest);
  AppendRaw(json, "State", StateText(container));
  AppendJsonField(json, "Image", container.image_id);
  AppendJsonField(json, "Name", "/" + container.name);
  AppendJsonField(json, "RestartCount", 0);
  AppendJsonField(json, "Driver", "overlay2");
  AppendJsonField(json, "Platform", "linux");
  std::vector<std::string> running;
  for (const std::string& id : container.execs) {
    const auto found = execs_.find(id);
    if (found != execs_.end() && (found->second.running || !found->second.started))
      running.push_back(id);
  }
  AppendJsonKey(json, "ExecIDs");
  if (running.empty()) {
    json.append("null");
  } else {
    AppendJsonStrings(json, running);
  }
  const std::string logged =
      WithMember(container.host_config, "LogConfig", R"({"Type":"json-file","Config":{}})");
  AppendRaw(json, "HostConfig",
            WithMember(logged, "NetworkMode", JsonString(container.network_mode)));
  AppendRaw(json, "Mounts", SimMounts(container));
  std::string config = WithMember(container.config, "Hostname", JsonString(container.host_name));
  if (!container.exposed.empty())
    config = WithMember(config, "ExposedPorts", ExposedText(container));
  AppendRaw(json, "Config", config);
  AppendRaw(json, "NetworkSettings",
            "{\"Bridge\":\"\",\"Ports\":" + PortMap(container) +
                ",\"Networks\":" + EndpointsText(container) + "}");
  return SimJson(200, json + "}\n");
}

}  // namespace swarm
