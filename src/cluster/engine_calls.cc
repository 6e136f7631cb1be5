#include "cluster/engine_calls.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "async/await.h"
#include "base/log.h"
#include "base/text.h"
#include "cluster/hub.h"
#include "swarmlib/status.h"
#include "wire/containers.h"
#include "wire/errors.h"
#include "wire/filters.h"
#include "wire/images.h"

namespace swarm {
namespace {

// Of an engine's error text in our messages.
constexpr std::size_t kMostQuotedBytes = 500;

// An answer that nobody can read is a failure of the engine, not of the caller.
absl::Status Unreadable(const absl::Status& status) { return Internal(MessageOf(status)); }

bool HasName(const Container& container, std::string_view name) {
  return !container.names.empty() && container.names.front() == name;
}

}  // namespace

std::string VersionPrefix(const Node& node, std::string_view client) {
  const ApiVersion wanted = ParseApiVersion(client).value_or(kSpokenVersion);
  const ApiVersion most = ParseApiVersion(node.api_version).value_or(kSpokenVersion);
  const ApiVersion least = ParseApiVersion(node.min_api_version).value_or(ApiVersion{1, 12});
  return "/v" + ApiVersionText(ClampApiVersion(wanted, least, most));
}

std::string ListTarget(const Engine& engine, std::string_view key,
                       std::vector<std::string> values) {
  const FilterArguments filters = {{std::string(key), std::move(values)}};
  return engine.version_prefix() +
         "/containers/json?all=1&filters=" + PercentEncode(FormatFilters(filters));
}

Request MakeRequest(std::string_view method, std::string target) {
  Request request;
  request.method = method;
  request.target = std::move(target);
  request.headers.emplace_back("Host", "docker");
  return request;
}

Node NodeNow(const Engine& engine) {
  const NodePointer node = engine.hub().state.With(
      [&engine](const ClusterState& state) { return state.FindNode(engine.address()); });
  if (node) return *node;
  Node unknown;
  unknown.address = engine.address();
  return unknown;
}

absl::Status CheckAnswer(const absl::StatusOr<Reply>& reply, std::string_view what) {
  if (!reply.ok()) {
    const absl::Status& status = reply.status();
    if (absl::IsCancelled(status) || absl::IsUnavailable(status) ||
        absl::IsDeadlineExceeded(status)) {
      return Annotate(status, what);
    }
    return Annotate(Internal(MessageOf(status)), what);
  }
  if (reply->status == 200) return absl::OkStatus();
  std::string text(what);
  text.append(" was answered with ").append(std::to_string(reply->status)).append(": ");
  text.append(EngineMessage(reply->body).substr(0, kMostQuotedBytes));
  return reply->status == 404 ? NotFound(text) : Internal(text);
}

Task<absl::StatusOr<std::string>> Get(std::shared_ptr<Engine> engine, std::string target,
                                      std::size_t most, std::stop_token stop) {
  return GetWithin(std::move(engine), std::move(target), most, Duration::max(), std::move(stop));
}

Task<absl::StatusOr<std::string>> GetWithin(std::shared_ptr<Engine> engine, std::string target,
                                            std::size_t most, Duration patience,
                                            std::stop_token stop) {
  std::string what = "GET " + target.substr(0, target.find('?'));
  Request request = MakeRequest("GET", std::move(target));
  CallOptions options;
  options.timeout = std::min(engine->hub().options.engine_timeout, patience);
  options.max_body = most;
  options.stop = std::move(stop);
  absl::StatusOr<Reply> reply =
      co_await Call(engine->client(), std::move(request), std::move(options));
  const absl::Status answered = CheckAnswer(reply, what);
  if (!answered.ok()) co_return answered;
  co_return std::move(reply->body);
}

Task<bool> AnswersPing(std::shared_ptr<Engine> engine, Duration patience, std::stop_token stop) {
  std::string target = engine->version_prefix() + "/_ping";
  const absl::StatusOr<std::string> answer = co_await GetWithin(
      std::move(engine), std::move(target), kMostPingBytes, patience, std::move(stop));
  co_return answer.ok();
}

Task<absl::Status> FaultOfEngine(std::shared_ptr<Engine> engine, absl::Status failure,
                                 std::stop_token stop) {
  if (!IsEngineFailure(failure)) co_return failure;
  const bool answers = co_await AnswersPing(std::move(engine), kPingPatience, std::move(stop));
  if (answers) co_return absl::OkStatus();
  co_return failure;
}

Task<absl::StatusOr<std::vector<ContainerRecord>>> ReadContainers(std::shared_ptr<Engine> engine,
                                                                  NodePointer node,
                                                                  std::string body,
                                                                  std::stop_token stop) {
  std::vector<ContainerRecord> records;
  ContainerListReader list(body, *node, engine->hub().options.names);
  while (!list.done()) {
    absl::StatusOr<std::vector<ContainerRecord>> some =
        list.Next(kMaxRowsAtOnce, kMaxRowBytesAtOnce);
    if (!some.ok()) co_return Unreadable(some.status());
    std::move(some->begin(), some->end(), std::back_inserter(records));
    if (body.size() > kMaxRowBytesAtOnce) co_await Yield();
    if (stop.stop_requested()) co_return Cancelled("the reading was given up");
  }
  LogSkipped(*engine, list.skipped());
  co_return records;
}

void LogSkipped(const Engine& engine, const std::vector<std::string>& ids) {
  if (ids.empty()) return;
  Log(engine.hub().options.log, LogLevel::kWarning,
      "an engine lists containers under ids that are none; they are left out",
      {{"node", engine.Label()}, {"first", ids.front()}, {"count", std::to_string(ids.size())}});
}

Task<absl::StatusOr<std::string>> FetchCreated(std::shared_ptr<Engine> engine, std::string swarm_id,
                                               std::string name, std::stop_token stop) {
  const auto node = std::make_shared<const Node>(NodeNow(*engine));
  std::string target = swarm_id.empty() ? ListTarget(*engine, "name", {"^/" + name + "$"})
                                        : ListTarget(*engine, "label",
                                                     {std::string(kSwarmIdLabel) + "=" + swarm_id});
  absl::StatusOr<std::string> body = co_await Get(engine, std::move(target), kMostListBytes, stop);
  if (!body.ok()) co_return body.status();
  std::string list = *std::move(body);
  const absl::StatusOr<std::vector<ContainerRecord>> rows =
      co_await ReadContainers(engine, node, std::move(list), std::move(stop));
  if (!rows.ok()) co_return rows.status();
  for (const ContainerRecord& row : *rows) {
    const bool found =
        swarm_id.empty() ? HasName(row.container, name) : row.container.swarm_id == swarm_id;
    if (found) co_return row.container.id;
  }
  co_return std::string();
}

Task<absl::StatusOr<EngineContents>> FetchImages(std::shared_ptr<Engine> engine,
                                                 std::stop_token stop) {
  const std::string target = engine->version_prefix() + "/images/json";
  absl::StatusOr<std::string> body = co_await Get(engine, target, kMostListBytes, stop);
  if (absl::IsInternal(body.status())) {
    body = co_await Get(engine, target, kMostListBytes, std::move(stop));
  }
  if (!body.ok()) co_return body.status();
  absl::StatusOr<ImageList> list = ParseImageList(*body);
  if (!list.ok()) co_return Unreadable(list.status());
  EngineContents contents;
  contents.images = std::move(list->images);
  contents.image_rows = std::move(list->rows);
  co_return contents;
}

Task<absl::Status> RereadImages(std::shared_ptr<Engine> engine, std::stop_token stop) {
  SharedState& state = engine->hub().state;
  const TimePoint began = engine->home()->clock().Now();
  const std::uint64_t read = state.BeginRead(engine->member());
  absl::StatusOr<EngineContents> contents = co_await FetchImages(engine, stop);
  absl::Status status = contents.status();
  absl::Status fault = status;
  if (!status.ok()) fault = co_await FaultOfEngine(engine, std::move(fault), std::move(stop));
  if (contents.ok()) state.PublishImages(engine->member(), read, *std::move(contents));
  state.EndRead(engine->member(), read);
  engine->NoteOutcome(fault, began);
  co_return status;
}

}  // namespace swarm
