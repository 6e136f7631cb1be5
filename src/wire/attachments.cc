#include "wire/attachments.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/create_bounds.h"
#include "wire/host_config.h"

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;

// Where named volumes are collected.
struct Collected {
  const std::function<void(const std::string&)>& pin;
  TextEdits& edits;
  std::vector<NamedVolume> volumes;
  std::map<std::string, std::size_t, std::less<>> known = {};  // places in `volumes`

  void Add(std::string_view name, bool bare) {
    const auto [at, is_new] = known.try_emplace(std::string(name), volumes.size());
    if (is_new) {
      volumes.push_back({at->first, bare});
    } else {
      volumes[at->second].bare = volumes[at->second].bare && bare;
    }
  }
};

// A source is the name of a volume, with or without its node, or none of our business.
void TakeSource(std::string_view source, bool bare, Collected& to, std::string& plain) {
  std::string node;
  constexpr std::string_view kPathBegins = "/.~";
  const bool path = source.empty() || kPathBegins.find(source.front()) != std::string_view::npos;
  const std::string_view name = path ? source : WithoutNode(source, node);
  plain.clear();
  if (path || !IsVolumeName(name)) return;
  if (node.empty()) return to.Add(name, bare);
  plain = name;
  to.pin(node);
}

absl::Status ReadBinds(JsonValue host_config, bool bare, Collected& to) {
  const absl::StatusOr<JsonValue> list = FindField(host_config, "Binds");
  if (!list.ok()) return list.status();
  absl::Status few = CheckBound("entries of Binds", CountEntries(*list), kMaxCreateMounts);
  if (!few.ok()) return few;
  const absl::StatusOr<std::vector<std::string>> binds = TextsField(host_config, "Binds");
  if (!binds.ok()) return binds.status();
  const std::vector<JsonValue> elements = list->elements();
  for (std::size_t i = 0; i < binds->size(); ++i) {
    const std::string& bind = (*binds)[i];
    const std::size_t colon = bind.find(':');
    if (colon == std::string::npos) continue;  // an anonymous volume at that path
    std::string plain;
    TakeSource(bind.substr(0, colon), bare, to, plain);
    if (plain.empty()) continue;
    to.edits.Replace(elements[i].begin(), elements[i].end(),
                     JsonString(plain + bind.substr(colon)));
  }
  return absl::OkStatus();
}

bool SaysNothing(JsonValue value) {
  return value.absent() || (value.is(Kind::kObject) && value.members().empty());
}

absl::Status ReadMounts(JsonValue host_config, bool bare, Collected& to) {
  const absl::StatusOr<JsonValue> mounts = FindField(host_config, "Mounts");
  if (!mounts.ok()) return mounts.status();
  const std::vector<JsonValue> elements = mounts->elements();
  absl::Status few = CheckBound("entries of Mounts", elements.size(), kMaxCreateMounts);
  if (!few.ok()) return few;
  for (const JsonValue mount : elements) {
    const absl::StatusOr<std::string> type = TextField(mount, "Type");
    if (!type.ok()) return type.status();
    const absl::StatusOr<std::string> source = TextField(mount, "Source");
    if (!source.ok()) return source.status();
    if (*type != "volume") continue;
    const absl::StatusOr<JsonValue> options = ObjectField(mount, "VolumeOptions");
    if (!options.ok()) return options.status();
    const bool silent =
        SaysNothing(options->Find("DriverConfig")) && SaysNothing(options->Find("Labels"));
    std::string plain;
    TakeSource(*source, bare && silent, to, plain);
    if (plain.empty()) continue;
    const JsonValue field = *FindField(mount, "Source");
    to.edits.Replace(field.begin(), field.end(), JsonString(plain));
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view WithoutNode(std::string_view reference, std::string& node) {
  if (reference.starts_with('/')) reference.remove_prefix(1);
  const std::size_t slash = reference.find('/');
  if (slash == std::string_view::npos || slash == 0) return reference;
  const std::string_view name = reference.substr(slash + 1);
  if (name.empty() || name.find('/') != std::string_view::npos) return reference;
  node = reference.substr(0, slash);
  return name;
}

bool IsVolumeName(std::string_view name) {
  constexpr std::size_t kMostName = 255;
  constexpr std::string_view kFurther = "_.-";
  const auto plain = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9');
  };
  // One letter is a drive, to engines.
  if (name.size() < 2 || name.size() > kMostName || !plain(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [&](char letter) {
    return plain(letter) || kFurther.find(letter) != std::string_view::npos;
  });
}

absl::StatusOr<std::vector<NamedVolume>> ReadNamedVolumes(
    JsonValue host_config, const std::function<void(const std::string&)>& pin, TextEdits& edits) {
  const absl::StatusOr<std::string> driver = TextField(host_config, "VolumeDriver");
  if (!driver.ok()) return driver.status();
  const bool bare = driver->empty() || *driver == "local";
  Collected collected{pin, edits, {}};
  if (absl::Status read = ReadBinds(host_config, bare, collected); !read.ok()) return read;
  if (absl::Status read = ReadMounts(host_config, bare, collected); !read.ok()) return read;
  absl::Status few = CheckBound("volumes", collected.volumes.size(), kMaxCreateVolumes);
  if (!few.ok()) return few;
  return std::move(collected.volumes);
}

bool IsNetworkReference(std::string_view mode) {
  constexpr std::string_view kEverywhere[] = {"", "default", "bridge", "host", "none"};
  return std::find(std::begin(kEverywhere), std::end(kEverywhere), mode) == std::end(kEverywhere) &&
         !mode.starts_with("container:");
}

std::string WithNetworkNames(std::string_view body,
                             const std::map<std::string, std::string>& names) {
  JsonDocument document;
  if (!document.Parse(body).ok()) return std::string(body);
  TextEdits edits;
  const JsonValue root = document.root();
  const absl::StatusOr<JsonValue> host = FindField(root, "HostConfig");
  const absl::StatusOr<JsonValue> networking = FindField(root, "NetworkingConfig");
  const auto rename = [&](JsonValue text) {
    const auto named = names.find(text.text());
    if (named != names.end()) edits.Replace(text.begin(), text.end(), JsonString(named->second));
  };
  if (host.ok()) {
    const absl::StatusOr<JsonValue> mode = FindField(*host, "NetworkMode");
    if (mode.ok() && mode->is(Kind::kString)) rename(*mode);
  }
  if (networking.ok()) {
    const absl::StatusOr<JsonValue> endpoints = FindField(*networking, "EndpointsConfig");
    if (endpoints.ok()) {
      endpoints->ForEachMember([&](JsonValue key, JsonValue) { rename(key); });
    }
  }
  return edits.Apply(body, 0, body.size());
}

absl::StatusOr<ObjectRequest> ParseObjectRequest(std::string_view body) {
  JsonDocument document;
  if (absl::Status parsed = document.Parse(body); !parsed.ok()) return parsed;
  if (!document.root().is(Kind::kObject)) {
    return InvalidArgument("invalid JSON: the body must be an object, not " +
                           std::string(JsonKindName(document.root().kind())));
  }
  ObjectRequest request;
  absl::StatusOr<std::string> name = TextField(document.root(), "Name");
  if (!name.ok()) return name.status();
  absl::StatusOr<std::string> driver = TextField(document.root(), "Driver");
  if (!driver.ok()) return driver.status();
  absl::StatusOr<Labels> labels = LabelsField(document.root(), "Labels");
  if (!labels.ok()) return labels.status();
  request.name = *std::move(name);
  request.driver = *std::move(driver);
  request.labels = *std::move(labels);
  const auto project = request.labels.find(kComposeProjectLabel);
  if (project != request.labels.end()) request.project = project->second;
  return request;
}

std::string WithNameAndLabels(std::string_view body, std::string_view name, const Labels& labels) {
  JsonDocument document;
  if (!document.Parse(body).ok() || !document.root().is(Kind::kObject)) return std::string(body);
  const JsonValue root = document.root();
  TextEdits edits;
  const absl::StatusOr<JsonValue> old_name = FindField(root, "Name");
  if (old_name.ok() && *old_name) {
    edits.Replace(old_name->begin(), old_name->end(), JsonString(name));
  } else {
    edits.AddMember(root, "\"Name\":" + JsonString(name));
  }
  const absl::StatusOr<JsonValue> old_labels = FindField(root, "Labels");
  std::string members;
  for (const auto& [key, value] : labels) {
    if (!members.empty()) members += ',';
    members += JsonString(key) + ":" + JsonString(value);
  }
  if (!old_labels.ok() || members.empty()) return edits.Apply(body, 0, body.size());
  if (old_labels->is(Kind::kObject)) {
    std::string kept = "{" + members;
    old_labels->ForEachMember([&](JsonValue key, JsonValue value) {
      if (labels.contains(key.text())) return;
      kept.append(",").append(key.raw()).append(":").append(value.raw());
    });
    edits.Replace(old_labels->begin(), old_labels->end(), kept + "}");
  } else if (*old_labels) {
    edits.Replace(old_labels->begin(), old_labels->end(), "{" + members + "}");
  } else {
    edits.AddMember(root, "\"Labels\":{" + members + "}");
  }
  return edits.Apply(body, 0, body.size());
}

std::string WithCheckDuplicate(std::string_view body) {
  JsonDocument document;
  if (!document.Parse(body).ok() || !document.root().is(Kind::kObject)) return std::string(body);
  TextEdits edits;
  const absl::StatusOr<JsonValue> old = FindField(document.root(), "CheckDuplicate");
  if (!old.ok()) return std::string(body);
  if (*old) {
    edits.Replace(old->begin(), old->end(), "true");
  } else {
    edits.AddMember(document.root(), "\"CheckDuplicate\":true");
  }
  return edits.Apply(body, 0, body.size());
}

bool IsHiddenLabel(std::string_view key) {
  return key == kNetworkIdLabel || key == kNetworkSpecLabel || key == kVolumeIdLabel;
}

void HideLabels(JsonValue object, TextEdits& edits) {
  const JsonValue labels = object.Find("Labels");
  bool hides = false;
  std::string shown = "{";
  labels.ForEachMember([&](JsonValue key, JsonValue value) {
    if (IsHiddenLabel(key.text())) {
      hides = true;
      return;
    }
    if (shown.size() > 1) shown += ',';
    shown.append(key.raw()).append(":").append(value.raw());
  });
  if (hides) edits.Replace(labels.begin(), labels.end(), shown + "}");
}

}  // namespace swarm
