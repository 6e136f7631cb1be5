#include "api/upstream.h"

#include <algorithm>
#include <stop_token>
#include <utility>

#include "async/await.h"
#include "async/loop.h"
#include "base/check.h"
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

// An engine would read such a body as parameters, and take them before those of the query.
bool HasFormType(const Headers& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const auto& field) {
    if (!EqualsIgnoreCase(field.first, "Content-Type")) return false;
    const std::string_view given = std::string_view(field.second);
    const std::string type = ToLower(Trim(given.substr(0, given.find(';'))));
    return type == "application/x-www-form-urlencoded" || type.starts_with("multipart/");
  });
}

struct Question {
  std::string path;
  Query query;
  ApiVersion client;
  Duration patience{};
  Enough enough = nullptr;
};

absl::Status DidNotAnswer(const Node& node, Duration patience) {
  return DeadlineExceeded(
      "node " + node.name + " (" + node.address + ") did not answer within " +
      std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(patience).count()) +
      " ms");
}

// The same question to many engines. On one loop.
class Round : public std::enable_shared_from_this<Round> {
 public:
  Round(Loop& loop, ContextPointer context, Question question, std::vector<NodePointer> nodes)
      : loop_(loop),
        context_(std::move(context)),
        question_(std::move(question)),
        stops_(nodes.size()),
        timers_(nodes.size()) {
    for (NodePointer& node : nodes) {
      NodeAnswer& answer = answers_.emplace_back();
      answer.node = std::move(node);
      answer.answer = Cancelled("not asked");
    }
  }

  // Calls back once it is over, maybe before it returns.
  void Begin(Callback<bool> done) {
    done_ = std::move(done);
    Pump();
  }

  std::vector<NodeAnswer> TakeAnswers() { return std::move(answers_); }

 private:
  // Calls may settle at once: one loop here instead of each asking the next.
  void Pump() {
    if (pumping_) return;
    pumping_ = true;
    while (!over_ && next_ < answers_.size() && in_flight_ < kMostAtOnce) Ask(next_++);
    pumping_ = false;
    if (!over_ && in_flight_ == 0 && next_ == answers_.size()) End();
  }

  void Ask(std::size_t at) {
    ++in_flight_;
    const NodePointer node = answers_[at].node;
    std::shared_ptr<BackendClient> client = context_->cluster().EngineClient(node->address);
    if (!client) {
      Settle(at,
             Unavailable("node " + node->name + " (" + node->address + ") has left the cluster"));
      return;
    }
    Request request;
    request.method = "GET";
    request.target =
        EngineTarget(SpokenTo(*node, question_.client), question_.path, question_.query);
    CallOptions options;
    options.timeout = kShortCall;
    options.stop = stops_[at].get_token();
    const std::weak_ptr<Round> weak = weak_from_this();
    timers_[at] = loop_.After(question_.patience, [weak, at] {
      if (const std::shared_ptr<Round> round = weak.lock()) round->GiveUp(at);
    });
    BackendClient& engine = *client;
    engine.Call(std::move(request), std::move(options),
                [round = shared_from_this(), at, client = std::move(client)](Result answer) {
                  round->Settle(at, std::move(answer));
                });
  }

  // Not as a time-out of the call, which would count against the engine.
  void GiveUp(std::size_t at) {
    if (over_ || answers_[at].answered) return;
    Settle(at, DidNotAnswer(*answers_[at].node, question_.patience));
    stops_[at].request_stop();
  }

  void Settle(std::size_t at, Result answer) {
    if (over_ || answers_[at].answered) return;
    answers_[at].answer = std::move(answer);
    answers_[at].answered = true;
    loop_.Cancel(timers_[at]);
    --in_flight_;
    if (question_.enough != nullptr && question_.enough(answers_)) {
      End();
    } else {
      Pump();
    }
  }

  void End() {
    over_ = true;
    for (std::size_t at = 0; at < next_; ++at) {
      if (answers_[at].answered) continue;
      loop_.Cancel(timers_[at]);
      stops_[at].request_stop();
    }
    done_(true);
  }

  Loop& loop_;
  const ContextPointer context_;
  const Question question_;
  std::vector<NodeAnswer> answers_;
  std::vector<std::stop_source> stops_;  // of the calls
  std::vector<Loop::TimerId> timers_;    // of the patience with them
  Callback<bool> done_;
  std::size_t next_ = 0;
  std::size_t in_flight_ = 0;
  bool pumping_ = false;
  bool over_ = false;
};

Task<std::vector<NodeAnswer>> RunRound(std::shared_ptr<Round> round) {
  auto start = [round](Callback<bool> done) { round->Begin(std::move(done)); };
  co_await AwaitCallback<bool>(std::move(start));
  std::vector<NodeAnswer> answers = round->TakeAnswers();
  co_return answers;
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

Task<Result> Operate(ContextPointer context, ContainerOperation operation) {
  auto start = [context, operation = std::move(operation)](ResultCallback<Reply> done) mutable {
    context->cluster().Operate(std::move(operation), std::move(done));
  };
  return AwaitCallback<Result>(std::move(start));
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

Task<Result> CallEngine(ContextPointer context, ApiExchange exchange, EngineCall call) {
  const ApiVersion spoken = SpokenTo(*call.node, exchange.version);
  Request request;
  request.method = std::move(exchange.request.method);
  request.target = EngineTarget(spoken, call.path, exchange.query);
  request.headers = EngineHeaders(exchange.request.headers, call.registry);
  if (call.pass_body) {
    request.body = std::move(exchange.request.body);
    request.body_stream = std::move(exchange.request.body_stream);
    request.body_length = exchange.request.body_length;
    if (HasFormType(request.headers)) RemoveHeader(request.headers, "Content-Type");
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
  // It is the engine's fault: too large, cut short, malformed.
  constexpr int kBadGateway = 502;
  if (HttpStatusOf(answer.status()) == kBadGateway) {
    const std::string whose = "node " + call.node->name + ", " + call.path;
    co_return Annotate(answer.status(), whose);
  }
  if (!answer.ok()) co_return answer.status();
  Reply reply = *std::move(answer);
  Result settled = co_await SettleError(std::move(reply), exchange.version, spoken);
  co_return settled;
}

Task<std::vector<NodeAnswer>> AskNodes(ContextPointer context, std::vector<NodePointer> nodes,
                                       std::string path, Query query, ApiVersion client) {
  return AskNodesUntil(std::move(context), std::move(nodes), std::move(path), std::move(query),
                       client, kFanOutPatience, nullptr);
}

Task<std::vector<NodeAnswer>> AskNodesUntil(ContextPointer context, std::vector<NodePointer> nodes,
                                            std::string path, Query query, ApiVersion client,
                                            Duration patience, Enough enough) {
  Question question{std::move(path), std::move(query), client, patience, enough};
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  return RunRound(
      std::make_shared<Round>(*loop, std::move(context), std::move(question), std::move(nodes)));
}

Task<std::vector<NodePointer>> AnsweringNodes(ContextPointer context,
                                              std::vector<NodePointer> nodes, ApiVersion client) {
  std::string path = "/_ping";
  Query query;
  std::vector<NodeAnswer> answers =
      co_await AskNodes(context, std::move(nodes), std::move(path), std::move(query), client);
  std::vector<NodePointer> answering;
  for (NodeAnswer& said : answers) {
    if (said.answer.ok()) answering.push_back(std::move(said.node));
  }
  co_return answering;
}

std::vector<NodePointer> HealthyNodes(const Context& context) {
  std::vector<NodePointer> nodes = context.cluster().Nodes();
  std::erase_if(nodes, [](const NodePointer& node) { return node->state != NodeState::kHealthy; });
  return nodes;
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
