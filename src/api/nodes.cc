// Nodes under /swarmd/v1: ours, not the Docker API's.
#include "api/nodes.h"

#include <utility>

#include "api/handlers.h"
#include "api/reply.h"
#include "async/await.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/node_report.h"

namespace swarm {
namespace {

std::string TextOf(const Context& context, const Node& node) {
  return FormatNode(node, context.cluster().TotalsOf(node.address));
}

Task<Result> Cordon(ContextPointer context, std::string reference, bool cordoned) {
  const absl::StatusOr<NodePointer> node = FindOneNode(*context, reference);
  if (!node.ok()) co_return node.status();
  const std::string address = (*node)->address;
  const absl::Status set = co_await SetCordon(context, address, cordoned);
  if (!set.ok()) co_return set;
  const absl::StatusOr<NodePointer> now = FindOneNode(*context, address);
  if (!now.ok()) co_return now.status();
  co_return JsonReply(200, TextOf(*context, **now) + "\n");
}

}  // namespace

absl::StatusOr<NodePointer> FindOneNode(const Context& context, std::string_view reference) {
  std::vector<NodePointer> found;
  std::vector<std::string> addresses;
  if (!reference.empty()) {
    for (NodePointer& node : context.cluster().Nodes()) {
      if (node->address == reference) return std::move(node);
      if (node->name != reference && node->id != reference) continue;
      addresses.push_back(node->address);
      found.push_back(std::move(node));
    }
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return NotFound("no node has the name, id or address " + std::string(reference) +
                    ": GET /swarmd/v1/nodes lists all");
  }
  return AlreadyExists(std::to_string(found.size()) + " nodes are called " +
                       std::string(reference) + " (" + Join(addresses, ", ") +
                       "): say which by its address");
}

Task<absl::Status> SetCordon(ContextPointer context, std::string address, bool cordoned) {
  auto start = [context, address = std::move(address),
                cordoned](Callback<absl::Status> done) mutable {
    context->cluster().Cordon(std::move(address), cordoned, std::move(done));
  };
  return AwaitCallback<absl::Status>(std::move(start));
}

Task<Result> ListNodes(ContextPointer context, ApiExchange) {
  std::string body = "[";
  for (const NodePointer& node : context->cluster().Nodes()) {
    if (body.size() > 1) body += ',';
    body += TextOf(*context, *node);
  }
  co_return JsonReply(200, body + "]\n");
}

Task<Result> InspectNode(ContextPointer context, ApiExchange exchange) {
  const absl::StatusOr<NodePointer> node = FindOneNode(*context, exchange.name);
  if (!node.ok()) co_return node.status();
  co_return JsonReply(200, TextOf(*context, **node) + "\n");
}

Task<Result> CordonNode(ContextPointer context, ApiExchange exchange) {
  return Cordon(std::move(context), std::move(exchange.name), true);
}

Task<Result> UncordonNode(ContextPointer context, ApiExchange exchange) {
  return Cordon(std::move(context), std::move(exchange.name), false);
}

}  // namespace swarm
