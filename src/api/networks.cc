// Networks as other tools look them up: read only, asked of the engines each time.
#include <deque>
#include <map>
#include <utility>

#include "api/container_filters.h"
#include "api/each_node.h"
#include "api/handlers.h"
#include "api/node_objects.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/filters.h"
#include "wire/json.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

bool IsOurNetwork(JsonValue row) { return !LabelOf(row, kNetworkIdLabel).empty(); }

// One engine's description of a network. The text outlives it.
struct Described {
  std::string_view body;
  JsonValue network;
  NodePointer node;
};

WallTime CreatedOf(const Described& one) {
  return ParseTime(one.network.Find("Created").text()).value_or(WallTime());
}

// The copies of one network (at least one) as one: the oldest, with the containers of all.
std::string Merged(const std::vector<Described>& copies) {
  const Described* oldest = &copies.front();
  std::string containers = "{";
  for (const Described& copy : copies) {
    if (CreatedOf(copy) < CreatedOf(*oldest)) oldest = &copy;
    copy.network.Find("Containers").ForEachMember([&](JsonValue key, JsonValue value) {
      if (containers.size() > 1) containers += ',';
      containers.append(key.raw()).append(":").append(value.raw());
    });
  }
  TextEdits edits;
  HideLabels(oldest->network, edits);
  const JsonValue old = oldest->network.Find("Containers");
  if (old.is(JsonDocument::Kind::kObject)) {
    edits.Replace(old.begin(), old.end(), containers + "}");
  }
  return edits.Apply(oldest->body, oldest->network.begin(), oldest->network.end());
}

// A row of the list: a network of one node, or all copies of one.
struct Row {
  std::vector<Described> copies;
  bool own = false;
};

// Rows of all nodes; what is of the whole cluster once only.
class NetworkRows {
 public:
  void Add(const NodePointer& node, std::string_view body, JsonValue networks) {
    networks.ForEachElement([&](JsonValue network) {
      const bool local = IsLocal(network);
      const bool ours = IsOurNetwork(network);
      if (local && !ours) {
        Row& row = rows_.emplace_back();
        row.own = true;
        row.copies.push_back({body, network, node});
        return;
      }
      const std::string key =
          local ? "name " + network.Find("Name").text() : "id " + network.Find("Id").text();
      const auto [known, is_new] = known_.try_emplace(key, rows_.size());
      if (is_new) rows_.emplace_back();
      std::vector<Described>& copies = rows_[known->second].copies;
      if (local || copies.empty()) copies.push_back({body, network, node});
    });
  }

  std::string Text() const {
    std::string text = "[";
    for (const Row& row : rows_) {
      if (text.size() > 1) text += ',';
      const Described& first = row.copies.front();
      text +=
          row.own ? ShownObject(first.body, first.network, first.node.get()) : Merged(row.copies);
    }
    return text + "]\n";
  }

 private:
  std::vector<Row> rows_;
  std::map<std::string, std::size_t> known_;
};

// With the engines' words: not all of them say it with the same status.
absl::Status CheckTypes(const Query& query) {
  const std::string* text = FindQuery(query, "filters");
  const absl::StatusOr<FilterArguments> filters =
      ParseFilters(text == nullptr ? std::string_view() : *text);
  if (!filters.ok()) return filters.status();
  const auto types = filters->find("type");
  if (types == filters->end()) return absl::OkStatus();
  for (const std::string& type : types->second) {
    if (type == "custom" || type == "builtin") continue;
    return InvalidArgument("invalid filter: 'type'='" + type + "'");
  }
  return absl::OkStatus();
}

// Every copy of the network of the cluster with that name, as one.
Task<Result> InspectCopies(ContextPointer context, std::string name, Query query,
                           ApiVersion client) {
  std::vector<NodePointer> nodes = HealthyNodes(*context);
  std::string path = "/networks/" + PercentEncode(name);
  const std::vector<NodeAnswer> answers =
      co_await AskNodes(context, std::move(nodes), std::move(path), std::move(query), client);
  std::deque<JsonDocument> documents;
  std::vector<Described> copies;
  std::vector<std::string> silent;
  for (const NodeAnswer& said : answers) {
    if (!said.answer.ok()) silent.push_back(said.node->name);
    if (!said.answer.ok() || said.answer->status != 200) continue;
    JsonDocument& document = documents.emplace_back();
    if (!document.Parse(said.answer->body).ok() || !IsOurNetwork(document.root())) continue;
    copies.push_back({said.answer->body, document.root(), said.node});
  }
  if (copies.empty()) co_return NotFound("network " + name + " not found");
  Reply reply = JsonReply(200, Merged(copies) + "\n");
  NoteUnreachable(*context, silent, reply);
  co_return reply;
}

}  // namespace

Task<Result> ListNetworks(ContextPointer context, ApiExchange exchange) {
  if (absl::Status types = CheckTypes(exchange.query); !types.ok()) co_return types;
  absl::StatusOr<NodeSelection> narrowed = SelectNodes(*context, exchange.query);
  if (!narrowed.ok()) co_return narrowed.status();
  const std::vector<NodeAnswer> answers =
      co_await AskNodes(context, std::move(narrowed->nodes), "/networks",
                        std::move(narrowed->query), exchange.version);
  NetworkRows rows;
  std::deque<JsonDocument> documents;
  std::vector<std::string> silent;
  for (const NodeAnswer& said : answers) {
    if (said.answer.ok() && said.answer->status == 400) {
      co_return HttpError(400, "the filters were refused by node " + said.node->name,
                          said.answer->body);
    }
    JsonDocument& document = documents.emplace_back();
    if (!said.answer.ok() || said.answer->status != 200 ||
        !document.Parse(said.answer->body).ok()) {
      silent.push_back(said.node->name);
      continue;
    }
    rows.Add(said.node, said.answer->body, document.root());
  }
  Reply reply = JsonReply(200, rows.Text());
  NoteUnreachable(*context, silent, reply);
  co_return reply;
}

Task<Result> InspectNetwork(ContextPointer context, ApiExchange exchange) {
  const absl::Status unknown = NotFound("network " + exchange.name + " not found");
  const bool on_node = SplitNode(*context, exchange.name).first != nullptr;
  const Query query = exchange.query;
  const ApiVersion client = exchange.version;
  Result answer = co_await InspectFirst(context, std::move(exchange), "/networks/", unknown);
  JsonDocument document;
  if (!answer.ok() || answer->status != 200 || !document.Parse(answer->body).ok()) co_return answer;
  if (!IsOurNetwork(document.root())) co_return answer;
  if (on_node) {
    answer->body = ShownObject(answer->body, document.root(), nullptr) + "\n";
    co_return answer;
  }
  std::string name = document.root().Find("Name").text();
  Result merged = co_await InspectCopies(context, std::move(name), query, client);
  co_return merged;
}

}  // namespace swarm
