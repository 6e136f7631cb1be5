#include "api/each_node.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "api/image_holders.h"
#include "async/await.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/errors.h"

namespace swarm {
namespace {

// Under way on many nodes. On one loop; its workers share it.
struct Round {
  ContextPointer context;
  std::vector<NodeRequest> requests;
  EachOptions options;
  bool reread_images = false;
  std::vector<NodeAnswer> answers;
  std::size_t next = 0;  // that nobody has taken yet
};

Task<void> AskOne(std::shared_ptr<Round> round, std::size_t at) {
  NodeRequest& asked = round->requests[at];
  const EachOptions& wanted = round->options;
  Request request;
  request.method = std::move(asked.method);
  request.target = EngineTarget(SpokenTo(*asked.node, wanted.client), asked.path, asked.query);
  request.body = std::move(asked.body);
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  CallOptions options;
  options.timeout = wanted.timeout;
  options.max_body = wanted.max_body;
  options.stop = wanted.stop;
  Result answer = co_await SendToEngine(round->context, asked.node, std::move(request),
                                        EngineCall::Way::kWhole, std::move(options));
  const bool done = answer.ok() && answer->status < 300;
  NodeAnswer& said = round->answers[at];
  said.answer = std::move(answer);
  said.answered = true;
  if (!done || !round->reread_images) co_return;
  const absl::Status reread = co_await RereadImages(round->context, asked.node->address);
  // The change was made all the same; the node's events have its images read again too.
  reread.IgnoreError();
}

Task<void> AskSome(std::shared_ptr<Round> round) {
  while (round->next < round->requests.size()) {
    const std::size_t at = round->next++;
    co_await AskOne(round, at);
  }
}

Task<std::vector<NodeAnswer>> Run(std::shared_ptr<Round> round) {
  for (const NodeRequest& request : round->requests) {
    NodeAnswer& said = round->answers.emplace_back();
    said.node = request.node;
    said.answer = Cancelled("not asked");
  }
  std::vector<Task<void>> workers;
  const std::size_t count = std::min(round->requests.size(), kMostAtOnce);
  for (std::size_t at = 0; at < count; ++at) workers.push_back(AskSome(round));
  co_await RunAll(std::move(workers));
  co_return std::move(round->answers);
}

}  // namespace

Task<std::vector<NodeAnswer>> AskEach(ContextPointer context, std::vector<NodeRequest> requests,
                                      EachOptions options) {
  auto round = std::make_shared<Round>();
  round->context = std::move(context);
  round->requests = std::move(requests);
  round->options = std::move(options);
  return Run(std::move(round));
}

Task<std::vector<NodeAnswer>> ChangeImages(ContextPointer context,
                                           std::vector<NodeRequest> requests, ApiVersion client,
                                           std::stop_token stop) {
  auto round = std::make_shared<Round>();
  round->context = std::move(context);
  round->requests = std::move(requests);
  round->options.client = client;
  round->options.timeout = kPatientChange;
  round->options.stop = std::move(stop);
  round->reread_images = true;
  return Run(std::move(round));
}

Verdicts::Verdicts(const std::vector<NodeAnswer>& answers) {
  for (const NodeAnswer& said : answers) {
    if (!said.answer.ok()) {
      const absl::Status status = said.answer.status();
      failed.push_back({&said, HttpStatusOf(status), std::string(MessageOf(status))});
    } else if (said.answer->status < 300) {
      done.push_back(&said);
    } else if (said.answer->status == 404) {
      missing.push_back(&said);
    } else {
      const int status = said.answer->status < 400 ? 502 : std::min(said.answer->status, 599);
      failed.push_back({&said, status, EngineMessage(said.answer->body)});
    }
  }
}

std::string Verdicts::DoneNames() const {
  std::vector<std::string> names;
  for (const NodeAnswer* said : done) names.push_back(said->node->name);
  return Join(names, ", ");
}

absl::Status Verdicts::Failed(std::string_view deed, int mixed) const {
  const Failure& first = failed.front();
  bool same_status = true, same_text = true;
  std::vector<std::string> texts;
  for (const Failure& failure : failed) {
    same_status = same_status && failure.status == first.status;
    same_text = same_text && failure.text == first.text;
    texts.push_back(failure.said->node->name + ": " + failure.text);
  }
  const int status = same_status ? first.status : mixed;
  if (done.empty()) {
    return HttpError(status, same_status && same_text ? first.text : Join(texts, "; "));
  }
  // What was done stands: a client's "you asked wrongly" would not be the whole truth.
  return HttpError(mixed, std::string(deed) + " on " + DoneNames() +
                              ", but not everywhere: " + Join(texts, "; "));
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
