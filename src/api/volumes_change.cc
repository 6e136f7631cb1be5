// Volumes made, removed and pruned.
#include <algorithm>
#include <utility>

#include "api/compose.h"
#include "api/container_filters.h"
#include "api/each_node.h"
#include "api/handlers.h"
#include "api/held_names.h"
#include "api/node_objects.h"
#include "api/prune_report.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "api/verdicts.h"
#include "api/volumes.h"
#include "base/text.h"
#include "model/names.h"
#include "swarmlib/status.h"
#include "wire/create.h"
#include "wire/errors.h"
#include "wire/json.h"

namespace swarm {
namespace {

// From this version on a prune without the filter `all` leaves named volumes alone.
constexpr ApiVersion kPruneKeepsNamed{1, 42};

// The engine's answer to a create, as the client shall see it.
Result ShownCreate(Result answer, const Node* node) {
  JsonDocument document;
  if (!answer.ok() || answer->status >= 400 || !document.Parse(answer->body).ok()) return answer;
  answer->body = ShownObject(answer->body, document.root(), node) + "\n";
  return answer;
}

Task<Result> CreateOn(ContextPointer context, NodePointer node, std::string body, ApiVersion client,
                      std::stop_token stop) {
  NodeRequest request;
  request.node = std::move(node);
  request.method = "POST";
  request.path = "/volumes/create";
  request.body = std::move(body);
  return AskForClient(std::move(context), std::move(request), client, std::move(stop));
}

// Where its labels have put it a volume stays, and so does one of another driver.
bool MayMove(const ObjectRequest& wanted) {
  const bool placed = wanted.labels.contains(std::string(kConstraintsLabel)) ||
                      wanted.labels.contains(std::string(kAffinitiesLabel)) ||
                      wanted.labels.contains(std::string(kWhitelistsLabel));
  return !placed && !wanted.name.empty() && (wanted.driver.empty() || wanted.driver == "local");
}

Task<Result> SettleFor(ApiVersion client, NodePointer node, Result answer) {
  if (!answer.ok()) co_return answer.status();
  Reply reply = *std::move(answer);
  Result settled = co_await SettleError(std::move(reply), client, SpokenTo(*node, client));
  co_return settled;
}

// One volume of the cluster, with its name locked; an empty name is left to the engine.
Task<Result> CreateClusterVolume(ContextPointer context, ObjectRequest wanted, std::string body,
                                 ApiVersion client, std::stop_token stop) {
  FoundVolumes found;
  if (IsVolumeName(wanted.name)) {
    std::vector<std::string> names = {wanted.name};
    found = co_await FindVolumes(context, std::move(names));
  }
  const auto known = found.copies.find(wanted.name);
  if (known != found.copies.end()) {
    // It is there: the engine says so, or in what it differs.
    const NodePointer holder = known->second.front().node;
    Result answer = co_await CreateOn(context, holder, std::move(body), client, std::move(stop));
    co_return ShownCreate(std::move(answer), nullptr);
  }
  if (absl::Status sure = UnlessSilent(found.silent, "volume " + wanted.name); !sure.ok())
    co_return sure;
  const HoldersByVolume down = DownHolders(*context, {wanted.name});
  if (!down.empty()) {
    co_return Unavailable("volume " + wanted.name + " is on node " + NamesOf(down.begin()->second) +
                          ", which does not answer");
  }
  std::vector<std::string> preferred;
  const std::vector<NetworkCopy> no_networks;
  if (!wanted.project.empty()) preferred = co_await HomeOf(context, wanted.project, no_networks);
  std::string what = "volume " + wanted.name;
  const absl::StatusOr<NodePointer> node =
      co_await PlaceObject(context, std::move(what), wanted, std::move(preferred));
  if (!node.ok()) co_return node.status();
  const std::string id = context->NewSwarmId();
  // Remembered before it is there, so that nobody takes it for one that stays.
  const bool movable = MayMove(wanted);
  if (movable) {
    const TimePoint now = context->clock().Now();
    context->fresh_volumes().Remember(wanted.name, {(*node)->address, body, id, now});
  }
  Result answer =
      co_await MakeVolume(context, *node, wanted.name, body, id, client, std::move(stop));
  if (movable && !IsMadeAs(answer, id)) context->fresh_volumes().Forget(wanted.name);
  Result settled = co_await SettleFor(client, *node, std::move(answer));
  co_return ShownCreate(std::move(settled), nullptr);
}

// The nodes that have the volume: the cluster's, or whoever has one of that name.
Task<absl::StatusOr<std::vector<NodePointer>>> HoldersOf(ContextPointer context, std::string name) {
  std::vector<NodePointer> nodes = HealthyNodes(*context);
  std::string path = "/volumes/" + PercentEncode(name);
  const Query query;
  const ApiVersion version = LookUpVersion();
  const std::vector<NodeAnswer> answers = co_await AskNodesUntil(
      context, std::move(nodes), std::move(path), query, version, kLookUpPatience, nullptr);
  std::vector<NodePointer> holders, ours, silent;
  for (const NodeAnswer& said : answers) {
    JsonDocument document;
    if (said.answer.ok() && said.answer->status == 404) continue;
    if (!said.answer.ok() || said.answer->status != 200 ||
        !document.Parse(said.answer->body).ok()) {
      silent.push_back(said.node);
      continue;
    }
    holders.push_back(said.node);
    if (!LabelOf(document.root(), kVolumeIdLabel).empty()) ours.push_back(said.node);
  }
  if (!ours.empty()) co_return ours;
  if (!holders.empty()) co_return holders;
  if (absl::Status sure = UnlessSilent(silent, "volume " + name); !sure.ok()) co_return sure;
  co_return holders;
}

Task<Result> RemoveEverywhere(ContextPointer context, ApiExchange exchange) {
  const std::string name = exchange.name;
  const absl::StatusOr<std::vector<NodePointer>> holders = co_await HoldersOf(context, name);
  if (!holders.ok()) co_return holders.status();
  const std::string* force = FindQuery(exchange.query, "force");
  Reply done = EmptyReply(204);
  NoteUnreachable(*context, {}, done);
  if (holders->empty()) {
    if (force != nullptr && ParseBoolean(*force)) co_return done;
    co_return NotFound("get " + name + ": no such volume");
  }
  std::vector<NodeRequest> requests;
  for (const NodePointer& node : *holders) {
    requests.push_back({node, "DELETE", "/volumes/" + PercentEncode(name), exchange.query, ""});
  }
  EachOptions options;
  options.client = exchange.version;
  options.timeout = kPatientChange;
  options.stop = std::move(exchange.request.stop);
  const std::vector<NodeAnswer> answers =
      co_await AskEach(context, std::move(requests), std::move(options));
  const absl::Status failure = FirstFailure(answers, "volume " + name + " was removed on node ");
  if (!failure.ok()) co_return failure;
  context->fresh_volumes().Forget(name);
  co_return done;
}

// Engines below kPruneKeepsNamed would prune named volumes too: of theirs, the unused ones whose
// names the engine has made up are removed one by one.
Task<Result> PruneAnonymous(ContextPointer context, NodePointer node, std::stop_token stop) {
  NodeRequest list;
  list.node = node;
  list.method = "GET";
  list.path = "/volumes";
  list.query = FilterBy("dangling", {"true"});
  const ApiVersion version = LookUpVersion();
  Result listed = co_await AskOne(context, std::move(list), version, stop);
  if (!listed.ok() || listed->status != 200) co_return listed;
  JsonDocument document;
  if (absl::Status parsed = document.Parse(listed->body); !parsed.ok()) co_return parsed;
  std::vector<std::string> removed;
  for (const JsonValue row : document.root().Find("Volumes").elements()) {
    const std::string name = row.Find("Name").text();
    if (!IsFullId(name)) continue;
    NodeRequest request{node, "DELETE", "/volumes/" + name, {}, ""};
    const Result answer =
        co_await AskOne(context, std::move(request), version, stop, kPatientChange);
    // One that came into use meanwhile stays.
    if (answer.ok() && answer->status < 400) removed.push_back(name);
  }
  std::string body = "{\"VolumesDeleted\":";
  AppendJsonStrings(body, removed);
  co_return JsonReply(200, body + ",\"SpaceReclaimed\":0}\n");
}

// False when the engine would remove more than the client means.
bool MayPruneAsAsked(const FilterArguments& filters, ApiVersion client, ApiVersion spoken) {
  if (client < kPruneKeepsNamed || spoken >= kPruneKeepsNamed) return true;
  const auto all = filters.find("all");
  return all != filters.end() && !all->second.empty() && ParseBoolean(all->second.front());
}

Task<Result> PruneNode(ContextPointer context, NodePointer node, FilterArguments filters,
                       ApiVersion client, std::stop_token stop) {
  const ApiVersion spoken = SpokenTo(*node, client);
  if (!MayPruneAsAsked(filters, client, spoken)) {
    if (filters.empty()) {
      Result pruned = co_await PruneAnonymous(context, node, std::move(stop));
      co_return pruned;
    }
    co_return InvalidArgument(
        "its engine is too old to prune only anonymous volumes by a filter: "
        "ask with the filter all=1");
  }
  if (spoken < kPruneKeepsNamed) filters.erase("all");
  NodeRequest request;
  request.node = node;
  request.method = "POST";
  request.path = "/volumes/prune";
  if (!filters.empty()) request.query = {{"filters", FormatFilters(filters)}};
  Result answer =
      co_await AskOne(context, std::move(request), client, std::move(stop), kPatientChange);
  co_return answer;
}

}  // namespace

Task<Result> CreateVolume(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<std::string> body =
      co_await JsonBody(exchange.memory, exchange.request.headers, std::move(exchange.request.body),
                        std::move(exchange.request.body_stream), exchange.request.body_length);
  if (!body.ok()) co_return body.status();
  if (Trim(*body).empty()) *body = "{}";
  absl::StatusOr<ObjectRequest> wanted = ParseObjectRequest(*body);
  if (!wanted.ok()) co_return wanted.status();
  const ApiVersion client = exchange.version;
  const auto [node, name] = SplitNode(*context, wanted->name);
  if (absl::Status known = CheckNodeOf("volume", wanted->name, node); !known.ok()) co_return known;
  if (node) {
    const NodePointer own = node;
    std::string renamed = WithNameAndLabels(*body, name, {});
    Result answer =
        co_await CreateOn(context, own, std::move(renamed), client, exchange.request.stop);
    co_return ShownCreate(std::move(answer), own.get());
  }
  std::vector<std::string> names;
  if (!wanted->name.empty()) names.push_back(VolumeLock(wanted->name));
  const absl::Status locked = co_await LockNames(context->locks(), names);
  if (!locked.ok()) co_return locked;
  const HeldNames held(context, names);
  ObjectRequest request = *std::move(wanted);
  std::string text = *std::move(body);
  Result answer = co_await CreateClusterVolume(context, std::move(request), std::move(text), client,
                                               exchange.request.stop);
  co_return answer;
}

Task<Result> RemoveVolume(ContextPointer context, ApiExchange exchange) {
  const auto [node, plain] = SplitNode(*context, exchange.name);
  if (!IsPlainName(plain)) co_return NotFound("get " + exchange.name + ": no such volume");
  if (node) {
    EngineCall call;
    call.node = node;
    call.path = "/volumes/" + PercentEncode(plain);
    call.timeout = kPatientChange;
    Result answer = co_await CallEngine(context, std::move(exchange), std::move(call));
    co_return answer;
  }
  const std::vector<std::string> names = {VolumeLock(exchange.name)};
  const absl::Status locked = co_await LockNames(context->locks(), names);
  if (!locked.ok()) co_return locked;
  const HeldNames held(context, names);
  Result answer = co_await RemoveEverywhere(context, std::move(exchange));
  co_return answer;
}

Task<Result> PruneVolumes(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<NodeSelection> narrowed = SelectNodes(*context, exchange.query);
  if (!narrowed.ok()) co_return narrowed.status();
  FilterArguments filters;
  if (const std::string* text = FindQuery(narrowed->query, "filters")) {
    absl::StatusOr<FilterArguments> parsed = ParseFilters(*text);
    if (!parsed.ok()) co_return parsed.status();
    filters = *std::move(parsed);
  }
  const std::vector<NodePointer> nodes = std::move(narrowed->nodes);
  AskNumber ask = [context, nodes, filters, client = exchange.version,
                   stop = exchange.request.stop](std::size_t at) {
    return PruneNode(context, nodes[at], filters, client, stop);
  };
  std::vector<Result> results = co_await AskNumbers(nodes.size(), std::move(ask));
  PruneReport report("VolumesDeleted");
  for (std::size_t at = 0; at < nodes.size(); ++at) report.Add(nodes[at], std::move(results[at]));
  const absl::Status failure = report.Failure();
  if (!failure.ok()) co_return failure;
  Reply reply = JsonReply(200, report.Text());
  NoteUnreachable(*context, {}, reply);
  co_return reply;
}

}  // namespace swarm
