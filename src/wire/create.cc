#include "wire/create.h"

#include <set>
#include <utility>

#include "base/text.h"
#include "model/names.h"
#include "swarmlib/status.h"
#include "wire/create_bounds.h"
#include "wire/create_host_config.h"
#include "wire/host_config.h"
#include "wire/json.h"
#include "wire/placement.h"

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;

// Reads a body into a spec and collects what has to be written differently for the engine.
class CreateReader {
 public:
  CreateReader(std::string_view body, const CreateRules& rules) : body_(body), rules_(rules) {}

  absl::Status Read(JsonValue root, std::string_view swarm_id) {
    root_ = root;
    absl::StatusOr<std::string> image = TextField(root, "Image");
    if (!image.ok()) return image.status();
    spec_.image = *std::move(image);
    const absl::StatusOr<JsonValue> host = ObjectField(root, "HostConfig");
    if (!host.ok()) return host.status();
    host_ = *host;
    // Engines would look for its fields elsewhere.
    if (!host_) SetRootMember("HostConfig", "{}");
    if (absl::Status read = ReadLabels(swarm_id); !read.ok()) return read;
    if (absl::Status read = ReadEnv(); !read.ok()) return read;
    if (absl::Status read = ReadNetwork(); !read.ok()) return read;
    if (absl::Status read = ReadVolumes(); !read.ok()) return read;
    if (absl::Status read = ReadNeighbours(); !read.ok()) return read;
    if (absl::Status read = ReadPorts(); !read.ok()) return read;
    const absl::StatusOr<Resources> asked = ReadResources(host_, rules_);
    if (!asked.ok()) return asked.status();
    spec_.request = *asked;
    if (absl::Status applied = texts_.Apply(spec_); !applied.ok()) return applied;
    WriteLabels();
    return absl::OkStatus();
  }

  ContainerSpec& spec() { return spec_; }
  std::vector<NamedVolume>& volumes() { return volumes_; }
  std::vector<std::string>& networks() { return networks_; }
  bool names_of_node() const { return names_of_node_; }
  std::string EditedBody() { return edits_.Apply(body_, 0, body_.size()); }

 private:
  absl::Status ReadLabels(std::string_view swarm_id) {
    const absl::StatusOr<JsonValue> field = ObjectField(root_, "Labels");
    if (!field.ok()) return field.status();
    labels_ = *field;
    std::set<std::string> seen;
    std::size_t count = 0;
    std::string twice;
    labels_.ForEachMember([&](JsonValue key, JsonValue) {
      ++count;
      std::string name = key.text();
      if (!name.starts_with("com.docker.swarm.") || seen.insert(name).second) return;
      twice = std::move(name);
    });
    if (!twice.empty()) {
      return InvalidArgument("invalid JSON: the label \"" + twice + "\" is there more than once");
    }
    if (absl::Status few = CheckBound("labels", count, kMaxCreateLabels); !few.ok()) return few;
    absl::StatusOr<Labels> labels = LabelsField(root_, "Labels");
    if (!labels.ok()) return labels.status();
    spec_.labels = *std::move(labels);
    std::string& id = spec_.labels[std::string(kSwarmIdLabel)];
    if (!IsFullId(id)) id = swarm_id;
    spec_.swarm_id = id;
    if (id.empty()) spec_.labels.erase(std::string(kSwarmIdLabel));
    return texts_.TakeLabels(spec_.labels);
  }

  absl::Status ReadEnv() {
    const absl::StatusOr<JsonValue> field = FindField(root_, "Env");
    if (!field.ok()) return field.status();
    if (absl::Status texts = CheckTexts(*field, "Env"); !texts.ok()) return texts;
    std::string kept = "[";
    bool taken = false;
    field->ForEachElement([&](JsonValue line) {
      if (texts_.TakeEnv(line.text())) {
        taken = true;
        return;
      }
      if (kept.size() > 1) kept.push_back(',');
      kept.append(line.raw());
    });
    if (taken) edits_.Replace(field->begin(), field->end(), kept + "]");
    return absl::OkStatus();
  }

  void PinTo(const std::string& node) {
    if (node.empty()) return;
    texts_.AddConstraint("node==" + node);
    names_of_node_ = true;
  }

  absl::Status ReadNetwork() {
    const absl::StatusOr<std::string> mode = TextField(host_, "NetworkMode");
    if (!mode.ok()) return mode.status();
    network_mode_ = *mode;
    spec_.host_network = *mode == "host";
    if (!mode->starts_with("container:")) {
      std::string node;
      const std::string_view plain = WithoutNode(*mode, node);
      if (!node.empty()) {
        const JsonValue field = *FindField(host_, "NetworkMode");
        edits_.Replace(field.begin(), field.end(), JsonString(plain));
        PinTo(node);
      } else {
        AddNetwork(*mode);
      }
    }
    const absl::StatusOr<JsonValue> networking = ObjectField(root_, "NetworkingConfig");
    if (!networking.ok()) return networking.status();
    const absl::StatusOr<JsonValue> endpoints = ObjectField(*networking, "EndpointsConfig");
    if (!endpoints.ok()) return endpoints.status();
    absl::Status few = CheckBound("networks", CountEntries(*endpoints), kMaxCreateNetworks);
    if (!few.ok()) return few;
    for (const auto& [key, settings] : endpoints->members()) {
      std::string node;
      const std::string name = key.text();
      const std::string_view plain = WithoutNode(name, node);
      if (node.empty()) {
        AddNetwork(name);
        continue;
      }
      edits_.Replace(key.begin(), key.end(), JsonString(plain));
      PinTo(node);
    }
    return absl::OkStatus();
  }

  void AddNetwork(const std::string& name) {
    if (!IsNetworkReference(name)) return;
    if (known_networks_.insert(name).second) networks_.push_back(name);
  }

  absl::Status ReadVolumes() {
    absl::StatusOr<std::vector<NamedVolume>> volumes = ReadNamedVolumes(
        host_, [this](const std::string& node) { PinTo(node); }, edits_);
    if (!volumes.ok()) return volumes.status();
    volumes_ = *std::move(volumes);
    return absl::OkStatus();
  }

  // A list of "container:rest"; the engine gets the names without their nodes.
  absl::Status ReadReferences(std::string_view field, std::size_t most,
                              std::vector<std::string>& to) {
    const absl::StatusOr<JsonValue> list = FindField(host_, field);
    if (!list.ok()) return list.status();
    absl::Status few = CheckBound("entries of " + std::string(field), CountEntries(*list), most);
    if (!few.ok()) return few;
    const absl::StatusOr<std::vector<std::string>> texts = TextsField(host_, field);
    if (!texts.ok()) return texts.status();
    std::vector<std::string> plain_texts;
    bool has_nodes = false;
    for (const std::string& text : *texts) {
      std::string_view reference = std::string_view(text).substr(0, text.find(':'));
      const std::string_view rest = std::string_view(text).substr(reference.size());
      if (reference.starts_with('/')) reference.remove_prefix(1);
      if (reference.empty()) continue;
      if (absl::Status brief = CheckReference(field, reference); !brief.ok()) return brief;
      to.emplace_back(reference);
      std::string node;
      plain_texts.push_back(std::string(WithoutNode(reference, node)).append(rest));
      has_nodes = has_nodes || !node.empty();
    }
    if (has_nodes) {
      const JsonValue value = *FindField(host_, field);
      std::string json;
      AppendJsonStrings(json, plain_texts);
      edits_.Replace(value.begin(), value.end(), std::move(json));
    }
    return absl::OkStatus();
  }

  absl::Status ReadNeighbours() {
    absl::Status read = ReadReferences("Links", kMaxCreateLinks, spec_.links);
    if (!read.ok()) return read;
    read = ReadReferences("VolumesFrom", kMaxCreateVolumesFrom, spec_.volumes_from);
    if (!read.ok()) return read;
    for (const char* field : {"NetworkMode", "IpcMode", "PidMode"}) {
      const absl::StatusOr<std::string> mode = TextField(host_, field);
      if (!mode.ok()) return mode.status();
      const std::string reference = JoinedContainer(*mode);
      if (reference.empty()) continue;
      if (absl::Status brief = CheckReference(field, reference); !brief.ok()) return brief;
      spec_.joined.push_back(reference);
      std::string node;
      const std::string_view plain = WithoutNode(reference, node);
      if (node.empty()) continue;
      const JsonValue value = *FindField(host_, field);
      edits_.Replace(value.begin(), value.end(), JsonString("container:" + std::string(plain)));
    }
    return absl::OkStatus();
  }

  absl::Status ReadPorts() {
    const absl::StatusOr<JsonValue> bindings = ObjectField(host_, "PortBindings");
    if (!bindings.ok()) return bindings.status();
    absl::Status few = CheckBound("published ports", CountBindings(*bindings), kMaxCreatePorts);
    if (!few.ok()) return few;
    absl::StatusOr<std::vector<PortBinding>> ports = ReadPortBindings(*bindings);
    if (!ports.ok()) return ports.status();
    const absl::StatusOr<JsonValue> exposed = ObjectField(root_, "ExposedPorts");
    if (!exposed.ok()) return exposed.status();
    absl::StatusOr<std::vector<PortBinding>> opened = ReadExposedPorts(*exposed, kMaxCreatePorts);
    if (!opened.ok()) return opened.status();
    if (spec_.host_network) {
      spec_.exposed = *std::move(opened);
    } else if (network_mode_ != "none" && JoinedContainer(network_mode_).empty()) {
      spec_.ports = *std::move(ports);
    }
    return absl::OkStatus();
  }

  void SetRootMember(std::string_view key, const std::string& json) {
    const JsonValue old = *FindField(root_, key);
    if (old) {
      edits_.Replace(old.begin(), old.end(), json);
    } else {
      edits_.AddMember(root_, JsonString(key) + ":" + json);
    }
  }

  // Those that a manager sets, by name; no others have changed.
  void WriteLabels() {
    static constexpr std::string_view kSet[] = {kAffinitiesLabel, kConstraintsLabel, kSwarmIdLabel,
                                                kReschedulePoliciesLabel, kWhitelistsLabel};
    std::string fresh = "{";
    for (const std::string_view key : kSet) {
      const auto wanted = spec_.labels.find(key);
      if (wanted == spec_.labels.end()) continue;
      const JsonValue old = labels_.Find(key);
      if (old.Equals(wanted->second)) continue;
      if (old) {
        edits_.Replace(old.begin(), old.end(), JsonString(wanted->second));
      } else if (labels_) {
        edits_.AddMember(labels_, JsonString(key) + ":" + JsonString(wanted->second));
      }
      AppendJsonField(fresh, key, std::string_view(wanted->second));
    }
    fresh.push_back('}');
    if (!labels_ && fresh != "{}") SetRootMember("Labels", fresh);
  }

  std::string_view body_;
  const CreateRules& rules_;
  ContainerSpec spec_;
  PlacementTexts texts_;
  TextEdits edits_;
  JsonValue root_, host_, labels_;
  std::string network_mode_;
  std::vector<NamedVolume> volumes_;
  std::vector<std::string> networks_;
  std::set<std::string> known_networks_;
  bool names_of_node_ = false;
};

// Each of the fields that are read is looked for among all that are there.
absl::Status CheckFieldCounts(JsonValue root) {
  absl::Status few = CheckBound("fields of the body", CountEntries(root), kMaxCreateFields);
  if (!few.ok()) return few;
  const absl::StatusOr<JsonValue> host = FindField(root, "HostConfig");
  if (!host.ok()) return host.status();
  return CheckBound("fields of HostConfig", CountEntries(*host), kMaxCreateFields);
}

absl::StatusOr<std::string> PlainName(std::string_view name) {
  std::string_view plain = name;
  if (plain.starts_with('/')) plain.remove_prefix(1);
  if (plain.empty() || IsContainerName(plain)) return std::string(plain);
  return InvalidArgument("Invalid container name (" + std::string(name) +
                         "), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
}

absl::Status ParseObject(std::string_view body, JsonDocument& document) {
  if (body.size() > kMostCreateBytes) {
    return HttpError(
        413, "the request body is larger than " + std::to_string(kMostCreateBytes) + " bytes");
  }
  if (Trim(body).empty())
    return InvalidArgument("invalid JSON: got EOF while reading request body");
  if (absl::Status parsed = document.Parse(body); !parsed.ok()) return parsed;
  if (document.root().is(Kind::kObject)) return absl::OkStatus();
  return InvalidArgument("invalid JSON: the body must be an object, not " +
                         std::string(JsonKindName(document.root().kind())));
}

}  // namespace

absl::StatusOr<ParsedCreate> ParseCreate(std::string_view body, std::string_view name,
                                         std::string_view platform, std::string_view swarm_id,
                                         const CreateRules& rules) {
  JsonDocument document;
  if (absl::Status parsed = ParseObject(body, document); !parsed.ok()) return parsed;
  absl::StatusOr<std::string> plain_name = PlainName(name);
  if (!plain_name.ok()) return plain_name.status();
  if (absl::Status few = CheckFieldCounts(document.root()); !few.ok()) return few;
  const absl::StatusOr<std::string> gathered = GatherHostConfig(document.root());
  if (!gathered.ok()) return gathered.status();
  if (!gathered->empty()) {
    body = *gathered;
    if (absl::Status parsed = document.Parse(body); !parsed.ok()) return parsed;
  }
  CreateReader reader(body, rules);
  if (absl::Status read = reader.Read(document.root(), swarm_id); !read.ok()) return read;
  ParsedCreate parsed;
  parsed.body = reader.EditedBody();
  parsed.spec = std::move(reader.spec());
  parsed.volumes = std::move(reader.volumes());
  parsed.networks = std::move(reader.networks());
  parsed.names_of_node = reader.names_of_node();
  parsed.spec.name = *std::move(plain_name);
  parsed.spec.platform = platform;
  return parsed;
}

std::string WithSharesOfCores(std::string_view body, const Node& node) {
  JsonDocument document;
  const std::int64_t cores = CoresOf(node);
  if (cores <= 0 || !document.Parse(body).ok()) return std::string(body);
  TextEdits edits;
  const absl::StatusOr<JsonValue> host = FindField(document.root(), "HostConfig");
  for (const absl::StatusOr<JsonValue>& place :
       {absl::StatusOr<JsonValue>(document.root()), host}) {
    if (!place.ok() || !place->is(Kind::kObject)) continue;
    const absl::StatusOr<JsonValue> asked = FindField(*place, "CpuShares");
    const std::int64_t wanted = asked.ok() ? asked->integer().value_or(0) : 0;
    if (wanted <= 0) continue;
    edits.Replace(asked->begin(), asked->end(), std::to_string(SharesOfCores(wanted, cores)));
  }
  return edits.Apply(body, 0, body.size());
}

std::string WithSwarmId(std::string_view body, std::string_view swarm_id) {
  JsonDocument document;
  if (!document.Parse(body).ok() || !document.root().is(Kind::kObject)) return std::string(body);
  const std::string member = JsonString(kSwarmIdLabel) + ":" + JsonString(swarm_id);
  TextEdits edits;
  const absl::StatusOr<JsonValue> labels = FindField(document.root(), "Labels");
  if (!labels.ok()) return std::string(body);
  if (const JsonValue old = labels->Find(kSwarmIdLabel)) {
    edits.Replace(old.begin(), old.end(), JsonString(swarm_id));
  } else if (labels->is(Kind::kObject)) {
    edits.AddMember(*labels, member);
  } else if (*labels) {
    edits.Replace(labels->begin(), labels->end(), "{" + member + "}");
  } else {
    edits.AddMember(document.root(), "\"Labels\":{" + member + "}");
  }
  return edits.Apply(body, 0, body.size());
}

std::string SwarmIdOf(const Labels& labels) {
  const auto label = labels.find(kSwarmIdLabel);
  return label != labels.end() && IsFullId(label->second) ? label->second : std::string();
}

absl::StatusOr<std::string> CreatedId(std::string_view body) {
  JsonDocument document;
  if (absl::Status parsed = document.Parse(body); !parsed.ok()) return parsed;
  std::string id = document.root().Find("Id").text();
  if (IsFullId(id)) return id;
  return InvalidArgument("the engine's answer to the create names no container but " +
                         ShortQuoted(id));
}

absl::StatusOr<Resources> ParseUpdate(std::string_view body, const CreateRules& rules) {
  JsonDocument document;
  if (absl::Status parsed = ParseObject(body, document); !parsed.ok()) return parsed;
  return ReadResources(document.root(), rules);
}

}  // namespace swarm
