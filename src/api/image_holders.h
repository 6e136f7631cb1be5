// Which nodes hold an image.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/context.h"

namespace swarm {

// What one healthy node has under a reference.
struct ImageCopy {
  NodePointer node;
  std::string id;
  WallTime created{};
};

// What a reference means in the cluster.
struct FoundImage {
  std::string reference;          // as an engine is asked: without "NODE/"
  bool named = false;             // by a tag or digest; else by id, and then all ids are the same
  NodePointer only;               // set when the reference was "NODE/IMAGE"
  std::vector<ImageCopy> copies;  // by node name; never empty
};

// A tag or digest counts before an id. "n1/nginx" means nginx on n1 only where no image has that
// very name. NotFound in the engine's words; InvalidArgument when a prefix fits several images.
// Only nodes that are healthy count.
absl::StatusOr<FoundImage> FindImage(const Context& context, std::string_view reference);

// Where nodes have different images under one name, the newest counts; equal ages by id.
std::string NewestId(const FoundImage& found);

// The healthy nodes that hold the image under any name or none, by name; only the one of
// FoundImage::only, if that is set.
std::vector<NodePointer> HoldersOf(const Context& context, std::string_view id,
                                   const NodePointer& only);

// "n1 (abc..), n2 (def...)" with short ids.
std::string DescribeCopies(const std::vector<ImageCopy>& copies);

// Names that may stand in an engine's path: the characters of image references, and no empty, "."
// or ".." piece.
bool IsImageReference(std::string_view text);

// Reads the images of the node again, so that the next list shows them.
Task<absl::Status> RereadImages(ContextPointer context, std::string node_address);

}  // namespace swarm
