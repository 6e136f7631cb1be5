#include "api/each_node.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "api/image_holders.h"
#include "async/await.h"
#include "base/text.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

bool Has(const NodeAnswer& said) {
  return said.answered && said.answer.ok() && said.answer->status == 200;
}

// The first node by name that has it is known when all before it have said that they have not.
bool FirstIsKnown(const std::vector<NodeAnswer>& answers) {
  for (const NodeAnswer& said : answers) {
    if (!said.answered) return false;
    if (Has(said)) return true;
  }
  return true;
}

// Null when none has it.
NodeAnswer* FirstOf(std::vector<NodeAnswer>& answers, const FirstRule& rule) {
  NodeAnswer* first = nullptr;
  for (NodeAnswer& said : answers) {
    if (!Has(said)) continue;
    if (rule.is_preferred == nullptr || rule.is_preferred(*said.answer)) return &said;
    if (first == nullptr) first = &said;
  }
  return first;
}

// Under way on one loop; its workers share it.
struct Batch {
  AskNumber ask;
  std::vector<Result> answers;
  std::size_t next = 0;  // the number that nobody has asked yet
};

Task<void> AskSome(std::shared_ptr<Batch> batch) {
  while (batch->next < batch->answers.size()) {
    const std::size_t at = batch->next++;
    Result answer = co_await batch->ask(at);
    batch->answers[at] = std::move(answer);
  }
}

Task<Result> Send(ContextPointer context, NodeRequest asked, EachOptions wanted) {
  Request request;
  request.method = std::move(asked.method);
  request.target = EngineTarget(SpokenTo(*asked.node, wanted.client), asked.path, asked.query);
  request.body = std::move(asked.body);
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  CallOptions options;
  options.timeout = wanted.timeout;
  options.max_body = wanted.max_body;
  options.stop = std::move(wanted.stop);
  return SendToEngine(std::move(context), std::move(asked.node), std::move(request),
                      EngineCall::Way::kWhole, std::move(options));
}

Task<Result> ChangeOne(ContextPointer context, NodeRequest asked, EachOptions options) {
  const std::string address = asked.node->address;
  Result answer = co_await Send(context, std::move(asked), std::move(options));
  if (answer.ok() && answer->status < 300) {
    const absl::Status reread = co_await RereadImages(context, address);
    // The change was made all the same; the node's events have its images read again too.
    reread.IgnoreError();
  }
  co_return answer;
}

Task<std::vector<NodeAnswer>> Gather(std::vector<NodePointer> nodes, AskNumber ask) {
  std::vector<Result> results = co_await AskNumbers(nodes.size(), std::move(ask));
  std::vector<NodeAnswer> answers(nodes.size());
  for (std::size_t at = 0; at < nodes.size(); ++at) {
    answers[at].node = std::move(nodes[at]);
    answers[at].answer = std::move(results[at]);
    answers[at].answered = true;
  }
  co_return answers;
}

std::vector<NodePointer> NodesOf(const std::vector<NodeRequest>& requests) {
  std::vector<NodePointer> nodes;
  for (const NodeRequest& request : requests) nodes.push_back(request.node);
  return nodes;
}

EachOptions Bounds(ApiVersion client, Duration timeout, std::stop_token stop) {
  EachOptions options;
  options.client = client;
  options.timeout = timeout;
  options.stop = std::move(stop);
  return options;
}

}  // namespace

Task<std::vector<Result>> AskNumbers(std::size_t count, AskNumber ask) {
  auto batch = std::make_shared<Batch>();
  batch->ask = std::move(ask);
  batch->answers.resize(count);
  std::vector<Task<void>> workers;
  for (std::size_t worker = 0; worker < std::min(count, kMostAtOnce); ++worker)
    workers.push_back(AskSome(batch));
  co_await RunAll(std::move(workers));
  co_return std::move(batch->answers);
}

Task<std::vector<NodeAnswer>> AskEach(ContextPointer context, std::vector<NodeRequest> requests,
                                      EachOptions options) {
  std::vector<NodePointer> nodes = NodesOf(requests);
  AskNumber ask = [context = std::move(context), requests = std::move(requests),
                   options = std::move(options)](std::size_t at) {
    return Send(context, requests[at], options);
  };
  return Gather(std::move(nodes), std::move(ask));
}

Task<std::vector<NodeAnswer>> AskEach(ContextPointer context, std::vector<NodeRequest> requests,
                                      ApiVersion client, std::stop_token stop) {
  return AskEach(std::move(context), std::move(requests),
                 Bounds(client, kShortCall, std::move(stop)));
}

Task<Result> AskOne(ContextPointer context, NodeRequest request, ApiVersion client,
                    std::stop_token stop, Duration timeout) {
  return Send(std::move(context), std::move(request), Bounds(client, timeout, std::move(stop)));
}

Task<Result> AskForClient(ContextPointer context, NodeRequest request, ApiVersion client,
                          std::stop_token stop) {
  const ApiVersion spoken = SpokenTo(*request.node, client);
  Result answer = co_await AskOne(std::move(context), std::move(request), client, std::move(stop));
  if (!answer.ok()) co_return answer.status();
  Reply reply = *std::move(answer);
  Result settled = co_await SettleError(std::move(reply), client, spoken);
  co_return settled;
}

FirstRule FirstByName() {
  FirstRule rule;
  rule.is_known = FirstIsKnown;
  return rule;
}

Task<absl::StatusOr<NodeReply>> AskFirst(ContextPointer context, ApiExchange exchange,
                                         NodePointer only, std::string path, absl::Status unknown,
                                         FirstRule rule) {
  std::vector<NodePointer> nodes;
  if (only) {
    nodes.push_back(std::move(only));
  } else {
    nodes = HealthyNodes(*context);
  }
  std::vector<NodeAnswer> answers =
      co_await AskNodesUntil(context, std::move(nodes), std::move(path), exchange.query,
                             exchange.version, kFanOutPatience, rule.is_known);
  NodeReply found;
  if (NodeAnswer* const first = FirstOf(answers, rule)) {
    found.node = std::move(first->node);
    found.reply = *std::move(first->answer);
    co_return found;
  }
  for (NodeAnswer& said : answers) {
    if (!said.answered) continue;
    if (!said.answer.ok()) co_return said.answer.status();
    if (said.answer->status == 404) continue;
    Reply reply = *std::move(said.answer);
    Result settled = co_await SettleError(std::move(reply), exchange.version,
                                          SpokenTo(*said.node, exchange.version));
    if (!settled.ok()) co_return settled.status();
    found.node = std::move(said.node);
    found.reply = *std::move(settled);
    co_return found;
  }
  co_return unknown;
}

Task<std::vector<NodeAnswer>> ChangeImages(ContextPointer context,
                                           std::vector<NodeRequest> requests, ApiVersion client,
                                           std::stop_token stop) {
  std::vector<NodePointer> nodes = NodesOf(requests);
  AskNumber ask = [context = std::move(context), requests = std::move(requests),
                   options = Bounds(client, kPatientChange, std::move(stop))](std::size_t at) {
    return ChangeOne(context, requests[at], options);
  };
  return Gather(std::move(nodes), std::move(ask));
}

absl::StatusOr<NodeSelection> SelectNodes(const Context& context, const Query& query) {
  NodeSelection chosen{HealthyNodes(context), query};
  const std::string* text = FindQuery(query, "filters");
  if (text == nullptr) return chosen;
  absl::StatusOr<FilterArguments> filters = ParseFilters(*text);
  if (!filters.ok()) return filters.status();
  const auto wanted = filters->find("node");
  if (wanted == filters->end()) return chosen;
  const std::vector<std::string> values = wanted->second;
  std::erase_if(chosen.nodes, [&](const NodePointer& node) {
    return std::none_of(values.begin(), values.end(), [&](const std::string& value) {
      return value == node->id || GlobMatch(value, node->name);
    });
  });
  filters->erase(wanted);
  for (auto& [key, value] : chosen.query) {
    if (key == "filters") value = FormatFilters(*filters);
  }
  return chosen;
}

void NoteUnreachable(const Context& context, const std::vector<std::string>& silent, Reply& reply) {
  constexpr std::size_t kMostNamed = 50;
  std::vector<std::string> names;
  for (const NodePointer& node : context.cluster().Nodes()) {
    if (node->state != NodeState::kUnhealthy) continue;
    names.push_back(node->name.empty() ? node->address : node->name);
  }
  names.insert(names.end(), silent.begin(), silent.end());
  if (names.empty()) return;
  const std::size_t count = names.size();
  std::string text;
  if (count > kMostNamed) {
    names.resize(kMostNamed);
    text = " and " + std::to_string(count - kMostNamed) + " more";
  }
  reply.headers.emplace_back("X-Swarmd-Unreachable", Join(names, ", ") + text);
}

}  // namespace swarm
