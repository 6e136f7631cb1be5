// Plugins belong to single engines: all of them are listed, none is changed from here.
#include <algorithm>
#include <utility>

#include "api/container_filters.h"
#include "api/each_node.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/json.h"

namespace swarm {
namespace {

// "vieux/sshfs:latest", "localhost:5000/team/plugin@sha256:...": what may stand in an engine's
// path.
bool IsPluginReference(std::string_view name) {
  constexpr std::size_t kMostReference = 512;
  if (name.empty() || name.size() > kMostReference) return false;
  for (const std::string_view part : Split(name, '/')) {
    if (part.empty() || part.front() == '.') return false;
  }
  return std::all_of(name.begin(), name.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') ||
           std::string_view("._-/:@").find(letter) != std::string_view::npos;
  });
}

std::string WithNode(std::string_view body, JsonValue row, const Node& node) {
  TextEdits edits;
  edits.AddMember(row, "\"Node\":" + JsonString(node.name));
  return edits.Apply(body, row.begin(), row.end());
}

}  // namespace

Task<Result> ListPlugins(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<NodeSelection> chosen = SelectNodes(*context, exchange.query);
  if (!chosen.ok()) co_return chosen.status();
  const std::vector<NodeAnswer> answers = co_await AskNodes(
      context, std::move(chosen->nodes), "/plugins", std::move(chosen->query), exchange.version);
  std::string body = "[";
  std::vector<std::string> silent;
  for (const NodeAnswer& said : answers) {
    JsonDocument document;
    if (said.answer.ok() && said.answer->status == 400) {
      co_return HttpError(400, "the filters were refused by node " + said.node->name,
                          said.answer->body);
    }
    if (!said.answer.ok() || said.answer->status != 200 ||
        !document.Parse(said.answer->body).ok()) {
      silent.push_back(said.node->name);
      continue;
    }
    document.root().ForEachElement([&](JsonValue row) {
      if (body.back() != '[') body += ',';
      body += WithNode(said.answer->body, row, *said.node);
    });
  }
  Reply reply = JsonReply(200, body + "]\n");
  NoteUnreachable(*context, silent, reply);
  co_return reply;
}

Task<Result> InspectPlugin(ContextPointer context, ApiExchange exchange) {
  const absl::Status unknown = NotFound("plugin \"" + exchange.name + "\" not found");
  auto [node, name] = SplitNode(*context, exchange.name);
  if (!IsPluginReference(name)) co_return unknown;
  NodePointer only = node;
  std::string target = "/plugins/" + PercentEncode(name) + "/json";
  absl::StatusOr<NodeReply> found = co_await AskFirst(std::move(context), std::move(exchange),
                                                      std::move(only), std::move(target), unknown);
  if (!found.ok()) co_return found.status();
  Reply& reply = found->reply;
  JsonDocument document;
  if (reply.status == 200 && document.Parse(reply.body).ok() &&
      document.root().is(JsonDocument::Kind::kObject)) {
    std::string body = WithNode(reply.body, document.root(), *found->node);
    reply.body = std::move(body);
  }
  co_return std::move(reply);
}

}  // namespace swarm
