// Images as engines list them, and one list of many.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "swarmlib/cluster.h"
#include "swarmlib/model.h"
#include "wire/api_version.h"

namespace swarm {

struct ImageList {
  std::vector<Image> images;
  std::vector<std::string> rows;  // rows[i] is the object of images[i]
};

// The answer of GET /images/json?all=0.
absl::StatusOr<ImageList> ParseImageList(std::string_view body);

// One JSON object for copies of one image on several nodes: RepoTags, RepoDigests and Labels
// united, Containers summed, Nodes added (names, in order), and VirtualSize as the client's version
// has it, whatever the engine's: up to API 1.43, not later. `entries` is not empty; names[i] is
// the node's name of entries[i].
absl::StatusOr<std::string> MergedImageRow(
    const std::vector<std::shared_ptr<const ImageEntry>>& entries,
    const std::vector<std::string>& names, ApiVersion client);

// Full reference forms: "nginx" and "nginx:latest" are the same tag, "sha256:abc" and "abc" the
// same id (12 digits or more, or any unique prefix).
bool ImageMatches(const Image& image, std::string_view reference);
// "nginx" → "nginx:latest"; a digest or a tag stays.
std::string WithDefaultTag(std::string_view reference);

}  // namespace swarm
