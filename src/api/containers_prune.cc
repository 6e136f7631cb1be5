#include <algorithm>
#include <utility>

#include "api/each_node.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "async/await.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/errors.h"
#include "wire/json.h"

namespace swarm {
namespace {

// Removing one container takes an engine some tens of milliseconds. One that stops being healthy
// meanwhile is not waited for.
constexpr Duration kLongestPrune = std::chrono::minutes(30);
constexpr std::size_t kMostPruneBytes = 64U << 20U;  // of one engine's answer
constexpr std::size_t kMostRereadAtOnce = 64;

// What came of it on all nodes.
struct PrunedContainers {
  ContextPointer context;
  std::vector<std::string> ids;
  std::int64_t bytes = 0;
  std::vector<std::string> done;                             // names of nodes
  std::vector<std::pair<std::string, absl::Status>> failed;  // by node name
  std::size_t next = 0;                                      // of `ids`, to be read again
};

absl::Status TakeAnswer(const NodeAnswer& said, PrunedContainers& pruned) {
  if (!said.answer.ok()) return said.answer.status();
  if (said.answer->status != 200) {
    return HttpError(said.answer->status < 400 ? 502 : said.answer->status,
                     EngineMessage(said.answer->body));
  }
  JsonDocument document;
  if (absl::Status parsed = document.Parse(said.answer->body); !parsed.ok())
    return HttpError(502, "its answer cannot be read: " + std::string(MessageOf(parsed)));
  document.root().Find("ContainersDeleted").ForEachElement([&pruned](JsonValue id) {
    pruned.ids.push_back(id.text());
  });
  pruned.bytes += document.root().Find("SpaceReclaimed").integer().value_or(0);
  return absl::OkStatus();
}

Task<absl::Status> ReadAgain(ContextPointer context, ContainerPointer entry) {
  auto start = [context, entry = std::move(entry)](Callback<absl::Status> done) mutable {
    context->cluster().RefreshContainer(std::move(entry), std::move(done));
  };
  return AwaitCallback<absl::Status>(std::move(start));
}

// So that the client's next list does not show what it has just removed.
Task<void> ForgetSome(std::shared_ptr<PrunedContainers> pruned) {
  while (pruned->next < pruned->ids.size()) {
    const std::string& id = pruned->ids[pruned->next++];
    absl::StatusOr<ContainerPointer> entry = pruned->context->cluster().FindContainer(id);
    if (!entry.ok()) continue;
    const absl::Status read = co_await ReadAgain(pruned->context, *std::move(entry));
    // The engine's event does it otherwise.
    read.IgnoreError();
  }
}

Task<void> ForgetAll(std::shared_ptr<PrunedContainers> pruned) {
  std::vector<Task<void>> workers;
  const std::size_t count = std::min(pruned->ids.size(), kMostRereadAtOnce);
  for (std::size_t at = 0; at < count; ++at) workers.push_back(ForgetSome(pruned));
  return RunAll(std::move(workers));
}

// Says which nodes did it and which did not. An engine's own status when all that failed agree; its
// own words when nothing was done and all say the same, as of a bad filter.
absl::Status FailureOf(const PrunedContainers& pruned) {
  const absl::Status& first = pruned.failed.front().second;
  const std::string words = ToLower(MessageOf(first));
  int status = HttpStatusOf(first);
  bool is_same = true;
  std::vector<std::string> reasons;
  for (const auto& [node, why] : pruned.failed) {
    reasons.push_back(node + ": " + std::string(MessageOf(why)));
    if (HttpStatusOf(why) != HttpStatusOf(first)) status = 500;
    is_same = is_same && HttpStatusOf(why) == status && ToLower(MessageOf(why)) == words;
  }
  if (is_same && pruned.done.empty() && pruned.failed.size() > 1) return first;
  std::string text = Join(reasons, "; ");
  if (!pruned.done.empty()) {
    text += "; on " + Join(pruned.done, ", ") + " " + std::to_string(pruned.ids.size()) +
            " containers were removed and " + std::to_string(pruned.bytes) + " bytes reclaimed";
  }
  return HttpError(status, text);
}

}  // namespace

Task<Result> PruneContainers(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<NodeSelection> chosen = SelectNodes(*context, exchange.query);
  if (!chosen.ok()) co_return chosen.status();
  if (HealthyNodes(*context).empty()) {
    co_return Unavailable(
        "no healthy node can remove containers: \"docker info\" shows the state of each");
  }
  std::vector<NodeRequest> requests;
  for (NodePointer& node : chosen->nodes)
    requests.push_back({std::move(node), "POST", "/containers/prune", chosen->query, {}});
  EachOptions options;
  options.client = exchange.version;
  options.timeout = kLongestPrune;
  options.max_body = kMostPruneBytes;
  options.stop = exchange.request.stop;
  const std::vector<NodeAnswer> answers =
      co_await AskEach(context, std::move(requests), std::move(options));

  auto pruned = std::make_shared<PrunedContainers>();
  pruned->context = context;
  for (const NodeAnswer& said : answers) {
    absl::Status taken = TakeAnswer(said, *pruned);
    if (taken.ok()) {
      pruned->done.push_back(said.node->name);
    } else {
      pruned->failed.emplace_back(said.node->name, std::move(taken));
    }
  }
  co_await ForgetAll(pruned);
  if (!pruned->failed.empty()) co_return FailureOf(*pruned);
  std::string body = "{\"ContainersDeleted\":";
  if (pruned->ids.empty()) {
    body += "null";
  } else {
    AppendJsonStrings(body, pruned->ids);
  }
  AppendJsonField(body, "SpaceReclaimed", pruned->bytes);
  Reply reply = JsonReply(200, body + "}\n");
  NoteUnreachable(*context, {}, reply);
  co_return reply;
}

}  // namespace swarm
