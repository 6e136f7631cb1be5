#include <algorithm>
#include <utility>

#include "base/text.h"
#include "model/names.h"
#include "sim/sim_state.h"
#include "swarmlib/status.h"
#include "wire/containers.h"
#include "wire/host_config.h"
#include "wire/images.h"
#include "wire/json.h"

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;

// A command may be one string.
std::vector<std::string> CommandField(JsonValue config, std::string_view key) {
  const absl::StatusOr<JsonValue> field = FindField(config, key);
  if (!field.ok()) return {};
  if (field->is(Kind::kString)) return {field->text()};
  std::vector<std::string> words;
  field->ForEachElement([&words](JsonValue word) { words.push_back(word.text()); });
  return words;
}

bool Flag(JsonValue object, std::string_view key) {
  const absl::StatusOr<JsonValue> field = FindField(object, key);
  return field.ok() && field->boolean();
}

// The body without what is no part of a Config, byte for byte.
std::string ConfigOf(JsonValue body) {
  std::string config = "{";
  body.ForEachMember([&config](JsonValue key, JsonValue value) {
    if (SameJsonKey(key.text(), "HostConfig") || SameJsonKey(key.text(), "NetworkingConfig"))
      return;
    AppendJsonKey(config, key.text());
    config.append(value.raw());
  });
  return config + "}";
}

absl::Status ReadBody(JsonValue body, SimContainer& container) {
  absl::StatusOr<std::string> image = TextField(body, "Image");
  if (!image.ok()) return image.status();
  absl::StatusOr<std::vector<std::string>> env = TextsField(body, "Env");
  if (!env.ok()) return env.status();
  absl::StatusOr<Labels> labels = LabelsField(body, "Labels");
  if (!labels.ok()) return labels.status();
  const absl::StatusOr<JsonValue> host = ObjectField(body, "HostConfig");
  if (!host.ok()) return host.status();
  absl::StatusOr<std::vector<PortBinding>> wanted =
      ReadPortBindings(*FindField(*host, "PortBindings"));
  if (!wanted.ok()) return wanted.status();
  absl::StatusOr<std::vector<PortBinding>> exposed =
      ReadExposedPorts(*FindField(body, "ExposedPorts"));
  if (!exposed.ok()) return exposed.status();
  container.image = *std::move(image);
  container.env = *std::move(env);
  container.labels = *std::move(labels);
  container.wanted = *std::move(wanted);
  container.exposed = *std::move(exposed);
  container.host_name = TextField(body, "Hostname").value_or("");
  container.tty = Flag(body, "Tty");
  container.open_stdin = Flag(body, "OpenStdin");
  container.stdin_once = Flag(body, "StdinOnce");
  container.auto_remove = Flag(*host, "AutoRemove");
  container.publish_all = Flag(*host, "PublishAllPorts");
  container.network_mode = TextField(*host, "NetworkMode").value_or("");
  if (container.network_mode.empty()) container.network_mode = "default";
  container.config = ConfigOf(body);
  container.host_config = *host ? std::string(host->raw()) : "{}";
  return absl::OkStatus();
}

struct Wanted {
  bool all = false;
  std::int64_t limit = 0;
  FilterArguments filters;
};

bool OneOf(const FilterArguments& filters, std::string_view key, const auto& holds) {
  const auto found = filters.find(key);
  if (found == filters.end() || found->second.empty()) return true;
  return std::any_of(found->second.begin(), found->second.end(), holds);
}

bool LabelIs(const Labels& labels, const std::string& wanted) {
  const std::size_t equals = wanted.find('=');
  const auto found = labels.find(std::string_view(wanted).substr(0, equals));
  return found != labels.end() &&
         (equals == std::string::npos || found->second == wanted.substr(equals + 1));
}

bool IsWanted(const SimContainer& container, const FilterArguments& filters) {
  const auto labels = filters.find("label");
  const bool has_labels =
      labels == filters.end() ||
      std::all_of(labels->second.begin(), labels->second.end(),
                  [&](const std::string& wanted) { return LabelIs(container.labels, wanted); });
  return has_labels &&
         OneOf(filters, "id",
               [&](const std::string& id) { return container.id.starts_with(id); }) &&
         OneOf(filters, "name",
               [&](const std::string& name) {
                 return ("/" + container.name).find(name) != std::string::npos;
               }) &&
         OneOf(filters, "status",
               [&](const std::string& status) {
                 return status == ContainerStateName(container.state);
               }) &&
         OneOf(filters, "ancestor", [&](const std::string& image) {
           return WithDefaultTag(image) == WithDefaultTag(container.image) ||
                  image == container.image_id;
         });
}

}  // namespace

Reply SimState::Create(const SimCall& call) {
  JsonDocument document;
  if (const absl::Status parsed = document.Parse(call.body); !parsed.ok())
    return SimError(400, MessageOf(parsed));
  SimContainer container;
  if (const absl::Status read = ReadBody(document.root(), container); !read.ok()) {
    return SimError(400, MessageOf(read));
  }
  container.name = QueryText(call.query, "name");
  if (container.name.starts_with('/')) container.name.erase(0, 1);
  if (!container.name.empty() && !IsContainerName(container.name)) {
    return SimError(400, "Invalid container name (" + container.name +
                             "), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
  }
  const SimImage* image = FindImage(container.image);
  if (image == nullptr) return SimError(404, "No such image: " + WithDefaultTag(container.image));
  for (const auto& [id, other] : containers_) {
    if (container.name.empty() || other.name != container.name) continue;
    return SimError(
        409,
        "Conflict. The container name \"/" + container.name +
            "\" is already in use by container \"" + id +
            "\". You have to remove (or rename) that container to be able to reuse that name.");
  }
  for (int attempt = 0; container.name.empty(); ++attempt) {
    const std::string name = InventName(random_, attempt);
    if (Find(name) == nullptr) container.name = name;
  }
  container.id = NewId();
  container.image_id = image->id;
  container.created = Now();
  container.order = ++created_;
  if (container.host_name.empty()) container.host_name = container.id.substr(0, 12);
  container.arguments = CommandField(document.root(), "Entrypoint");
  const std::vector<std::string> command = CommandField(document.root(), "Cmd");
  container.arguments.insert(container.arguments.end(), command.begin(), command.end());
  if (container.arguments.empty()) container.arguments = image->command;
  if (container.exposed.empty() && image->port != 0) {
    container.exposed.push_back({"", image->port, image->port, image->port, "tcp"});
  }
  TakeVolumes(*FindField(document.root(), "HostConfig"), container);
  TakeNetworks(document.root(), container);
  const std::string id = container.id;
  SimContainer& kept = containers_.emplace(id, std::move(container)).first->second;
  EmitOf(kept, "create");
  return SimJson(201, "{\"Id\":\"" + id + "\",\"Warnings\":[]}\n");
}

Reply SimState::List(const SimCall& call) {
  const auto filters = ParseFilters(QueryText(call.query, "filters"));
  if (!filters.ok()) return SimError(400, "invalid filter");
  static constexpr std::string_view kKnown[] = {"ancestor", "id", "label", "name", "status"};
  for (const auto& [key, values] : *filters) {
    if (std::find(std::begin(kKnown), std::end(kKnown), key) != std::end(kKnown)) continue;
    return SimError(400, "Invalid filter '" + key + "'");
  }
  const std::int64_t limit = std::strtoll(QueryText(call.query, "limit").c_str(), nullptr, 10);
  const bool all = QueryFlag(call.query, "all", false) || limit > 0 || filters->contains("status");
  std::vector<const SimContainer*> found;
  for (const auto& [id, container] : containers_) {
    if ((all || IsUp(container)) && IsWanted(container, *filters)) found.push_back(&container);
  }
  std::sort(found.begin(), found.end(), [](const SimContainer* left, const SimContainer* right) {
    return left->order > right->order;
  });
  if (limit > 0 && found.size() > static_cast<std::size_t>(limit))
    found.resize(static_cast<std::size_t>(limit));
  std::string json = "[";
  for (const SimContainer* container : found) {
    if (json.size() > 1) json.push_back(',');
    json.append(Row(*container));
  }
  return SimJson(200, json + "]\n");
}

void SimState::Erase(SimContainer& container) {
  const std::string id = container.id;
  for (const std::string& exec : container.execs) execs_.erase(exec);
  TellWaiters(container, true);
  for (const SimReader& reader : container.readers) reader.queue->Close();
  EmitOf(container, "destroy");
  containers_.erase(id);
}

Reply SimState::Remove(const SimCall& call, SimContainer& container) {
  if (IsUp(container)) {
    if (!QueryFlag(call.query, "force", false)) {
      return SimError(409, "You cannot remove a running container " + container.id +
                               ". Stop the container before attempting removal or force remove");
    }
    container.auto_remove = false;
    EmitOf(container, "kill", {{"signal", "9"}});
    Ended(container, 137);
  }
  Erase(container);
  return SimEmpty(204);
}

Reply SimState::Rename(const SimCall& call, SimContainer& container) {
  std::string name = QueryText(call.query, "name");
  if (name.starts_with('/')) name.erase(0, 1);
  if (!IsContainerName(name)) {
    return SimError(400, "Error when allocating new name: Invalid container name (/" + name +
                             "), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
  }
  for (const auto& [id, other] : containers_) {
    if (other.name != name) continue;
    return SimError(
        409,
        "Error when allocating new name: Conflict. The container name \"/" + name +
            "\" is already in use by container \"" + id +
            "\". You have to remove (or rename) that container to be able to reuse that name.");
  }
  const std::string old = std::exchange(container.name, name);
  EmitOf(container, "rename", {{"oldName", "/" + old}});
  return SimEmpty(204);
}

Reply SimState::Update(const SimCall& call, SimContainer& container) {
  JsonDocument wanted;
  if (const absl::Status parsed = wanted.Parse(call.body); !parsed.ok())
    return SimError(400, MessageOf(parsed));
  wanted.root().ForEachMember([&container](JsonValue key, JsonValue value) {
    // 0 and empty mean "as it is".
    if (value.raw() == "0" || value.raw() == "\"\"" || value.is(Kind::kNull)) return;
    JsonDocument old;
    if (!old.Parse(container.host_config).ok()) return;
    TextEdits edits;
    const JsonValue before = old.root().Find(key.text());
    if (before) {
      edits.Replace(before.begin(), before.end(), std::string(value.raw()));
    } else {
      edits.AddMember(old.root(), std::string(key.raw()) + ":" + std::string(value.raw()));
    }
    container.host_config = edits.Apply(container.host_config, 0, container.host_config.size());
  });
  EmitOf(container, "update");
  return SimJson(200, "{\"Warnings\":null}\n");
}

}  // namespace swarm
