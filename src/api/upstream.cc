#include "api/upstream.h"

#include <algorithm>
#include <utility>

#include "async/await.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/errors.h"

namespace swarm {
namespace {

bool StaysBehind(std::string_view name, bool registry) {
  constexpr std::string_view kNever[] = {"Host",
                                         "Connection",
                                         "Keep-Alive",
                                         "Proxy-Connection",
                                         "Proxy-Authenticate",
                                         "Proxy-Authorization",
                                         "TE",
                                         "Trailer",
                                         "Transfer-Encoding",
                                         "Content-Length",
                                         "Upgrade",
                                         "Expect",
                                         "Accept-Encoding",
                                         "Authorization",
                                         "Cookie",
                                         "Forwarded",
                                         "Via"};
  constexpr std::string_view kRegistry[] = {"X-Registry-Auth", "X-Registry-Config"};
  for (const std::string_view never : kNever) {
    if (EqualsIgnoreCase(name, never)) return true;
  }
  for (const std::string_view field : kRegistry) {
    if (EqualsIgnoreCase(name, field)) return !registry;
  }
  return ToLower(name).starts_with("x-swarmd-");
}

// What one AskNodes round waits for. On one loop.
struct Round {
  std::vector<NodeAnswer>* answers;
  std::size_t left = 0;
  Callback<bool> done;
};

struct Question {
  std::string path;
  Query query;
  ApiVersion client;
};

void Ask(Cluster& cluster, const Question& question, const std::shared_ptr<Round>& round,
         std::size_t at) {
  const NodePointer node = (*round->answers)[at].node;
  std::shared_ptr<BackendClient> client = cluster.EngineClient(node->address);
  Callback<Result> settle = [round, at, client](Result answer) {
    (*round->answers)[at].answer = std::move(answer);
    if (--round->left == 0) round->done(true);
  };
  if (!client) {
    settle(Unavailable("node " + node->name + " (" + node->address + ") has left the cluster"));
    return;
  }
  Request request;
  request.method = "GET";
  request.target = EngineTarget(SpokenTo(*node, question.client), question.path, question.query);
  CallOptions options;
  options.timeout = kShortCall;
  client->Call(std::move(request), std::move(options), std::move(settle));
}

}  // namespace

ApiVersion SpokenTo(const Node& node, ApiVersion client) {
  const ApiVersion most = ParseApiVersion(node.api_version).value_or(OwnNewestApi());
  const ApiVersion least = ParseApiVersion(node.min_api_version).value_or(OwnOldestApi());
  return ClampApiVersion(client, std::min(least, most), most);
}

std::string EngineTarget(ApiVersion spoken, std::string_view path, const Query& query) {
  std::string target = "/v" + ApiVersionText(spoken);
  target += path;
  const std::string text = FormatQuery(query);
  if (!text.empty()) target += '?' + text;
  return target;
}

Headers EngineHeaders(const Headers& client, bool registry) {
  Headers kept;
  for (const auto& field : client) {
    if (!StaysBehind(field.first, registry)) kept.push_back(field);
  }
  return kept;
}

Task<Result> SendToEngine(ContextPointer context, NodePointer node, Request request,
                          EngineCall::Way way, CallOptions options) {
  const std::shared_ptr<BackendClient> client = context->cluster().EngineClient(node->address);
  if (!client) {
    co_return Unavailable("node " + node->name + " (" + node->address + ") has left the cluster");
  }
  BackendClient& engine = *client;
  const std::stop_token given_up = options.stop;
  Result answer = Internal("not asked");
  switch (way) {
    case EngineCall::Way::kWhole:
      answer = co_await Call(engine, std::move(request), std::move(options));
      break;
    case EngineCall::Way::kStream:
      answer = co_await OpenStream(engine, std::move(request), std::move(options));
      break;
    case EngineCall::Way::kTunnel:
      answer = co_await Upgrade(engine, std::move(request), std::move(options));
      break;
  }
  // Not by the client: the node fell ill before it had answered.
  if (absl::IsCancelled(answer.status()) && !given_up.stop_requested()) {
    co_return HttpError(503, MessageOf(answer.status()));
  }
  co_return answer;
}

Task<Result> SettleError(Reply reply, ApiVersion client, ApiVersion spoken) {
  if (reply.status < 400) co_return reply;
  if (reply.body_stream) {
    const std::unique_ptr<Stream> stream = std::move(reply.body_stream);
    absl::StatusOr<std::string> rest = co_await ReadAll(*stream, kMostErrorBody);
    // A broken error body does not change that it is an error.
    if (rest.ok()) reply.body += *rest;
    reply.body_length.reset();
  }
  if ((client < kJsonErrors) == (spoken < kJsonErrors)) co_return reply;
  const absl::Status error = HttpError(std::min(reply.status, 599), EngineMessage(reply.body));
  co_return ErrorReply(error, client);
}

Task<Result> CallEngine(ContextPointer context, Exchange exchange, EngineCall call) {
  const ApiVersion spoken = SpokenTo(*call.node, exchange.version);
  Request request;
  request.method = std::move(exchange.request.method);
  request.target = EngineTarget(spoken, call.path, exchange.query);
  request.headers = EngineHeaders(exchange.request.headers, call.registry);
  if (call.pass_body) {
    request.body = std::move(exchange.request.body);
    request.body_stream = std::move(exchange.request.body_stream);
    request.body_length = exchange.request.body_length;
  } else {
    RemoveHeader(request.headers, "Content-Type");
  }
  if (call.way == EngineCall::Way::kTunnel && exchange.request.wants_upgrade) {
    const std::string* wanted = FindHeader(exchange.request.headers, "Upgrade");
    request.wants_upgrade = true;
    SetHeader(request.headers, "Upgrade", wanted == nullptr ? std::string_view("tcp") : *wanted);
  }
  CallOptions options;
  options.timeout = call.timeout;
  options.max_body = call.max_body;
  options.stop = std::move(exchange.request.stop);
  Result answer =
      co_await SendToEngine(context, call.node, std::move(request), call.way, std::move(options));
  if (!answer.ok()) co_return answer.status();
  Reply reply = *std::move(answer);
  Result settled = co_await SettleError(std::move(reply), exchange.version, spoken);
  co_return settled;
}

Task<std::vector<NodeAnswer>> AskNodes(ContextPointer context, std::vector<NodePointer> nodes,
                                       std::string path, Query query, ApiVersion client) {
  std::vector<NodeAnswer> answers;
  for (NodePointer& node : nodes) {
    NodeAnswer& answer = answers.emplace_back();
    answer.node = std::move(node);
    answer.answer = Internal("not asked");
  }
  auto question =
      std::make_shared<const Question>(Question{std::move(path), std::move(query), client});
  auto round = std::make_shared<Round>();
  round->answers = &answers;
  for (std::size_t begin = 0; begin < answers.size(); begin += kMostAtOnce) {
    const std::size_t end = std::min(begin + kMostAtOnce, answers.size());
    auto start = [context, question, round, begin, end](Callback<bool> done) {
      round->left = end - begin;
      round->done = std::move(done);
      for (std::size_t at = begin; at < end; ++at) Ask(context->cluster(), *question, round, at);
    };
    co_await AwaitCallback<bool>(std::move(start));
  }
  co_return answers;
}

std::vector<NodePointer> HealthyNodes(const Context& context) {
  std::vector<NodePointer> nodes = context.cluster().Nodes();
  std::erase_if(nodes, [](const NodePointer& node) { return node->state != NodeState::kHealthy; });
  return nodes;
}

Task<absl::StatusOr<std::string>> WholeBody(std::string body, std::unique_ptr<Stream> stream,
                                            std::optional<std::uint64_t> length, std::size_t most) {
  const absl::Status too_large =
      HttpError(413, "the request body is larger than " + std::to_string(most) + " bytes");
  if (body.size() > most || length.value_or(0) > most) co_return too_large;
  if (!stream) co_return body;
  absl::StatusOr<std::string> rest = co_await ReadAll(*stream, most - body.size());
  if (!rest.ok()) {
    if (absl::IsResourceExhausted(rest.status())) co_return too_large;
    co_return rest.status();
  }
  co_return body + *rest;
}

Task<absl::StatusOr<std::string>> JsonBody(Headers headers, std::string body,
                                           std::unique_ptr<Stream> stream,
                                           std::optional<std::uint64_t> length) {
  const std::string* type = FindHeader(headers, "Content-Type");
  const bool empty = body.empty() && (!stream || (length.has_value() && *length == 0));
  if (type != nullptr || !empty) {
    const std::string_view given = type == nullptr ? std::string_view() : std::string_view(*type);
    if (!EqualsIgnoreCase(Trim(given.substr(0, given.find(';'))), "application/json")) {
      co_return InvalidArgument("unsupported Content-Type header (" + std::string(given) +
                                "): must be 'application/json'");
    }
  }
  absl::StatusOr<std::string> whole =
      co_await WholeBody(std::move(body), std::move(stream), length, kMostJsonBody);
  co_return whole;
}

absl::StatusOr<ContainerPointer> FindContainer(const Context& context, std::string_view reference) {
  const std::string_view name = reference.starts_with('/') ? reference.substr(1) : reference;
  absl::StatusOr<ContainerPointer> entry = context.cluster().FindContainer(name);
  if (absl::IsNotFound(entry.status())) {
    return NotFound("No such container: " + std::string(reference));
  }
  return entry;
}

}  // namespace swarm
