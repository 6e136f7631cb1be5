// Tagging, removing and pruning images on every node that is concerned.
#include <algorithm>
#include <set>
#include <utility>

#include "api/each_node.h"
#include "api/handlers.h"
#include "api/image_holders.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "api/verdicts.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/errors.h"
#include "wire/json.h"

namespace swarm {
namespace {

// The rows of a list, each text once.
class ChangeRows {
 public:
  void Add(JsonValue list) {
    list.ForEachElement([this](JsonValue row) {
      if (seen_.insert(std::string(row.raw())).second) Append(row);
    });
  }
  // Those that stand there twice too.
  void AddAll(JsonValue list) {
    list.ForEachElement([this](JsonValue row) { Append(row); });
  }
  std::size_t count() const { return count_; }
  std::string list() const { return "[" + text_ + "]"; }

 private:
  void Append(JsonValue row) {
    if (count_++ > 0) text_ += ',';
    text_ += row.raw();
  }

  std::set<std::string> seen_;
  std::string text_;
  std::size_t count_ = 0;
};

// An engine's answer of any status, when it is the only one.
Task<Result> OnlyAnswer(NodeAnswer said, ApiVersion client) {
  if (!said.answer.ok()) co_return said.answer.status();
  Reply reply = *std::move(said.answer);
  Result settled = co_await SettleError(std::move(reply), client, SpokenTo(*said.node, client));
  co_return settled;
}

// What all nodes' prunes removed.
struct PrunedImages {
  ChangeRows rows;
  std::int64_t reclaimed = 0;
};

PrunedImages UnitePruned(const Verdicts& verdicts, std::string_view key) {
  PrunedImages pruned;
  for (const NodeAnswer* said : verdicts.done) {
    JsonDocument document;
    if (!document.Parse(said->answer->body).ok()) continue;
    pruned.rows.AddAll(document.root().Find(key));
    pruned.reclaimed += document.root().Find("SpaceReclaimed").integer().value_or(0);
  }
  return pruned;
}

Task<Result> PruneEverywhere(ContextPointer context, ApiExchange exchange, std::string path,
                             std::string key) {
  absl::StatusOr<NodeSelection> chosen = SelectNodes(*context, exchange.query);
  if (!chosen.ok()) co_return chosen.status();
  if (chosen->nodes.empty()) {
    co_return Unavailable("no healthy node can be pruned: \"docker info\" shows the state of each");
  }
  std::vector<NodeRequest> requests;
  for (const NodePointer& node : chosen->nodes)
    requests.push_back({node, "POST", path, chosen->query, {}});
  const std::vector<NodeAnswer> answers = co_await ChangeImages(
      std::move(context), std::move(requests), exchange.version, exchange.request.stop);
  Verdicts verdicts(answers);
  // An engine without that endpoint has nothing of the kind to prune, unless all are like that.
  if (verdicts.done.empty() && verdicts.failed.empty())
    co_return HttpError(404, EngineMessage(verdicts.missing.front()->answer->body));
  const PrunedImages pruned = UnitePruned(verdicts, key);
  if (!verdicts.failed.empty()) {
    co_return verdicts.Failed("pruned, " + std::to_string(pruned.reclaimed) + " bytes reclaimed,",
                              500);
  }
  std::string body = "{" + JsonString(key) + ":";
  body += pruned.rows.count() == 0 ? "null" : pruned.rows.list();
  AppendJsonField(body, "SpaceReclaimed", pruned.reclaimed);
  co_return JsonReply(200, body + "}\n");
}

}  // namespace

Task<Result> TagImage(ContextPointer context, ApiExchange exchange) {
  const absl::StatusOr<FoundImage> found = FindImage(*context, exchange.name);
  if (!found.ok()) co_return found.status();
  const std::string id = NewestId(*found);
  std::vector<NodePointer> nodes = HoldersOf(*context, id, found->only);
  if (nodes.empty()) co_return NotFound("No such image: " + exchange.name);
  std::vector<NodeRequest> requests;
  for (NodePointer& node : nodes) {
    requests.push_back(
        {std::move(node), "POST", "/images/" + PercentEncode(id) + "/tag", exchange.query, {}});
  }
  std::vector<NodeAnswer> answers = co_await ChangeImages(std::move(context), std::move(requests),
                                                          exchange.version, exchange.request.stop);
  if (answers.size() == 1) {
    NodeAnswer only = std::move(answers.front());
    Result answer = co_await OnlyAnswer(std::move(only), exchange.version);
    co_return answer;
  }
  const Verdicts verdicts(answers);
  if (!verdicts.failed.empty()) co_return verdicts.Failed(exchange.name + " was tagged", 500);
  // A node that lost the image since has nothing to tag.
  if (verdicts.done.empty()) co_return NotFound("No such image: " + exchange.name);
  co_return EmptyReply(201);
}

Task<Result> RemoveImage(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<FoundImage> found = FindImage(*context, exchange.name);
  if (!found.ok()) co_return found.status();
  std::vector<NodeRequest> requests;
  for (ImageCopy& copy : found->copies) {
    const std::string& what = found->named ? found->reference : copy.id;
    requests.push_back(
        {std::move(copy.node), "DELETE", "/images/" + PercentEncode(what), exchange.query, {}});
  }
  std::vector<NodeAnswer> answers = co_await ChangeImages(std::move(context), std::move(requests),
                                                          exchange.version, exchange.request.stop);
  if (answers.size() == 1) {
    NodeAnswer only = std::move(answers.front());
    const std::string node = only.node->name;
    Result answer = co_await OnlyAnswer(std::move(only), exchange.version);
    if (!answer.ok() || answer->status != 409) co_return answer;
    co_return HttpError(409, EngineMessage(answer->body) + " (node " + node + ")");
  }
  const Verdicts verdicts(answers);
  ChangeRows removed;
  for (const NodeAnswer* said : verdicts.done) {
    JsonDocument document;
    if (document.Parse(said->answer->body).ok()) removed.Add(document.root());
  }
  if (!verdicts.failed.empty()) {
    const bool in_use =
        std::all_of(verdicts.failed.begin(), verdicts.failed.end(),
                    [](const Verdicts::Failure& failure) { return failure.status == 409; });
    co_return verdicts.Failed(exchange.name + " was removed", in_use ? 409 : 500);
  }
  if (verdicts.done.empty()) co_return NotFound("No such image: " + exchange.name);
  co_return JsonReply(200, removed.list() + "\n");
}

Task<Result> PruneImages(ContextPointer context, ApiExchange exchange) {
  return PruneEverywhere(std::move(context), std::move(exchange), "/images/prune", "ImagesDeleted");
}

Task<Result> PruneBuilds(ContextPointer context, ApiExchange exchange) {
  return PruneEverywhere(std::move(context), std::move(exchange), "/build/prune", "CachesDeleted");
}

}  // namespace swarm
