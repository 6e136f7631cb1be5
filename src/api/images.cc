#include <algorithm>
#include <utility>

#include "api/handlers.h"
#include "api/image_filters.h"
#include "api/image_holders.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "base/text.h"
#include "model/platform.h"
#include "swarmlib/status.h"
#include "wire/errors.h"
#include "wire/images.h"
#include "wire/json.h"

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
    groups.back().copies.push_back(query.WantedNames(std::move(entry)));
    groups.back().names.push_back(node->second->name);
  }
  std::stable_sort(
      groups.begin(), groups.end(), [](const ImageGroup& left, const ImageGroup& right) {
        return left.copies.front()->image.created > right.copies.front()->image.created;
      });
  return groups;
}

// The copies on nodes of the platform that the query asks for, which are those that engines have
// such an image of; all of them when there is none.
FoundImage OfPlatform(FoundImage found, const Query& query) {
  const std::string* text = FindQuery(query, "platform");
  JsonDocument document;
  if (text == nullptr || !document.Parse(*text).ok()) return found;
  // With the stroke whatever is missing: a word alone could be either.
  const std::string platform =
      document.root().Find("os").text() + "/" + document.root().Find("architecture").text();
  if (platform == "/") return found;
  std::vector<ImageCopy> copies;
  for (const ImageCopy& copy : found.copies) {
    if (PlatformMatches(platform, *copy.node)) copies.push_back(copy);
  }
  if (!copies.empty()) found.copies = std::move(copies);
  return found;
}

Task<Result> AskHolder(ContextPointer context, ApiExchange exchange, std::string verb) {
  absl::StatusOr<FoundImage> any = FindImage(*context, exchange.name);
  if (!any.ok()) co_return any.status();
  const FoundImage found = OfPlatform(*std::move(any), exchange.query);
  const std::string id = NewestId(found);
  std::vector<NodePointer> holders;
  for (const ImageCopy& copy : found.copies) {
    if (copy.id == id) holders.push_back(copy.node);
  }
  Result answer = NotFound("No such image: " + exchange.name);
  constexpr std::size_t kMostTries = 3;
  if (holders.size() > kMostTries) holders.resize(kMostTries);
  // One that hangs does not hold up what another can tell.
  if (holders.size() > 1) {
    std::vector<NodePointer> asked = holders;
    std::vector<NodePointer> answering =
        co_await AnsweringNodes(context, std::move(asked), exchange.version);
    if (!answering.empty()) holders = std::move(answering);
  }
  for (std::size_t at = 0; at < holders.size(); ++at) {
    ApiExchange again;
    again.request.method = exchange.request.method;
    again.request.headers = exchange.request.headers;
    again.request.stop = exchange.request.stop;
    again.query = exchange.query;
    again.version = exchange.version;
    EngineCall call;
    call.node = holders[at];
    call.path = "/images/" + PercentEncode(id) + "/" + verb;
    Result said = co_await CallEngine(context, std::move(again), std::move(call));
    answer = std::move(said);
    if (answer.ok() && answer->status != 404) co_return answer;
  }
  co_return answer;
}

}  // namespace

Task<Result> ListImages(ContextPointer context, ApiExchange exchange) {
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

Task<Result> InspectImage(ContextPointer context, ApiExchange exchange) {
  return AskHolder(std::move(context), std::move(exchange), "json");
}

Task<Result> ImageHistory(ContextPointer context, ApiExchange exchange) {
  return AskHolder(std::move(context), std::move(exchange), "history");
}

Task<Result> ImageAttestations(ContextPointer context, ApiExchange exchange) {
  const std::string name = exchange.name;
  Result answer = co_await AskHolder(std::move(context), std::move(exchange), "attestations");
  if (!answer.ok() || answer->status != 404 || EngineMessage(answer->body) != "page not found")
    co_return answer;
  co_return Unimplemented("the attestations of " + name +
                          " cannot be read: the engines that hold it know none (Docker 29 and "
                          "newer do). \"docker info\" shows the version of each");
}

}  // namespace swarm
