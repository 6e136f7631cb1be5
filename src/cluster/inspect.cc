#include "cluster/inspect.h"

#include <utility>

#include "async/await.h"
#include "base/log.h"
#include "cluster/engine_calls.h"
#include "cluster/hub.h"
#include "core/described.h"
#include "swarmlib/status.h"
#include "wire/containers.h"

namespace swarm {
namespace {

std::string InspectTarget(const Engine& engine, const std::string& id) {
  return engine.version_prefix() + "/containers/" + id + "/json";
}

absl::Status ReadInspect(const Engine& engine, const Node& node,
                         const absl::StatusOr<std::string>& body, ContainerRecord& record) {
  if (!body.ok()) return body.status();
  const std::string id = record.container.id;
  ContainerRecord whole = record;
  absl::Status read = ApplyInspect(*body, engine.hub().options.create_rules, node, whole);
  if (!read.ok()) return Internal(MessageOf(read));
  if (whole.container.id != id) return Internal("the inspect describes another container");
  record = std::move(whole);
  return absl::OkStatus();
}

Task<absl::StatusOr<Inspected>> TakeInspect(std::shared_ptr<Engine> engine, NodePointer node,
                                            absl::StatusOr<std::string> body,
                                            ContainerRecord* record, std::stop_token stop) {
  Inspected result;
  result.gone = absl::IsNotFound(body.status());
  if (result.gone) co_return result;
  result.unread = ReadInspect(*engine, *node, body, *record);
  if (result.unread.ok()) {
    if (body->size() > kMaxRowBytesAtOnce) co_await Yield();  // publishing it is work, too
    co_return result;
  }
  if (!body.ok()) {
    const absl::Status fault = co_await FaultOfEngine(engine, body.status(), std::move(stop));
    if (!fault.ok()) co_return fault;
  }
  KeepKnown(*engine, *record);
  co_return result;
}

// The two answers that make a container.
struct Halves {
  absl::StatusOr<std::string> row = Internal("not asked");
  absl::StatusOr<std::string> inspect = Internal("not asked");
};

Task<void> GetInto(std::shared_ptr<Engine> engine, std::string target, std::size_t most,
                   Duration patience, std::stop_token stop, std::shared_ptr<Halves> halves,
                   absl::StatusOr<std::string> Halves::*half) {
  absl::StatusOr<std::string> body =
      co_await GetWithin(std::move(engine), std::move(target), most, patience, std::move(stop));
  halves.get()->*half = std::move(body);
}

}  // namespace

Task<absl::StatusOr<Inspected>> Inspect(std::shared_ptr<Engine> engine, NodePointer node,
                                        ContainerRecord* record, Duration patience,
                                        std::stop_token stop) {
  std::string target = InspectTarget(*engine, record->container.id);
  absl::StatusOr<std::string> body =
      co_await GetWithin(engine, std::move(target), kMostInspectBytes, patience, stop);
  absl::StatusOr<Inspected> taken = co_await TakeInspect(std::move(engine), std::move(node),
                                                         std::move(body), record, std::move(stop));
  co_return taken;
}

void KeepKnown(const Engine& engine, ContainerRecord& record) {
  const std::string& id = record.container.id;
  const ContainerPointer known =
      engine.hub().state.With([&id](const ClusterState& state) { return state.FindById(id); });
  if (known && known->container.node == engine.address())
    KeepUnlisted(known->container, record.container);
}

void MarkUnread(const std::shared_ptr<Engine>& engine, const std::string& id,
                const absl::Status& why) {
  if (!engine->hub().put_off.Mark(engine, id)) return;
  Log(engine->hub().options.log, LogLevel::kWarning,
      "an engine's description of a container cannot be read; it is listed without it and tried "
      "again",
      {{"node", engine->Label()}, {"container", id}, {"reason", std::string(MessageOf(why))}});
}

Task<absl::StatusOr<Fetched>> FetchContainer(std::shared_ptr<Engine> engine, std::string id,
                                             bool row_only, std::stop_token stop) {
  auto halves = std::make_shared<Halves>();
  std::string row_target = ListTarget(*engine, "id", {id});
  std::string inspect_target = InspectTarget(*engine, id);
  std::vector<Task<void>> both;
  both.push_back(GetInto(engine, std::move(row_target), kMostListBytes, Duration::max(), stop,
                         halves, &Halves::row));
  if (!row_only) {
    both.push_back(GetInto(engine, std::move(inspect_target), kMostInspectBytes, kInspectPatience,
                           stop, halves, &Halves::inspect));
  }
  co_await RunAll(std::move(both));
  if (!halves->row.ok()) co_return halves->row.status();
  const auto node = std::make_shared<const Node>(NodeNow(*engine));
  std::string list = *std::move(halves->row);
  absl::StatusOr<std::vector<ContainerRecord>> rows =
      co_await ReadContainers(engine, node, std::move(list), stop);
  if (!rows.ok()) co_return rows.status();
  Fetched fetched;
  for (ContainerRecord& row : *rows) {
    if (row.container.id == id) fetched.record = std::move(row);
  }
  if (!fetched.record) co_return fetched;
  if (row_only) {
    KeepKnown(*engine, *fetched.record);
    co_return fetched;
  }
  ContainerRecord* const record = &*fetched.record;
  const absl::StatusOr<Inspected> taken =
      co_await TakeInspect(engine, node, std::move(halves->inspect), record, std::move(stop));
  if (!taken.ok()) co_return taken.status();
  if (taken->gone) fetched.record.reset();
  fetched.unread = taken->unread;
  co_return fetched;
}

Task<absl::Status> Reread(std::shared_ptr<Engine> engine, std::string id, std::stop_token stop) {
  SharedState& state = engine->hub().state;
  const TimePoint began = engine->home()->clock().Now();
  PutOffReadings& put_off = engine->hub().put_off;
  const PutOffReadings::Moment moment = put_off.Now();
  const bool is_marked = put_off.IsMarked(*engine, id);
  const std::uint64_t read = state.BeginRead(engine->member());
  const absl::StatusOr<Fetched> fetched =
      co_await FetchContainer(engine, id, is_marked, std::move(stop));
  if (fetched.ok()) {
    const bool is_there = fetched->record.has_value();
    state.PublishContainer(engine->member(), read, id, is_there ? &*fetched->record : nullptr);
    engine->hub().LogClashes();
    if (!fetched->unread.ok()) {
      MarkUnread(engine, id, fetched->unread);
    } else if (is_marked && is_there) {
      put_off.Add(engine, id);
    } else {
      put_off.Done(*engine, id, moment);
    }
  }
  state.EndRead(engine->member(), read);
  engine->NoteOutcome(fetched.status(), began);
  co_return fetched.status();
}

}  // namespace swarm
