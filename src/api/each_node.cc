#include "api/each_node.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "api/image_holders.h"
#include "async/await.h"
#include "async/loop.h"
#include "base/check.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/errors.h"

namespace swarm {
namespace {

// A change under way on many nodes. On one loop; its coroutines share it.
struct Change {
  ContextPointer context;
  std::string method;
  std::vector<NodeRequest> requests;
  Headers headers;
  ApiVersion client;
  std::stop_token stop;
  std::vector<NodeAnswer> answers;
  std::size_t next = 0;     // that nobody has taken yet
  std::size_t workers = 0;  // under way
  Event over;
};

Task<void> ChangeOne(std::shared_ptr<Change> change, std::size_t at) {
  NodeRequest& asked = change->requests[at];
  Request request;
  request.method = change->method;
  request.target = EngineTarget(SpokenTo(*asked.node, change->client), asked.path, asked.query);
  request.headers = change->headers;
  CallOptions options;
  options.timeout = kPatientChange;
  options.max_body = kMostInspectBody;
  options.stop = change->stop;
  Result answer = co_await SendToEngine(change->context, asked.node, std::move(request),
                                        EngineCall::Way::kWhole, std::move(options));
  const bool done = answer.ok() && answer->status < 300;
  NodeAnswer& said = change->answers[at];
  said.answer = std::move(answer);
  said.answered = true;
  if (!done) co_return;
  const absl::Status reread = co_await RereadImages(change->context, asked.node->address);
  // The change was made all the same; the node's events have its images read again too.
  (void)reread;
}

Task<void> ChangeWorker(std::shared_ptr<Change> change) {
  while (change->next < change->requests.size()) {
    const std::size_t at = change->next++;
    co_await ChangeOne(change, at);
  }
  if (--change->workers == 0) change->over.Set();
}

}  // namespace

Task<std::vector<NodeAnswer>> ChangeImages(ContextPointer context, std::string method,
                                           std::vector<NodeRequest> requests, Headers headers,
                                           ApiVersion client, std::stop_token stop) {
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  auto change = std::make_shared<Change>();
  change->context = std::move(context);
  change->method = std::move(method);
  change->requests = std::move(requests);
  change->headers = std::move(headers);
  change->client = client;
  change->stop = std::move(stop);
  for (const NodeRequest& request : change->requests) {
    NodeAnswer& said = change->answers.emplace_back();
    said.node = request.node;
    said.answer = Cancelled("not asked");
  }
  change->workers = std::min(change->requests.size(), kMostAtOnce);
  const std::size_t workers = change->workers;
  for (std::size_t count = 0; count < workers; ++count) loop->Spawn(ChangeWorker(change));
  Event& over = change->over;
  if (workers > 0) co_await over.Wait();
  std::vector<NodeAnswer> answers = std::move(change->answers);
  co_return answers;
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

absl::StatusOr<ChosenNodes> NodesChosenBy(const Context& context, const Query& query) {
  ChosenNodes chosen{HealthyNodes(context), query};
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

}  // namespace swarm
