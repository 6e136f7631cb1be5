#include "cluster/engine_calls.h"

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

std::string InspectTarget(const Engine& engine, const std::string& id) {
  return engine.version_prefix() + "/containers/" + id + "/json";
}

// Adds an inspect answer to the row. False: the container is gone.
absl::StatusOr<bool> TakeInspect(const Engine& engine, const Node& node,
                                 const absl::StatusOr<std::string>& body, ContainerRecord& record) {
  if (!body.ok()) {
    if (absl::IsNotFound(body.status())) return false;
    return body.status();
  }
  const std::string id = record.container.id;
  ContainerRecord whole = record;
  absl::Status applied = ApplyInspect(*body, engine.hub().options.create_rules, node, whole);
  if (applied.ok() && whole.container.id != id)
    applied = Internal("it describes another container");
  if (applied.ok()) {
    record = std::move(whole);
    return true;
  }
  Log(engine.hub().options.log, LogLevel::kWarning,
      "an engine's description of a container cannot be read",
      {{"node", engine.Label()}, {"container", id}, {"reason", std::string(MessageOf(applied))}});
  return true;
}

// The two answers that make a container.
struct Halves {
  absl::StatusOr<std::string> row = Internal("not asked");
  absl::StatusOr<std::string> inspect = Internal("not asked");
};

Task<void> GetInto(std::shared_ptr<Engine> engine, std::string target, std::size_t most,
                   std::stop_token stop, std::shared_ptr<Halves> halves,
                   absl::StatusOr<std::string> Halves::*half) {
  absl::StatusOr<std::string> body =
      co_await Get(std::move(engine), std::move(target), most, std::move(stop));
  halves.get()->*half = std::move(body);
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
  std::string what = "GET " + target.substr(0, target.find('?'));
  Request request = MakeRequest("GET", std::move(target));
  CallOptions options;
  options.timeout = engine->hub().options.engine_timeout;
  options.max_body = most;
  options.stop = std::move(stop);
  absl::StatusOr<Reply> reply =
      co_await Call(engine->client(), std::move(request), std::move(options));
  const absl::Status answered = CheckAnswer(reply, what);
  if (!answered.ok()) co_return answered;
  co_return std::move(reply->body);
}

absl::StatusOr<std::vector<ContainerRecord>> ReadContainers(const Engine& engine, const Node& node,
                                                            std::string_view body) {
  std::vector<std::string> skipped;
  absl::StatusOr<std::vector<ContainerRecord>> records =
      ParseContainerList(body, node, engine.hub().options.names, &skipped);
  if (!records.ok()) return Unreadable(records.status());
  if (!skipped.empty()) {
    Log(engine.hub().options.log, LogLevel::kWarning,
        "an engine lists containers under ids that are none; they are left out",
        {{"node", engine.Label()},
         {"first", skipped.front()},
         {"count", std::to_string(skipped.size())}});
  }
  return records;
}

Task<absl::StatusOr<bool>> AddInspect(std::shared_ptr<Engine> engine, NodePointer node,
                                      ContainerRecord* record, std::stop_token stop) {
  std::string target = InspectTarget(*engine, record->container.id);
  const absl::StatusOr<std::string> body =
      co_await Get(engine, std::move(target), kMostInspectBytes, std::move(stop));
  co_return TakeInspect(*engine, *node, body, *record);
}

Task<absl::StatusOr<std::optional<ContainerRecord>>> FetchContainer(std::shared_ptr<Engine> engine,
                                                                    std::string id,
                                                                    std::stop_token stop) {
  auto halves = std::make_shared<Halves>();
  std::string row_target = ListTarget(*engine, "id", {id});
  std::string inspect_target = InspectTarget(*engine, id);
  std::vector<Task<void>> both;
  both.push_back(
      GetInto(engine, std::move(row_target), kMostListBytes, stop, halves, &Halves::row));
  both.push_back(GetInto(engine, std::move(inspect_target), kMostInspectBytes, stop, halves,
                         &Halves::inspect));
  co_await RunAll(std::move(both));
  if (!halves->row.ok()) co_return halves->row.status();
  const Node node = NodeNow(*engine);
  absl::StatusOr<std::vector<ContainerRecord>> rows = ReadContainers(*engine, node, *halves->row);
  if (!rows.ok()) co_return rows.status();
  for (ContainerRecord& row : *rows) {
    if (row.container.id != id) continue;
    const absl::StatusOr<bool> there = TakeInspect(*engine, node, halves->inspect, row);
    if (!there.ok()) co_return there.status();
    if (!*there) break;
    co_return std::optional<ContainerRecord>(std::move(row));
  }
  co_return std::optional<ContainerRecord>();
}

Task<absl::StatusOr<std::string>> FetchCreated(std::shared_ptr<Engine> engine, std::string swarm_id,
                                               std::string name, std::stop_token stop) {
  const Node node = NodeNow(*engine);
  std::string target = swarm_id.empty() ? ListTarget(*engine, "name", {"^/" + name + "$"})
                                        : ListTarget(*engine, "label",
                                                     {std::string(kSwarmIdLabel) + "=" + swarm_id});
  const absl::StatusOr<std::string> body =
      co_await Get(engine, std::move(target), kMostListBytes, std::move(stop));
  if (!body.ok()) co_return body.status();
  const absl::StatusOr<std::vector<ContainerRecord>> rows = ReadContainers(*engine, node, *body);
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
  std::string target = engine->version_prefix() + "/images/json";
  const absl::StatusOr<std::string> body =
      co_await Get(engine, std::move(target), kMostListBytes, std::move(stop));
  if (!body.ok()) co_return body.status();
  absl::StatusOr<ImageList> list = ParseImageList(*body);
  if (!list.ok()) co_return Unreadable(list.status());
  EngineContents contents;
  contents.images = std::move(list->images);
  contents.image_rows = std::move(list->rows);
  co_return contents;
}

Task<absl::Status> Reread(std::shared_ptr<Engine> engine, std::string id, std::stop_token stop) {
  SharedState& state = engine->hub().state;
  const TimePoint began = engine->home()->clock().Now();
  PutOffReadings& put_off = engine->hub().put_off;
  const PutOffReadings::Mark mark = put_off.Now();
  const std::uint64_t read = state.BeginRead(engine->member());
  const absl::StatusOr<std::optional<ContainerRecord>> record =
      co_await FetchContainer(engine, id, std::move(stop));
  if (record.ok()) {
    state.PublishContainer(engine->member(), read, id, record->has_value() ? &**record : nullptr);
    engine->hub().LogClashes();
    put_off.Done(*engine, id, mark);
  }
  state.EndRead(engine->member(), read);
  engine->NoteOutcome(record.status(), began);
  co_return record.status();
}

Task<absl::Status> RereadImages(std::shared_ptr<Engine> engine, std::stop_token stop) {
  SharedState& state = engine->hub().state;
  const TimePoint began = engine->home()->clock().Now();
  const std::uint64_t read = state.BeginRead(engine->member());
  absl::StatusOr<EngineContents> contents = co_await FetchImages(engine, std::move(stop));
  const absl::Status status = contents.status();
  if (contents.ok()) state.PublishImages(engine->member(), read, *std::move(contents));
  state.EndRead(engine->member(), read);
  engine->NoteOutcome(status, began);
  co_return status;
}

}  // namespace swarm
