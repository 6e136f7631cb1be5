// Networks and volumes as other tools look them up: read only, asked of the engines each
// time.
#include <algorithm>
#include <set>
#include <utility>

#include "api/container_filters.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/json.h"

namespace swarm {
namespace {

// Names and ids that may stand in an engine's path.
bool IsPlainName(std::string_view name) {
  constexpr std::size_t kMostName = 255;
  return !name.empty() && name.size() <= kMostName && name.front() != '.' &&
         name.find_first_of("/\\") == std::string_view::npos;
}

// The nodes that the filter `node` leaves, and the query without it.
struct Narrowed {
  std::vector<NodePointer> nodes;
  Query query;
};

absl::StatusOr<Narrowed> Narrow(const Context& context, const Query& query) {
  Narrowed narrowed{HealthyNodes(context), query};
  const std::string* text = FindQuery(query, "filters");
  if (text == nullptr) return narrowed;
  absl::StatusOr<FilterArguments> filters = ParseFilters(*text);
  if (!filters.ok()) return filters.status();
  const auto wanted = filters->find("node");
  if (wanted == filters->end()) return narrowed;
  const std::vector<std::string> values = wanted->second;
  std::erase_if(narrowed.nodes, [&](const NodePointer& node) {
    return std::none_of(values.begin(), values.end(), [&](const std::string& value) {
      return value == node->id || GlobMatch(value, node->name);
    });
  });
  filters->erase(wanted);
  for (auto& [key, value] : narrowed.query) {
    if (key == "filters") value = FormatFilters(*filters);
  }
  return narrowed;
}

// One row with "node/" before its name when it is the node's own.
std::string RowOf(std::string_view body, JsonValue row, const Node& node, bool local) {
  TextEdits edits;
  const JsonValue name = row.Find("Name");
  if (local && name.is(JsonDocument::Kind::kString)) {
    edits.Replace(name.begin(), name.end(), JsonString(node.name + "/" + name.text()));
  }
  return edits.Apply(body, row.begin(), row.end());
}

// Appends the rows of one node's list; rows of the whole cluster once only.
void AppendRows(std::string& to, std::string_view body, JsonValue rows, const Node& node,
                std::string_view key, std::set<std::string>& seen) {
  rows.ForEachElement([&](JsonValue row) {
    const bool local =
        !row.Find("Scope").is(JsonDocument::Kind::kString) || row.Find("Scope").Equals("local");
    if (!local && !seen.insert(row.Find(key).text()).second) return;
    if (to.back() != '[') to += ',';
    to += RowOf(body, row, node, local);
  });
}

void NoteSilent(Reply& reply, const std::vector<std::string>& silent) {
  if (!silent.empty()) reply.headers.emplace_back("X-Swarmd-Unreachable", Join(silent, ", "));
}

// The first node by name that has it is known when all before it have said that they have not.
bool FirstIsKnown(const std::vector<NodeAnswer>& answers) {
  for (const NodeAnswer& said : answers) {
    if (!said.answered) return false;
    if (said.answer.ok() && said.answer->status == 200) return true;
  }
  return true;
}

// What there is of one name: on the node that the name tells, or the first that has it.
Task<Result> InspectFirst(ContextPointer context, Exchange exchange, std::string path,
                          absl::Status unknown) {
  auto [node, name] = SplitNode(*context, exchange.name);
  if (!IsPlainName(name)) co_return unknown;
  std::vector<NodePointer> nodes;
  if (node) {
    nodes.push_back(node);
  } else {
    nodes = HealthyNodes(*context);
  }
  const std::string target = path + PercentEncode(name);
  std::vector<NodeAnswer> answers =
      co_await AskNodesUntil(context, std::move(nodes), target, exchange.query, exchange.version,
                             kFanOutPatience, FirstIsKnown);
  for (NodeAnswer& said : answers) {
    if (said.answer.ok() && said.answer->status == 200) co_return std::move(said.answer);
  }
  for (NodeAnswer& said : answers) {
    if (!said.answered) continue;
    if (!said.answer.ok()) co_return said.answer.status();
    if (said.answer->status == 404) continue;
    Reply reply = *std::move(said.answer);
    Result settled = co_await SettleError(std::move(reply), exchange.version,
                                          SpokenTo(*said.node, exchange.version));
    co_return settled;
  }
  co_return unknown;
}

}  // namespace

Task<Result> ListNetworks(ContextPointer context, Exchange exchange) {
  absl::StatusOr<Narrowed> narrowed = Narrow(*context, exchange.query);
  if (!narrowed.ok()) co_return narrowed.status();
  const std::vector<NodeAnswer> answers =
      co_await AskNodes(context, std::move(narrowed->nodes), "/networks",
                        std::move(narrowed->query), exchange.version);
  std::string body = "[";
  std::set<std::string> seen;
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
    AppendRows(body, said.answer->body, document.root(), *said.node, "Id", seen);
  }
  Reply reply = JsonReply(200, body + "]\n");
  NoteSilent(reply, silent);
  co_return reply;
}

Task<Result> ListVolumes(ContextPointer context, Exchange exchange) {
  absl::StatusOr<Narrowed> narrowed = Narrow(*context, exchange.query);
  if (!narrowed.ok()) co_return narrowed.status();
  const std::vector<NodeAnswer> answers =
      co_await AskNodes(context, std::move(narrowed->nodes), "/volumes", std::move(narrowed->query),
                        exchange.version);
  std::string body = "{\"Volumes\":[";
  std::set<std::string> seen;
  std::vector<std::string> silent, warnings;
  for (const NodeAnswer& said : answers) {
    JsonDocument document;
    if (said.answer.ok() && said.answer->status == 400) {
      co_return HttpError(400, "the filters were refused by node " + said.node->name,
                          said.answer->body);
    }
    if (!said.answer.ok() || said.answer->status != 200 ||
        !document.Parse(said.answer->body).ok()) {
      silent.push_back(said.node->name);
      warnings.push_back("the volumes of node " + said.node->name +
                         " are not listed: it did not answer");
      continue;
    }
    AppendRows(body, said.answer->body, document.root().Find("Volumes"), *said.node, "Name", seen);
  }
  body += "],\"Warnings\":";
  AppendJsonStrings(body, warnings);
  Reply reply = JsonReply(200, body + "}\n");
  NoteSilent(reply, silent);
  co_return reply;
}

Task<Result> InspectNetwork(ContextPointer context, Exchange exchange) {
  const absl::Status unknown = NotFound("network " + exchange.name + " not found");
  return InspectFirst(std::move(context), std::move(exchange), "/networks/", unknown);
}

Task<Result> InspectVolume(ContextPointer context, Exchange exchange) {
  const absl::Status unknown = NotFound("get " + exchange.name + ": no such volume");
  return InspectFirst(std::move(context), std::move(exchange), "/volumes/", unknown);
}

}  // namespace swarm
