// Networks made, removed, pruned, and containers connected to them.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "api/compose.h"
#include "api/container_filters.h"
#include "api/each_node.h"
#include "api/handlers.h"
#include "api/held_names.h"
#include "api/networks.h"
#include "api/node_objects.h"
#include "api/prune_report.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "api/verdicts.h"
#include "async/await.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/host_config.h"
#include "wire/json.h"

namespace swarm {
namespace {

constexpr std::size_t kMostNetworkRequest = 64U << 10U;  // bytes: each copy keeps it in a label

absl::Status NoNetwork(const FoundNetworks& found, const std::string& reference) {
  if (absl::Status sure = UnlessSilent(found.silent, "network " + reference); !sure.ok())
    return sure;
  return NotFound("network " + reference + " not found");
}

// With its name locked.
Task<Result> CreateClusterNetwork(ContextPointer context, ObjectRequest wanted, std::string body,
                                  ApiVersion client, std::stop_token stop) {
  const FoundNetworks found = co_await FindNetworks(context);
  for (const NetworkCopy& copy : found.copies) {
    if (copy.name != wanted.name || wanted.name.empty()) continue;
    co_return AlreadyExists("network with name " + wanted.name + " already exists" +
                            (copy.ours() ? "" : " on node " + copy.node->name));
  }
  const absl::Status sure = UnlessSilent(found.silent, "network " + wanted.name);
  if (!sure.ok()) co_return sure;
  std::vector<std::string> preferred;
  if (!wanted.project.empty()) {
    preferred = co_await HomeOf(context, wanted.project, found.copies);
  }
  std::string what = "network " + wanted.name;
  const absl::StatusOr<NodePointer> node =
      co_await PlaceObject(context, std::move(what), wanted, std::move(preferred));
  if (!node.ok()) co_return node.status();
  const NodePointer chosen = *node;
  std::string cluster_id = context->NewSwarmId();
  Result answer = co_await MakeNetwork(context, chosen, wanted.name, std::move(body),
                                       std::move(cluster_id), client, std::move(stop));
  if (!answer.ok()) co_return answer.status();
  Reply reply = *std::move(answer);
  Result settled = co_await SettleError(std::move(reply), client, SpokenTo(*chosen, client));
  co_return settled;
}

Task<Result> RemoveCopies(ContextPointer context, std::string reference, ApiExchange exchange) {
  const FoundNetworks found = co_await FindNetworks(context);
  const absl::StatusOr<std::vector<NetworkCopy>> copies = MatchNetwork(found, reference);
  if (!copies.ok()) co_return copies.status();
  if (copies->empty()) co_return NoNetwork(found, reference);
  // A node that may have a copy is waited for by asking again: else the network would come back.
  if (copies->front().ours()) {
    if (absl::Status sure = UnlessSilent(found.silent, "copy of network " + reference); !sure.ok())
      co_return sure;
  }
  // One of global scope is the same on all.
  const bool same = std::all_of(copies->begin(), copies->end(), [&](const NetworkCopy& copy) {
    return copy.id == copies->front().id;
  });
  if (!same && !copies->front().ours()) {
    std::vector<std::string> names;
    for (const NetworkCopy& copy : *copies) names.push_back(copy.node->name + "/" + copy.name);
    co_return AlreadyExists("network " + reference + " is on several nodes, each its own: " +
                            Join(names, ", ") + ". Use node/name");
  }
  std::vector<NodeRequest> requests;
  for (const NetworkCopy& copy : *copies) {
    requests.push_back({copy.node, "DELETE", "/networks/" + PercentEncode(copy.id), {}, ""});
  }
  const std::vector<NodeAnswer> answers = co_await AskEach(
      context, std::move(requests), exchange.version, std::move(exchange.request.stop));
  const absl::Status failure =
      FirstFailure(answers, "network " + reference + " was removed on node ");
  if (!failure.ok()) co_return failure;
  Reply done = EmptyReply(204);
  NoteUnreachable(*context, {}, done);
  co_return done;
}

// What a connect or disconnect asks for.
struct Joining {
  std::string body;
  std::string container;  // as given
  bool force = false;
};

absl::StatusOr<Joining> ParseJoining(std::string body) {
  JsonDocument document;
  if (absl::Status parsed = document.Parse(body); !parsed.ok()) return parsed;
  absl::StatusOr<std::string> container = TextField(document.root(), "Container");
  if (!container.ok()) return container.status();
  if (container->empty()) return InvalidArgument("the body names no Container");
  const absl::StatusOr<JsonValue> force = FindField(document.root(), "Force");
  if (!force.ok()) return force.status();
  const bool forced = *force && force->boolean();
  return Joining{std::move(body), *std::move(container), forced};
}

std::string WithContainer(const std::string& body, std::string_view id) {
  JsonDocument document;
  if (!document.Parse(body).ok()) return body;
  const absl::StatusOr<JsonValue> field = FindField(document.root(), "Container");
  if (!field.ok() || !*field) return body;
  TextEdits edits;
  edits.Replace(field->begin(), field->end(), JsonString(id));
  return edits.Apply(body, 0, body.size());
}

// The name or id under which the node's engine knows the network; a copy is made for a connect.
Task<absl::StatusOr<std::string>> NetworkOn(ContextPointer context, NodePointer node,
                                            std::string reference, bool connects) {
  FoundNetworks found = co_await FindNetworks(context);
  absl::StatusOr<std::vector<NetworkCopy>> copies = MatchNetwork(found, reference);
  if (!copies.ok()) co_return copies.status();
  if (copies->empty()) co_return NoNetwork(found, reference);
  if (const NetworkCopy* there = CopyOn(*copies, node->address)) co_return there->id;
  const std::string name = copies->front().name;
  if (!copies->front().local) co_return copies->front().id;
  if (!connects) co_return name;
  const std::vector<std::string> names = {NetworkLock(name)};
  const absl::Status locked = co_await LockNames(context->locks(), names);
  if (!locked.ok()) co_return locked;
  const HeldNames held(context, names);
  // Another may have made the copy meanwhile.
  found = co_await FindNetworks(context);
  copies = MatchNetwork(found, name);
  absl::Status brought = NotFound("network " + reference + " not found");
  if (copies.ok() && !copies->empty()) {
    std::vector<NetworkCopy> known = *std::move(copies);
    brought = co_await BringNetwork(context, node, std::move(known));
  }
  if (!brought.ok()) co_return brought;
  co_return name;
}

Task<absl::Status> Refresh(ContextPointer context, ContainerPointer entry) {
  auto start = [context = std::move(context),
                entry = std::move(entry)](Callback<absl::Status> done) {
    context->cluster().RefreshContainer(entry, std::move(done));
  };
  return AwaitCallback<absl::Status>(std::move(start));
}

// Of a container that nobody knows: each node that has the network is asked.
Task<Result> DisconnectVanished(ContextPointer context, ApiExchange exchange, Joining wanted) {
  const FoundNetworks found = co_await FindNetworks(context);
  const absl::StatusOr<std::vector<NetworkCopy>> copies = MatchNetwork(found, exchange.name);
  if (!copies.ok()) co_return copies.status();
  if (copies->empty()) co_return NoNetwork(found, exchange.name);
  std::vector<NodeRequest> requests;
  for (const NetworkCopy& copy : *copies) {
    requests.push_back({copy.node,
                        "POST",
                        "/networks/" + PercentEncode(copy.id) + "/disconnect",
                        {},
                        wanted.body});
  }
  std::vector<NodeAnswer> answers = co_await AskEach(context, std::move(requests), exchange.version,
                                                     std::move(exchange.request.stop));
  for (NodeAnswer& said : answers) {
    if (said.answer.ok() && said.answer->status < 400) co_return std::move(said.answer);
  }
  co_return FailureOf(answers.front());
}

Task<Result> ChangeMembers(ContextPointer context, ApiExchange exchange, std::string verb) {
  absl::StatusOr<std::string> body =
      co_await JsonBody(exchange.memory, exchange.request.headers, std::move(exchange.request.body),
                        std::move(exchange.request.body_stream), exchange.request.body_length);
  if (!body.ok()) co_return body.status();
  absl::StatusOr<Joining> parsed = ParseJoining(*std::move(body));
  if (!parsed.ok()) co_return parsed.status();
  Joining wanted = *std::move(parsed);
  const bool connects = verb == "connect";
  const absl::StatusOr<ContainerPointer> entry = FindContainer(*context, wanted.container);
  if (!entry.ok()) {
    if (connects || !wanted.force || !absl::IsNotFound(entry.status())) co_return entry.status();
    Result answer = co_await DisconnectVanished(context, std::move(exchange), std::move(wanted));
    co_return answer;
  }
  const ContainerPointer container = *entry;
  const NodePointer node = container->node;
  const auto [named, plain] = SplitNode(*context, exchange.name);
  if (!IsPlainName(plain)) co_return NotFound("network " + exchange.name + " not found");
  if (named && named->address != node->address) {
    co_return FailedPrecondition("network " + exchange.name + " is the own one of node " +
                                 named->name + ", container " + wanted.container + " is on " +
                                 node->name);
  }
  std::string target(plain);
  if (!named && IsNetworkReference(target)) {
    absl::StatusOr<std::string> there = co_await NetworkOn(context, node, exchange.name, connects);
    if (!there.ok()) co_return there.status();
    target = *std::move(there);
  }
  NodeRequest request;
  request.node = node;
  request.method = "POST";
  request.path = "/networks/" + PercentEncode(target) + "/" + verb;
  request.body = WithContainer(wanted.body, container->container.id);
  Result answer = co_await AskForClient(context, std::move(request), exchange.version,
                                        std::move(exchange.request.stop));
  if (!answer.ok() || answer->status >= 400) co_return answer;
  const absl::Status reread = co_await Refresh(context, container);
  // It is connected all the same; the next reading shows it.
  (void)reread;
  co_return answer;
}

}  // namespace

Task<Result> CreateNetwork(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<std::string> body =
      co_await JsonBody(exchange.memory, exchange.request.headers, std::move(exchange.request.body),
                        std::move(exchange.request.body_stream), exchange.request.body_length);
  if (!body.ok()) co_return body.status();
  absl::StatusOr<ObjectRequest> wanted = ParseObjectRequest(*body);
  if (!wanted.ok()) co_return wanted.status();
  if (body->size() > kMostNetworkRequest) {
    co_return HttpError(413, "the request for a network is larger than " +
                                 std::to_string(kMostNetworkRequest) + " bytes");
  }
  const ApiVersion client = exchange.version;
  const auto [node, name] = SplitNode(*context, wanted->name);
  if (absl::Status known = CheckNodeOf("network", wanted->name, node); !known.ok()) co_return known;
  if (node) {
    NodeRequest request;
    request.node = node;
    request.method = "POST";
    request.path = "/networks/create";
    request.body = WithNameAndLabels(*body, name, {});
    Result answer = co_await AskForClient(context, std::move(request), client,
                                          std::move(exchange.request.stop));
    co_return answer;
  }
  const std::vector<std::string> names = {NetworkLock(wanted->name)};
  const absl::Status locked = co_await LockNames(context->locks(), names);
  if (!locked.ok()) co_return locked;
  const HeldNames held(context, names);
  ObjectRequest object = *std::move(wanted);
  std::string text = *std::move(body);
  Result answer = co_await CreateClusterNetwork(context, std::move(object), std::move(text), client,
                                                std::move(exchange.request.stop));
  co_return answer;
}

Task<Result> RemoveNetwork(ContextPointer context, ApiExchange exchange) {
  const auto [node, plain] = SplitNode(*context, exchange.name);
  if (!IsPlainName(plain)) co_return NotFound("network " + exchange.name + " not found");
  NodePointer only = node;
  const std::vector<NodePointer> healthy = HealthyNodes(*context);
  // What every engine has is refused in the engine's words.
  if (!node && !IsNetworkReference(plain) && !healthy.empty()) only = healthy.front();
  if (only) {
    EngineCall call;
    call.node = only;
    call.path = "/networks/" + PercentEncode(plain);
    Result answer = co_await CallEngine(context, std::move(exchange), std::move(call));
    co_return answer;
  }
  const FoundNetworks found = co_await FindNetworks(context);
  const absl::StatusOr<std::vector<NetworkCopy>> copies = MatchNetwork(found, exchange.name);
  if (!copies.ok()) co_return copies.status();
  if (copies->empty()) co_return NoNetwork(found, exchange.name);
  const std::vector<std::string> names = {NetworkLock(copies->front().name)};
  const absl::Status locked = co_await LockNames(context->locks(), names);
  if (!locked.ok()) co_return locked;
  const HeldNames held(context, names);
  std::string reference = exchange.name;
  Result answer = co_await RemoveCopies(context, std::move(reference), std::move(exchange));
  co_return answer;
}

Task<Result> ConnectNetwork(ContextPointer context, ApiExchange exchange) {
  return ChangeMembers(std::move(context), std::move(exchange), "connect");
}

Task<Result> DisconnectNetwork(ContextPointer context, ApiExchange exchange) {
  return ChangeMembers(std::move(context), std::move(exchange), "disconnect");
}

Task<Result> PruneNetworks(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<NodeSelection> narrowed = SelectNodes(*context, exchange.query);
  if (!narrowed.ok()) co_return narrowed.status();
  FoundNetworks before;
  if (!narrowed->nodes.empty()) before = co_await FindNetworks(context);
  std::vector<NodeRequest> requests;
  for (const NodePointer& node : narrowed->nodes) {
    requests.push_back({node, "POST", "/networks/prune", narrowed->query, ""});
  }
  std::vector<NodeAnswer> answers = co_await AskEach(context, std::move(requests), exchange.version,
                                                     std::move(exchange.request.stop));
  PruneReport report("NetworksDeleted");
  for (NodeAnswer& said : answers) report.Add(said.node, std::move(said.answer));
  const absl::Status failure = report.Failure();
  if (!failure.ok()) co_return failure;
  // A network of the cluster is gone when all its copies are.
  std::map<std::string, int> copies;
  for (const NetworkCopy& copy : before.copies) {
    if (copy.ours()) ++copies[copy.name];
  }
  std::set<std::string> gone;
  for (std::size_t at = 0; at < report.size(); ++at) {
    const Node& node = report.node(at);
    for (const std::string& name : report.removed_by(at)) {
      const auto known = copies.find(name);
      if (known == copies.end() || OwnOn(before, name, node.address) != nullptr) {
        gone.insert(node.name + "/" + name);
      } else if (--known->second == 0) {
        gone.insert(name);
      }
    }
  }
  Reply reply = JsonReply(200, report.TextOf(gone));
  NoteUnreachable(*context, {}, reply);
  co_return reply;
}

}  // namespace swarm
