#include "wire/create_host_config.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "swarmlib/status.h"
#include "wire/host_config.h"

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;

// Those that engines up to 23 take into a HostConfig that says nothing of them. Cpuset is the old
// name of CpusetCpus.
constexpr std::string_view kMerged[] = {"CpuShares", "Cpuset",     "CpusetCpus",
                                        "Memory",    "MemorySwap", "VolumeDriver"};
constexpr std::string_view kFields[] = {"Annotations",
                                        "AutoRemove",
                                        "Binds",
                                        "BlkioDeviceReadBps",
                                        "BlkioDeviceReadIOps",
                                        "BlkioDeviceWriteBps",
                                        "BlkioDeviceWriteIOps",
                                        "BlkioWeight",
                                        "BlkioWeightDevice",
                                        "CapAdd",
                                        "CapDrop",
                                        "Capabilities",
                                        "Cgroup",
                                        "CgroupParent",
                                        "CgroupnsMode",
                                        "ConsoleSize",
                                        "ContainerIDFile",
                                        "CpuCount",
                                        "CpuPercent",
                                        "CpuPeriod",
                                        "CpuQuota",
                                        "CpuRealtimePeriod",
                                        "CpuRealtimeRuntime",
                                        "CpusetMems",
                                        "DeviceCgroupRules",
                                        "DeviceRequests",
                                        "Devices",
                                        "Dns",
                                        "DnsOptions",
                                        "DnsSearch",
                                        "ExtraHosts",
                                        "GroupAdd",
                                        "IOMaximumBandwidth",
                                        "IOMaximumIOps",
                                        "Init",
                                        "IpcMode",
                                        "Isolation",
                                        "KernelMemory",
                                        "KernelMemoryTCP",
                                        "Links",
                                        "LogConfig",
                                        "LxcConf",
                                        "MaskedPaths",
                                        "MemoryReservation",
                                        "MemorySwappiness",
                                        "Mounts",
                                        "NanoCpus",
                                        "NetworkMode",
                                        "OomKillDisable",
                                        "OomScoreAdj",
                                        "PidMode",
                                        "PidsLimit",
                                        "PortBindings",
                                        "Privileged",
                                        "PublishAllPorts",
                                        "ReadonlyPaths",
                                        "ReadonlyRootfs",
                                        "RestartPolicy",
                                        "Runtime",
                                        "SecurityOpt",
                                        "ShmSize",
                                        "StorageOpt",
                                        "Sysctls",
                                        "Tmpfs",
                                        "UTSMode",
                                        "Ulimits",
                                        "UsernsMode",
                                        "VolumesFrom"};

// By the text that all spellings of a key share.
const std::map<std::string, std::string_view, std::less<>>& KnownFields() {
  static const auto* const kKnown = [] {
    auto* const known = new std::map<std::string, std::string_view, std::less<>>;
    for (const std::string_view field : kMerged) known->emplace(FoldJsonKey(field), field);
    for (const std::string_view field : kFields) known->emplace(FoldJsonKey(field), field);
    return known;
  }();
  return *kKnown;
}

// The name of the field that an engine would decode the key into; empty when it is none of these.
std::string_view FieldOf(JsonValue key) {
  constexpr std::size_t kLongestWritten = 128;
  if (key.raw().size() > kLongestWritten) return {};
  const auto known = KnownFields().find(FoldJsonKey(key.text()));
  return known == KnownFields().end() ? std::string_view() : known->second;
}

// What clients send for what was not asked. Of a map each entry says something, were it null.
bool IsUnset(JsonValue value) {
  if (value.absent() || value.is(Kind::kFalse)) return true;
  if (value.is(Kind::kString)) return value.text().empty();
  if (value.is(Kind::kNumber)) return value.integer() == std::int64_t{0};
  if (value.is(Kind::kArray)) return value.elements().empty();
  if (!value.is(Kind::kObject)) return false;
  // A restart policy or the configuration of logs.
  for (const char* key : {"Name", "Type"}) {
    if (const JsonValue word = value.Find(key)) return word.text().empty();
  }
  return value.members().empty();
}

bool IsMerged(std::string_view field) {
  return std::find(std::begin(kMerged), std::end(kMerged), field) != std::end(kMerged);
}

// The fields at the top level of one body, and where they go.
class Gathering {
 public:
  explicit Gathering(JsonValue root) : root_(root) {}

  absl::Status Find() {
    const absl::StatusOr<JsonValue> host = ObjectField(root_, "HostConfig");
    if (!host.ok()) return host.status();
    host_ = *host;
    std::set<std::string_view> seen;
    std::string_view twice;
    root_.ForEachMember([&](JsonValue key, JsonValue value) {
      const std::string_view field = FieldOf(key);
      if (field.empty()) return;
      if (!seen.insert(field).second) twice = field;
      if (!IsUnset(value)) strays_.emplace(field, value);
    });
    if (twice.empty()) return absl::OkStatus();
    return InvalidArgument("invalid JSON: the field \"" + std::string(twice) +
                           "\" is there more than once (upper and lower case do not differ)");
  }

  // Decides what of it is moved.
  absl::Status Sort() {
    for (const auto& [field, value] : strays_) {
      const std::string_view wanted = field == "Cpuset" ? std::string_view("CpusetCpus") : field;
      // Of the two names of one field the newer counts.
      if (wanted != field && strays_.contains(wanted)) continue;
      const absl::StatusOr<JsonValue> own = FindField(host_, wanted);
      if (!own.ok()) return own.status();
      if (!host_ || (IsMerged(field) && IsUnset(*own))) {
        moved_.emplace(wanted, value);
      } else if (!IsMerged(field) && (!*own || own->raw() != value.raw())) {
        return InvalidArgument("the field \"" + std::string(field) +
                               "\" stands beside HostConfig, where engines do not read it: put it "
                               "into HostConfig");
      }
    }
    return absl::OkStatus();
  }

  bool any() const { return !moved_.empty(); }

  std::string Text() const {
    std::string text = "{";
    root_.ForEachMember([&](JsonValue key, JsonValue value) {
      if (SameJsonKey(key.text(), "HostConfig") || IsMoved(key)) return;
      AppendMember(text, key.raw(), value.raw());
    });
    AppendMember(text, "\"HostConfig\"", HostText());
    return text + "}";
  }

 private:
  static void AppendMember(std::string& to, std::string_view key, std::string_view value) {
    if (to.size() > 1) to += ',';
    to.append(key).append(":").append(value);
  }

  bool IsMoved(JsonValue key) const {
    const std::string_view field = FieldOf(key);
    return moved_.contains(field == "Cpuset" ? std::string_view("CpusetCpus") : field);
  }

  std::string HostText() const {
    std::string text = "{";
    host_.ForEachMember([&](JsonValue key, JsonValue value) {
      if (!moved_.contains(FieldOf(key))) AppendMember(text, key.raw(), value.raw());
    });
    for (const auto& [field, value] : moved_) AppendMember(text, JsonString(field), value.raw());
    return text + "}";
  }

  JsonValue root_, host_;
  std::map<std::string_view, JsonValue> strays_, moved_;
};

}  // namespace

absl::StatusOr<std::string> GatherHostConfig(JsonValue root) {
  Gathering gathering(root);
  if (absl::Status found = gathering.Find(); !found.ok()) return found;
  if (absl::Status sorted = gathering.Sort(); !sorted.ok()) return sorted;
  if (!gathering.any()) return std::string();
  return gathering.Text();
}

}  // namespace swarm
