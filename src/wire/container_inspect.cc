#include "base/text.h"
#include "model/names.h"
#include "swarmlib/status.h"
#include "wire/container_parts.h"
#include "wire/containers.h"
#include "wire/host_config.h"
#include "wire/inspect_editor.h"
#include "wire/json.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;

// Engines below API 1.21 give no Status, only flags.
ContainerState StateOf(JsonValue state, const Container& container) {
  if (const auto named = ParseContainerState(state.Find("Status").text())) return *named;
  if (state.Find("Paused").boolean()) return ContainerState::kPaused;
  if (state.Find("Restarting").boolean()) return ContainerState::kRestarting;
  if (state.Find("Running").boolean()) return ContainerState::kRunning;
  if (state.Find("Dead").boolean()) return ContainerState::kDead;
  return container.started_at == WallTime{} ? ContainerState::kCreated : ContainerState::kExited;
}

void ReadState(JsonValue state, Container& container) {
  container.started_at = ParseTime(state.Find("StartedAt").text()).value_or(WallTime{});
  container.finished_at = ParseTime(state.Find("FinishedAt").text()).value_or(WallTime{});
  container.state = StateOf(state, container);
  container.exit_code = static_cast<int>(state.Find("ExitCode").integer().value_or(0));
  container.error = state.Find("Error").text();
  const JsonValue health = state.Find("Health");
  container.has_health = health.is(Kind::kObject);
  container.health = health.Find("Status").text();
  // The engine's own words for a check without a result.
  if (container.has_health && container.health.empty()) container.health = "unhealthy";
}

absl::Status ReadHostConfig(JsonValue inspect, const CreateRules& rules, const Node& node,
                            Container& container) {
  const JsonValue host = inspect.Find("HostConfig");
  const JsonValue config = inspect.Find("Config");
  absl::StatusOr<Resources> request = ReadHeldResources(host, rules, node);
  if (!request.ok()) return request.status();
  absl::StatusOr<std::vector<PortBinding>> wanted = ReadPortBindings(host.Find("PortBindings"));
  if (!wanted.ok()) return wanted.status();
  absl::StatusOr<std::vector<PortBinding>> exposed = ReadExposedPorts(config.Find("ExposedPorts"));
  if (!exposed.ok()) return exposed.status();
  container.request = *request;
  if (const std::string mode = host.Find("NetworkMode").text(); !mode.empty())
    container.network_mode = mode;
  container.wanted_ports.clear();
  if (container.network_mode != "host" && container.network_mode != "none") {
    container.wanted_ports = *std::move(wanted);
  }
  container.exposed_ports = *std::move(exposed);
  return absl::OkStatus();
}

std::string NodeObject(const Node& node) {
  std::string json = "{";
  AppendJsonField(json, "ID", node.id);
  AppendJsonField(json, "IP", node.ip);
  AppendJsonField(json, "Addr", node.address);
  AppendJsonField(json, "Name", node.name);
  AppendJsonField(json, "Cpus", node.total.nano_cpus / 1'000'000'000);
  AppendJsonField(json, "Memory", node.total.memory);
  AppendJsonKey(json, "Labels");
  json.push_back('{');
  for (const auto& [key, value] : node.labels) AppendJsonField(json, key, value);
  json.append("}}");
  return json;
}

}  // namespace

absl::Status ApplyInspect(std::string_view body, const CreateRules& rules, const Node& node,
                          ContainerRecord& record) {
  JsonDocument document;
  if (absl::Status parsed = document.Parse(body); !parsed.ok()) return parsed;
  const JsonValue inspect = document.root();
  const JsonValue state = inspect.Find("State");
  if (!state.is(Kind::kObject))
    return InvalidArgument("the engine's description of a container has no State");
  Container& container = record.container;
  if (absl::Status read = ReadHostConfig(inspect, rules, node, container); !read.ok()) return read;
  if (const std::string id = inspect.Find("Id").text(); !id.empty()) {
    if (!IsFullId(id))
      return InvalidArgument("the engine describes a container with the id " + ShortQuoted(id));
    container.id = id;
  }
  if (const auto created = ParseTime(inspect.Find("Created").text())) container.created = *created;
  const JsonValue config = inspect.Find("Config");
  if (const std::string image = config.Find("Image").text(); !image.empty())
    container.image = image;
  if (const std::string id = inspect.Find("Image").text(); !id.empty()) container.image_id = id;
  if (const JsonValue labels = config.Find("Labels"); labels.is(Kind::kObject)) {
    container.labels.clear();
    labels.ForEachMember([&container](JsonValue key, JsonValue value) {
      container.labels[key.text()] = value.text();
    });
  }
  container.swarm_id = SwarmIdOf(container.labels);
  std::string name = inspect.Find("Name").text();
  if (name.starts_with('/')) name.erase(0, 1);
  if (!name.empty()) {
    if (container.names.empty()) container.names.emplace_back();
    container.names.front() = std::move(name);
  }
  ReadState(state, container);
  const JsonValue settings = inspect.Find("NetworkSettings");
  container.bound_ports = ReadBoundPorts(settings.Find("Ports"));
  if (const JsonValue networks = settings.Find("Networks"); networks.is(Kind::kObject)) {
    container.networks.clear();
    container.network_ids.clear();
    AddNetworks(networks, container);
  }
  if (const JsonValue mounts = inspect.Find("Mounts"); mounts.is(Kind::kArray)) {
    container.volumes.clear();
    AddMounts(mounts, container);
  }
  return absl::OkStatus();
}

const std::string& InspectEditor::NodeText(const NodePointer& node) {
  if (nodes_.size() > kMostNodes) nodes_.clear();
  Known& known = nodes_[node->address];
  if (known.node != node) known = {node, ",\"Node\":" + NodeObject(*node)};
  return known.text;
}

absl::Status InspectEditor::Append(std::string_view body, const NodePointer& node,
                                   std::string& to) {
  constexpr std::size_t kBeginning = 80;
  if (body.size() > kMostKeptBytes) return Edit(body, node, to);
  const std::string_view beginning = body.substr(0, kBeginning);
  auto found = kept_.find(beginning);
  if (found == kept_.end()) {
    if (kept_.size() >= kMostKept) kept_.clear();
    found = kept_.emplace(std::string(beginning), Kept()).first;
  }
  Kept& kept = found->second;
  if (kept.node != node || kept.body != body) {
    kept.node = nullptr;
    kept.edited.clear();
    if (absl::Status edited = Edit(body, node, kept.edited); !edited.ok()) return edited;
    kept.body = body;
    kept.node = node;
  }
  to += kept.edited;
  return absl::OkStatus();
}

absl::Status InspectEditor::Edit(std::string_view body, const NodePointer& node, std::string& to) {
  if (absl::Status parsed = document_.Parse(body); !parsed.ok()) return parsed;
  const JsonValue inspect = document_.root();
  if (!inspect.is(Kind::kObject))
    return InvalidArgument("the engine's description of a container is no object");
  TextEdits edits;
  const std::string& member = NodeText(node);
  JsonValue old, settings;
  inspect.ForEachMember([&](JsonValue key, JsonValue value) {
    if (key.Equals("Node")) old = value;
    if (key.Equals("NetworkSettings")) settings = value;
  });
  constexpr std::size_t kBeforeValue = 8;  // ,"Node":
  if (old) {
    edits.Replace(old.begin(), old.end(), member.substr(kBeforeValue));
  } else {
    edits.AddMember(inspect, member.substr(1));
  }
  settings.Find("Ports").ForEachMember([&](JsonValue, JsonValue list) {
    if (!list.is(Kind::kArray)) return;
    edits.Replace(list.begin(), list.end(), PortsWithAddress(body, list, "HostIp", node->ip));
  });
  edits.Apply(body, 0, body.size(), to);
  return absl::OkStatus();
}

absl::StatusOr<std::string> InspectForClient(std::string_view body, const Node& node) {
  InspectEditor editor;
  const NodePointer unowned(NodePointer(), &node);
  std::string edited;
  if (absl::Status done = editor.Edit(body, unowned, edited); !done.ok()) return done;
  return edited;
}

}  // namespace swarm
