// Which images a list shows.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/context.h"

namespace swarm {

using ImageCopies = std::vector<std::shared_ptr<const ImageEntry>>;

// What one image list asks for: filters dangling, label, reference, before, since, until and node.
struct ImageQuery {
  FilterArguments filters;
  std::optional<WallTime> before, since, until;

  // InvalidArgument with the engine's words for an unknown filter, a bad value or an unknown image.
  static absl::StatusOr<ImageQuery> Read(const Context& context, const Query& query,
                                         ApiVersion client);

  // `copies` are of one image; those on other nodes than asked for are taken out before.
  bool Shows(const Image& image) const;
  bool WantsNode(const Node& node) const;
  // The same copy with only the names that the filter `reference` asks for, as engines list it.
  std::shared_ptr<const ImageEntry> WantedNames(std::shared_ptr<const ImageEntry> copy) const;
};

// "nginx", "nginx:1.*", "library/ngin?": as path.Match on the name and on name:tag.
bool MatchesReference(std::string_view pattern, const Image& image);

}  // namespace swarm
