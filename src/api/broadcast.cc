#include "api/broadcast.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "async/await.h"
#include "async/loop.h"
#include "base/check.h"
#include "base/text.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

// The nodes are handed out one by one to workers on one loop.
struct Round {
  ContextPointer context;
  Broadcast broadcast;
  std::vector<NodeAnswer> answers;
  std::size_t next = 0;
};

Task<void> AskSome(std::shared_ptr<Round> round) {
  while (round->next < round->answers.size()) {
    const std::size_t at = round->next++;
    const Broadcast& broadcast = round->broadcast;
    const NodePointer node = round->answers[at].node;
    Request request;
    request.method = broadcast.method;
    const Query& query = broadcast.queries.empty() ? broadcast.query : broadcast.queries[at];
    request.target = EngineTarget(SpokenTo(*node, broadcast.client), broadcast.path, query);
    CallOptions options;
    options.timeout = broadcast.timeout;
    options.max_body = broadcast.max_body;
    options.stop = broadcast.stop;
    Result answer = co_await SendToEngine(round->context, node, std::move(request),
                                          EngineCall::Way::kWhole, std::move(options));
    round->answers[at].answer = std::move(answer);
    round->answers[at].answered = true;
  }
}

// Held by the tasks alone, so that a loop that ends frees all of it.
struct Gathering {
  std::size_t left = 0;
  Callback<bool> done;
};

Task<void> RunPart(Task<void> task, std::shared_ptr<Gathering> gathering) {
  co_await std::move(task);
  if (--gathering->left == 0) gathering->done(true);
}

}  // namespace

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

std::string NamesOfUnreachable(const Context& context, const std::vector<std::string>& silent) {
  constexpr std::size_t kMostNamed = 50;
  std::vector<std::string> names;
  for (const NodePointer& node : context.cluster().Nodes()) {
    if (node->state != NodeState::kUnhealthy) continue;
    names.push_back(node->name.empty() ? node->address : node->name);
  }
  names.insert(names.end(), silent.begin(), silent.end());
  const std::size_t count = names.size();
  if (count <= kMostNamed) return Join(names, ", ");
  names.resize(kMostNamed);
  return Join(names, ", ") + " and " + std::to_string(count - kMostNamed) + " more";
}

Task<std::vector<NodeAnswer>> AskAll(ContextPointer context, std::vector<NodePointer> nodes,
                                     Broadcast broadcast) {
  auto round = std::make_shared<Round>();
  round->context = std::move(context);
  round->broadcast = std::move(broadcast);
  for (NodePointer& node : nodes) {
    NodeAnswer& answer = round->answers.emplace_back();
    answer.node = std::move(node);
    answer.answer = Cancelled("not asked");
  }
  std::vector<Task<void>> workers;
  const std::size_t count = std::min(round->answers.size(), kMostAtOnce);
  for (std::size_t at = 0; at < count; ++at) workers.push_back(AskSome(round));
  co_await AwaitAll(std::move(workers));
  co_return std::move(round->answers);
}

Task<void> AwaitAll(std::vector<Task<void>> tasks) {
  if (tasks.empty()) co_return;
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  auto start = [loop, tasks = std::move(tasks)](Callback<bool> done) mutable {
    auto gathering = std::make_shared<Gathering>();
    gathering->left = tasks.size();
    gathering->done = std::move(done);
    for (Task<void>& task : tasks) loop->Spawn(RunPart(std::move(task), gathering));
  };
  co_await AwaitCallback<bool>(std::move(start));
}

}  // namespace swarm
