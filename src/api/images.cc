#include <algorithm>
#include <utility>

#include "api/container_filters.h"
#include "api/handlers.h"
#include "api/image_filters.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/images.h"

namespace swarm {
namespace {

// The nodes by address, as they are now.
StringMap<NodePointer> NodesByAddress(const Context& context) {
  StringMap<NodePointer> nodes;
  for (NodePointer& node : context.cluster().Nodes()) {
    std::string address = node->address;
    nodes.emplace(std::move(address), std::move(node));
  }
  return nodes;
}

// One image's copies on the nodes that are asked for.
struct ImageGroup {
  ImageCopies copies;
  std::vector<std::string> names;  // of the nodes
};

std::vector<ImageGroup> Groups(const Context& context, const ImageQuery& query) {
  const StringMap<NodePointer> nodes = NodesByAddress(context);
  std::vector<ImageGroup> groups;
  for (std::shared_ptr<const ImageEntry>& entry : context.cluster().Images()) {
    const auto node = nodes.find(entry->node);
    if (node == nodes.end() || !query.WantsNode(*node->second) || !query.Shows(entry->image))
      continue;
    // Images come by id, so copies of one image stand together.
    if (groups.empty() || groups.back().copies.front()->image.id != entry->image.id)
      groups.emplace_back();
    groups.back().copies.push_back(std::move(entry));
    groups.back().names.push_back(node->second->name);
  }
  std::stable_sort(
      groups.begin(), groups.end(), [](const ImageGroup& left, const ImageGroup& right) {
        return left.copies.front()->image.created > right.copies.front()->image.created;
      });
  return groups;
}

// Where an image is: its id, and healthy nodes that hold it.
struct Located {
  std::string id;
  std::vector<NodePointer> nodes;
};

bool IsIdPrefix(std::string_view id, std::string_view reference) {
  constexpr std::string_view kAlgorithm = "sha256:";
  if (id.starts_with(kAlgorithm) && !reference.starts_with(kAlgorithm))
    id.remove_prefix(kAlgorithm.size());
  return id.starts_with(reference);
}

// A tag or digest counts before an id; a prefix that fits several images is refused.
absl::StatusOr<Located> Locate(const Context& context, std::string_view reference,
                               const NodePointer& only) {
  const StringMap<NodePointer> nodes = NodesByAddress(context);
  const std::string with_tag = WithDefaultTag(reference);
  std::vector<std::pair<std::string, NodePointer>> by_name, by_id;
  for (const std::shared_ptr<const ImageEntry>& entry : context.cluster().Images()) {
    const auto node = nodes.find(entry->node);
    if (node == nodes.end() || node->second->state != NodeState::kHealthy) continue;
    if (only && node->second->address != only->address) continue;
    if (!ImageMatches(entry->image, reference)) continue;
    const auto& tags = entry->image.repo_tags;
    const auto& digests = entry->image.repo_digests;
    const bool named = std::find(tags.begin(), tags.end(), with_tag) != tags.end() ||
                       std::find(digests.begin(), digests.end(), reference) != digests.end() ||
                       !IsIdPrefix(entry->image.id, reference);
    (named ? by_name : by_id).emplace_back(entry->image.id, node->second);
  }
  Located located;
  const bool named = !by_name.empty();
  for (auto& [id, node] : named ? by_name : by_id) {
    if (located.id.empty()) located.id = id;
    if (located.id == id) {
      located.nodes.push_back(std::move(node));
    } else if (!named) {
      return InvalidArgument("multiple IDs found with provided prefix: " + std::string(reference) +
                             " (" + located.id + ", " + id + ")");
    }
  }
  if (located.nodes.empty()) return NotFound("No such image: " + with_tag);
  return located;
}

// "n1/nginx" means nginx on n1 only where no image has that very name.
absl::StatusOr<Located> LocateAnywhere(const Context& context, std::string_view reference) {
  absl::StatusOr<Located> located = Locate(context, reference, nullptr);
  if (!absl::IsNotFound(located.status())) return located;
  const auto [node, rest] = SplitNode(context, reference);
  if (!node) return located;
  absl::StatusOr<Located> on_node = Locate(context, rest, node);
  if (on_node.ok()) return on_node;
  return located;
}

Task<Result> AskHolder(ContextPointer context, Exchange exchange, std::string verb) {
  const absl::StatusOr<Located> located = LocateAnywhere(*context, exchange.name);
  if (!located.ok()) co_return located.status();
  Result answer = NotFound("No such image: " + exchange.name);
  constexpr std::size_t kMostTries = 3;
  for (std::size_t at = 0; at < std::min(located->nodes.size(), kMostTries); ++at) {
    Exchange again;
    again.request.method = exchange.request.method;
    again.request.headers = exchange.request.headers;
    again.request.stop = exchange.request.stop;
    again.query = exchange.query;
    again.version = exchange.version;
    EngineCall call;
    call.node = located->nodes[at];
    call.path = "/images/" + PercentEncode(located->id) + "/" + verb;
    Result said = co_await CallEngine(context, std::move(again), std::move(call));
    answer = std::move(said);
    if (answer.ok() && answer->status != 404) co_return answer;
  }
  co_return answer;
}

}  // namespace

Task<Result> ListImages(ContextPointer context, Exchange exchange) {
  const absl::StatusOr<ImageQuery> query =
      ImageQuery::Read(*context, exchange.query, exchange.version);
  if (!query.ok()) co_return query.status();
  std::string body = "[";
  for (const ImageGroup& group : Groups(*context, *query)) {
    absl::StatusOr<std::string> row = MergedImageRow(group.copies, group.names, exchange.version);
    if (!row.ok()) co_return row.status();
    if (body.size() > 1) body += ',';
    body += *row;
  }
  body += "]\n";
  co_return JsonReply(200, std::move(body));
}

Task<Result> InspectImage(ContextPointer context, Exchange exchange) {
  return AskHolder(std::move(context), std::move(exchange), "json");
}

Task<Result> ImageHistory(ContextPointer context, Exchange exchange) {
  return AskHolder(std::move(context), std::move(exchange), "history");
}

}  // namespace swarm
