// What a container is attached to: named volumes and networks of a create body, and the requests
// that make them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "swarmlib/model.h"
#include "wire/json.h"

namespace swarm {

// Labels that make a network or a volume on an engine a part of one of the cluster.
inline constexpr std::string_view kNetworkIdLabel = "com.docker.swarm.network.id";
inline constexpr std::string_view kNetworkSpecLabel = "com.docker.swarm.network.spec";
inline constexpr std::string_view kVolumeIdLabel = "com.docker.swarm.volume.id";
// Of containers, networks and volumes that one compose project made.
inline constexpr std::string_view kComposeProjectLabel = "com.docker.compose.project";

// "node/web" → "web", with the node's name in `node`. A first slash is the old way to write a plain
// name.
std::string_view WithoutNode(std::string_view reference, std::string& node);

// A volume that a container names without a node.
struct NamedVolume {
  std::string name;
  bool bare = true;  // nothing is said about it but its name: no driver, options or labels

  friend bool operator==(const NamedVolume&, const NamedVolume&) = default;
};

// What engines take as a volume's name.
bool IsVolumeName(std::string_view name);

// The named volumes of Binds and Mounts, each once. "node/" is taken off in `edits`, and `pin` is
// called with the node. InvalidArgument for a field of the wrong shape.
absl::StatusOr<std::vector<NamedVolume>> ReadNamedVolumes(
    JsonValue host_config, const std::function<void(const std::string&)>& pin, TextEdits& edits);

// False for what every engine has ("", default, bridge, host, none) and for "container:...".
bool IsNetworkReference(std::string_view mode);

// A create body that names networks by `names`, wherever it named them by the keys of it.
std::string WithNetworkNames(std::string_view body,
                             const std::map<std::string, std::string>& names);

// A request to make a network or volume.
struct ObjectRequest {
  std::string name;     // as given, maybe "node/name"
  std::string driver;   // empty = the engine's default
  std::string project;  // label com.docker.compose.project
  Labels labels;  // com.docker.swarm.{constraints,affinities,whitelists} too, as of a container
};

// InvalidArgument: no JSON object, or a field of the wrong type.
absl::StatusOr<ObjectRequest> ParseObjectRequest(std::string_view body);

// The body with another name, and further labels over its own. `body` was parsed before.
std::string WithNameAndLabels(std::string_view body, std::string_view name, const Labels& labels);
// The body with CheckDuplicate true, so that old engines refuse a second network of one name.
std::string WithCheckDuplicate(std::string_view body);

// True for a label that only the manager and engines see.
bool IsHiddenLabel(std::string_view key);
// Takes hidden labels out of `object`'s Labels.
void HideLabels(JsonValue object, TextEdits& edits);

}  // namespace swarm
