#include "api/volumes.h"

#include <algorithm>
#include <set>
#include <utility>

#include "api/each_node.h"
#include "api/handlers.h"
#include "api/node_objects.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/json.h"

namespace swarm {
namespace {

bool IsOurVolume(JsonValue row) { return !LabelOf(row, kVolumeIdLabel).empty(); }

// Appends the rows of one node's list; volumes of the whole cluster once only.
void AppendVolumes(std::string& to, std::string_view body, JsonValue rows, const Node& node,
                   std::set<std::string>& seen) {
  rows.ForEachElement([&](JsonValue row) {
    const bool own = IsLocal(row) && !IsOurVolume(row);
    if (!own && !seen.insert(row.Find("Name").text()).second) return;
    if (to.back() != '[') to += ',';
    to += ShownObject(body, row, own ? &node : nullptr);
  });
}

}  // namespace

Task<FoundVolumes> FindVolumes(ContextPointer context, std::vector<std::string> names) {
  FoundVolumes found;
  if (names.empty()) co_return found;
  const std::set<std::string, std::less<>> wanted(names.begin(), names.end());
  std::vector<NodePointer> nodes = HealthyNodes(*context);
  Query query = FilterBy("name", names);
  const ApiVersion version = LookUpVersion();
  const std::vector<NodeAnswer> answers = co_await AskNodesUntil(
      context, std::move(nodes), "/volumes", std::move(query), version, kLookUpPatience, nullptr);
  for (const NodeAnswer& said : answers) {
    JsonDocument document;
    if (!said.answer.ok() || said.answer->status != 200 ||
        !document.Parse(said.answer->body).ok()) {
      found.silent.push_back(said.node);
      continue;
    }
    // Engines match names as patterns.
    document.root().Find("Volumes").ForEachElement([&](JsonValue row) {
      const std::string name = row.Find("Name").text();
      if (!wanted.contains(name)) return;
      found.copies[name].push_back({said.node, IsLocal(row), LabelOf(row, kVolumeIdLabel)});
    });
  }
  for (auto& [name, copies] : found.copies) {
    const auto is_ours = [](const VolumeCopy& copy) { return copy.ours(); };
    if (std::none_of(copies.begin(), copies.end(), is_ours)) continue;
    std::erase_if(copies, [&](const VolumeCopy& copy) { return !is_ours(copy); });
  }
  co_return found;
}

HoldersByVolume DownHolders(const Context& context, const std::vector<std::string>& volumes) {
  HoldersByVolume holders;
  std::map<std::string, NodePointer, std::less<>> down;
  for (NodePointer& node : context.cluster().Nodes()) {
    if (node->state != NodeState::kHealthy) down.emplace(node->address, std::move(node));
  }
  if (down.empty() || volumes.empty()) return holders;
  const std::set<std::string_view> wanted(volumes.begin(), volumes.end());
  std::set<std::pair<std::string_view, std::string_view>> known;
  for (const ContainerPointer& entry : context.cluster().Containers()) {
    const auto node = down.find(entry->container.node);
    if (node == down.end()) continue;
    for (const std::string& used : entry->container.volumes) {
      const auto volume = wanted.find(used);
      if (volume == wanted.end() || !known.emplace(*volume, node->first).second) continue;
      holders[used].push_back(node->second);
    }
  }
  for (auto& [volume, nodes] : holders) {
    std::sort(nodes.begin(), nodes.end(), [](const NodePointer& left, const NodePointer& right) {
      return left->name < right->name;
    });
  }
  return holders;
}

Task<std::vector<std::string>> NodesWithVolumesOf(ContextPointer context, std::string project) {
  std::vector<NodePointer> nodes = HealthyNodes(*context);
  Query query = FilterBy("label", {std::string(kComposeProjectLabel) + "=" + project});
  const ApiVersion version = LookUpVersion();
  const std::vector<NodeAnswer> answers =
      co_await AskNodes(context, std::move(nodes), "/volumes", std::move(query), version);
  std::vector<std::string> addresses;
  for (const NodeAnswer& said : answers) {
    JsonDocument document;
    if (!said.answer.ok() || said.answer->status != 200 || !document.Parse(said.answer->body).ok())
      continue;
    bool stays = false;
    document.root().Find("Volumes").ForEachElement([&](JsonValue row) {
      stays = stays || !context->fresh_volumes().Find(row.Find("Name").text());
    });
    if (stays) addresses.push_back(said.node->address);
  }
  co_return addresses;
}

Task<Result> MakeVolume(ContextPointer context, NodePointer node, std::string name,
                        std::string body, std::string id, ApiVersion client, std::stop_token stop) {
  const Labels labels = {{std::string(kVolumeIdLabel), std::move(id)}};
  NodeRequest request;
  request.node = std::move(node);
  request.method = "POST";
  request.path = "/volumes/create";
  request.body = WithNameAndLabels(body, name, labels);
  return AskOne(std::move(context), std::move(request), client, std::move(stop));
}

bool IsMadeAs(const Result& answer, std::string_view id) {
  JsonDocument document;
  return answer.ok() && answer->status < 400 && document.Parse(answer->body).ok() &&
         LabelOf(document.root(), kVolumeIdLabel) == id;
}

Task<Result> ListVolumes(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<NodeSelection> narrowed = SelectNodes(*context, exchange.query);
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
    AppendVolumes(body, said.answer->body, document.root().Find("Volumes"), *said.node, seen);
  }
  body += "],\"Warnings\":";
  AppendJsonStrings(body, warnings);
  Reply reply = JsonReply(200, body + "}\n");
  NoteUnreachable(*context, silent, reply);
  co_return reply;
}

Task<Result> InspectVolume(ContextPointer context, ApiExchange exchange) {
  const absl::Status unknown = NotFound("get " + exchange.name + ": no such volume");
  Result answer = co_await InspectFirst(context, std::move(exchange), "/volumes/", unknown);
  JsonDocument document;
  if (!answer.ok() || answer->status != 200 || !document.Parse(answer->body).ok()) co_return answer;
  if (!IsOurVolume(document.root())) co_return answer;
  answer->body = ShownObject(answer->body, document.root(), nullptr) + "\n";
  co_return answer;
}

}  // namespace swarm
