#include <algorithm>
#include <array>
#include <utility>

#include "api/handlers.h"
#include "api/image_holders.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "swarmlib/version.h"
#include "wire/manager_info.h"

namespace swarm {
namespace {

ManagerFacts FactsOf(Context& context) {
  const ApiOptions& options = context.options();
  ManagerFacts facts;
  facts.id = options.id;
  facts.host_name = options.host_name;
  facts.kernel_version = options.kernel_version;
  facts.architecture = options.architecture;
  facts.version = options.version;
  facts.experimental = options.experimental;
  facts.now = context.clock().Wall();
  facts.newest = context.offer().Now().newest;
  facts.oldest = OwnOldestApi();
  return facts;
}

void SetClusterGauges(Context& context) {
  Metrics& metrics = context.metrics();
  std::array<std::int64_t, 4> by_state{};
  for (const NodePointer& node : context.cluster().Nodes())
    ++by_state[static_cast<std::size_t>(node->state)];
  for (const NodeState state : {NodeState::kPending, NodeState::kHealthy, NodeState::kUnhealthy,
                                NodeState::kDisconnected}) {
    metrics
        .gauge("swarmd_engines", "Engines of the cluster by state.",
               {{"state", ToLower(NodeStateName(state))}})
        .Set(by_state[static_cast<std::size_t>(state)]);
  }
  const ClusterTotals totals = context.cluster().Totals();
  const std::string_view help = "Containers of the cluster by state.";
  metrics.gauge("swarmd_containers", help, {{"state", "running"}}).Set(totals.running);
  metrics.gauge("swarmd_containers", help, {{"state", "paused"}}).Set(totals.paused);
  metrics.gauge("swarmd_containers", help, {{"state", "stopped"}}).Set(totals.stopped);
  metrics.gauge("swarmd_images", "Images of the cluster, each counted once a node.")
      .Set(totals.images);
  metrics.gauge("swarmd_event_listeners", "Clients that follow /events.")
      .Set(context.event_listeners.load());
  const MemoryBudget& budget = *context.budget();
  metrics
      .gauge("swarmd_client_memory_bytes",
             "Request bodies in memory and answers that clients have not read.")
      .Set(static_cast<std::int64_t>(budget.used()));
  metrics
      .gauge("swarmd_client_memory_limit_bytes",
             "What they may take; beyond, new requests get 503.")
      .Set(static_cast<std::int64_t>(budget.limit()));
  metrics.gauge("swarmd_client_memory_refusals", "Requests refused for want of that memory.")
      .Set(static_cast<std::int64_t>(budget.refused()));
  metrics
      .gauge(
          "swarmd_build_info", "Always 1; the labels tell the build.",
          {{"version", context.options().version}, {"api_version", ApiVersionText(OwnNewestApi())}})
      .Set(1);
}

// One healthy node carries out what any of them can: the first that answers, of the first few.
Task<Result> AskAnyNode(ContextPointer context, ApiExchange exchange, std::string path,
                        bool pass_body) {
  constexpr std::size_t kMostTries = 3;
  std::vector<NodePointer> healthy = HealthyNodes(*context);
  if (healthy.size() > kMostTries) healthy.resize(kMostTries);
  std::vector<NodePointer> nodes = healthy;
  if (healthy.size() > 1)
    nodes = co_await AnsweringNodes(context, std::move(healthy), exchange.version);
  if (nodes.empty()) {
    co_return Unavailable("no healthy node can carry out " + path +
                          ": \"docker info\" shows the state of each");
  }
  Result answer = Unavailable("no node was asked");
  for (const NodePointer& node : nodes) {
    ApiExchange again;
    again.request.method = exchange.request.method;
    again.request.headers = exchange.request.headers;
    again.request.body = exchange.request.body;
    again.request.stop = exchange.request.stop;
    again.query = exchange.query;
    again.version = exchange.version;
    EngineCall call;
    call.node = node;
    call.path = path;
    call.pass_body = pass_body;
    call.registry = true;
    Result said = co_await CallEngine(context, std::move(again), std::move(call));
    answer = std::move(said);
    // An engine's refusal is its answer; only one that could not be asked is passed over.
    if (!absl::IsUnavailable(answer.status())) co_return answer;
  }
  co_return answer;
}

}  // namespace

Task<Result> GetPing(ContextPointer, ApiExchange exchange) {
  Reply reply = TextReply(200, exchange.request.method == "HEAD" ? "" : "OK");
  reply.headers.emplace_back("Builder-Version", "1");
  reply.headers.emplace_back("Swarm", "inactive");
  reply.headers.emplace_back("Cache-Control", "no-cache, no-store, must-revalidate");
  reply.headers.emplace_back("Pragma", "no-cache");
  co_return reply;
}

Task<Result> GetVersion(ContextPointer context, ApiExchange) {
  co_return JsonReply(200, FormatVersion(FactsOf(*context)));
}

Task<Result> GetInfo(ContextPointer context, ApiExchange exchange) {
  const Cluster& cluster = context->cluster();
  ManagerFacts facts = FactsOf(*context);
  facts.strategy = cluster.strategy();
  facts.filters = cluster.filters();
  for (NodePointer& node : cluster.Nodes()) {
    const NodeTotals totals = cluster.TotalsOf(node->address);
    facts.nodes.emplace_back(std::move(node), totals);
  }
  facts.totals = cluster.Totals();
  facts.event_listeners = context->event_listeners.load();
  co_return JsonReply(200, FormatInfo(facts, exchange.version));
}

Task<Result> GetMetrics(ContextPointer context, ApiExchange) {
  SetClusterGauges(*context);
  Reply reply = TextReply(200, context->metrics().Render());
  SetHeader(reply.headers, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  co_return reply;
}

Task<Result> PostAuth(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<std::string> body =
      co_await JsonBody(exchange.memory, exchange.request.headers, std::move(exchange.request.body),
                        std::move(exchange.request.body_stream), exchange.request.body_length);
  if (!body.ok()) co_return body.status();
  exchange.request.body = *std::move(body);
  Result answer = co_await AskAnyNode(std::move(context), std::move(exchange), "/auth", true);
  co_return answer;
}

Task<Result> SearchImages(ContextPointer context, ApiExchange exchange) {
  Result answer =
      co_await AskAnyNode(std::move(context), std::move(exchange), "/images/search", false);
  co_return answer;
}

Task<Result> PluginPrivileges(ContextPointer context, ApiExchange exchange) {
  Result answer =
      co_await AskAnyNode(std::move(context), std::move(exchange), "/plugins/privileges", false);
  co_return answer;
}

Task<Result> InspectDistribution(ContextPointer context, ApiExchange exchange) {
  if (!IsImageReference(exchange.name)) co_return InvalidArgument("invalid reference format");
  const std::string path = "/distribution/" + PercentEncode(exchange.name) + "/json";
  Result answer = co_await AskAnyNode(std::move(context), std::move(exchange), path, false);
  co_return answer;
}

}  // namespace swarm
