#include "api/image_holders.h"

#include <algorithm>
#include <utility>

#include "api/container_filters.h"
#include "async/await.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/images.h"

namespace swarm {
namespace {

constexpr std::string_view kAlgorithm = "sha256:";

bool IsIdPrefix(std::string_view id, std::string_view reference) {
  if (id.starts_with(kAlgorithm) && !reference.starts_with(kAlgorithm))
    id.remove_prefix(kAlgorithm.size());
  return id.starts_with(reference);
}

StringMap<NodePointer> HealthyByAddress(const Context& context) {
  StringMap<NodePointer> nodes;
  for (NodePointer& node : context.cluster().Nodes()) {
    if (node->state != NodeState::kHealthy) continue;
    std::string address = node->address;
    nodes.emplace(std::move(address), std::move(node));
  }
  return nodes;
}

bool IsNamed(const Image& image, std::string_view reference, const std::string& with_tag) {
  const auto& tags = image.repo_tags;
  const auto& digests = image.repo_digests;
  return std::find(tags.begin(), tags.end(), with_tag) != tags.end() ||
         std::find(digests.begin(), digests.end(), reference) != digests.end() ||
         !IsIdPrefix(image.id, reference);
}

absl::StatusOr<FoundImage> Find(const Context& context, std::string_view reference,
                                NodePointer only) {
  const StringMap<NodePointer> nodes = HealthyByAddress(context);
  const std::string with_tag = WithDefaultTag(reference);
  std::vector<ImageCopy> by_name, by_id;
  for (const std::shared_ptr<const ImageEntry>& entry : context.cluster().Images()) {
    const auto node = nodes.find(entry->node);
    if (node == nodes.end() || (only && node->second->address != only->address)) continue;
    if (!ImageMatches(entry->image, reference)) continue;
    (IsNamed(entry->image, reference, with_tag) ? by_name : by_id)
        .push_back({node->second, entry->image.id, entry->image.created});
  }
  FoundImage found;
  found.reference = reference;
  found.named = !by_name.empty();
  found.only = std::move(only);
  found.copies = std::move(found.named ? by_name : by_id);
  if (found.copies.empty()) return NotFound("No such image: " + with_tag);
  for (const ImageCopy& copy : found.copies) {
    if (found.named || copy.id == found.copies.front().id) continue;
    return InvalidArgument("multiple IDs found with provided prefix: " + std::string(reference) +
                           " (" + found.copies.front().id + ", " + copy.id + ")");
  }
  std::stable_sort(found.copies.begin(), found.copies.end(),
                   [](const ImageCopy& left, const ImageCopy& right) {
                     return left.node->name < right.node->name;
                   });
  return found;
}

}  // namespace

absl::StatusOr<FoundImage> FindImage(const Context& context, std::string_view reference) {
  absl::StatusOr<FoundImage> found = Find(context, reference, nullptr);
  if (!absl::IsNotFound(found.status())) return found;
  const auto [node, rest] = SplitNode(context, reference);
  if (!node) return found;
  absl::StatusOr<FoundImage> on_node = Find(context, rest, node);
  if (on_node.ok()) return on_node;
  return found;
}

std::string NewestId(const FoundImage& found) {
  const auto newest = std::max_element(found.copies.begin(), found.copies.end(),
                                       [](const ImageCopy& left, const ImageCopy& right) {
                                         if (left.created != right.created)
                                           return left.created < right.created;
                                         return left.id > right.id;
                                       });
  return newest->id;
}

std::vector<NodePointer> HoldersOf(const Context& context, std::string_view id,
                                   const NodePointer& only) {
  const StringMap<NodePointer> nodes = HealthyByAddress(context);
  std::vector<NodePointer> holders;
  for (const std::shared_ptr<const ImageEntry>& entry : context.cluster().Images()) {
    const auto node = nodes.find(entry->node);
    if (node == nodes.end() || entry->image.id != id) continue;
    if (only && node->second->address != only->address) continue;
    holders.push_back(node->second);
  }
  return holders;
}

std::string DescribeCopies(const std::vector<ImageCopy>& copies) {
  constexpr std::size_t kShortId = 12;
  std::vector<std::string> texts;
  for (const ImageCopy& copy : copies) {
    std::string_view id = copy.id;
    if (id.starts_with(kAlgorithm)) id.remove_prefix(kAlgorithm.size());
    texts.push_back(copy.node->name + " (" + std::string(id.substr(0, kShortId)) + ")");
  }
  return Join(texts, ", ");
}

bool IsImageReference(std::string_view text) {
  constexpr std::size_t kMostReference = 512;
  if (text.empty() || text.size() > kMostReference) return false;
  const auto is_plain = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') ||
           std::string_view("._:/@-+[]").find(letter) != std::string_view::npos;
  };
  if (!std::all_of(text.begin(), text.end(), is_plain)) return false;
  const std::vector<std::string_view> pieces = Split(text, '/');
  return std::none_of(pieces.begin(), pieces.end(), [](std::string_view piece) {
    return piece.empty() || piece == "." || piece == "..";
  });
}

Task<absl::Status> RereadImages(ContextPointer context, std::string node_address) {
  auto start = [context = std::move(context),
                address = std::move(node_address)](Callback<absl::Status> done) mutable {
    context->cluster().RefreshImages(std::move(address), std::move(done));
  };
  return AwaitCallback<absl::Status>(std::move(start));
}

}  // namespace swarm
