#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "async/await.h"
#include "cluster/engine_calls.h"
#include "cluster/hub.h"
#include "cluster/inspect.h"
#include "cluster/watcher.h"
#include "core/described.h"
#include "swarmlib/status.h"
#include "wire/containers.h"

namespace swarm {
namespace {

// A container of a refresh whose inspect failed.
struct Unread {
  std::string id;
  absl::Status why;
};

// One reading of everything, and the inspects of it, shared by the workers that make them.
struct WholeReading {
  std::shared_ptr<Engine> engine;
  NodePointer node;
  std::stop_token stop;
  std::uint64_t read = 0;
  TimePoint began{};
  std::vector<ReadRow> rows;
  std::vector<std::size_t> wanted;  // indexes of `rows`
  std::vector<Unread> unread;
  std::vector<std::string> not_begun;
  std::size_t next = 0;
  absl::Status failure;

  bool HasMore() const { return failure.ok() && next < wanted.size(); }
};

// Neither leaving nor refused since, and as healthy.
bool StandsAs(const Engine& engine, const Node& before) {
  return !engine.stopping() && engine.node().state == before.state && engine.node().id == before.id;
}

bool LooksUnchanged(const ContainerRecord& now, const ContainerEntry& before) {
  return now.container.state == before.container.state &&
         now.container.state != ContainerState::kRestarting &&
         now.container.has_health == before.container.has_health &&
         now.container.health == before.container.health && now.row.head == before.row.head &&
         now.row.tail == before.row.tail;
}

// The entries that are published of these containers on this engine; null for those that are not.
std::vector<ContainerPointer> PublishedOf(const Engine& engine,
                                          const std::vector<ContainerRecord>& records) {
  return engine.hub().state.With([&engine, &records](const ClusterState& state) {
    std::vector<ContainerPointer> entries;
    entries.reserve(records.size());
    for (const ContainerRecord& record : records) {
      ContainerPointer entry = state.FindById(record.container.id);
      if (entry && entry->container.node != engine.address()) entry.reset();
      entries.push_back(std::move(entry));
    }
    return entries;
  });
}

// Adds rows, and chooses which of them are inspected. What is marked is tried again in its own
// time.
void AddRows(WholeReading& work, const StringSet& marked, bool inspect_all,
             std::vector<ContainerRecord> records) {
  const std::vector<ContainerPointer> published = PublishedOf(*work.engine, records);
  for (std::size_t i = 0; i < records.size(); ++i) {
    ContainerRecord& record = records[i];
    const ContainerPointer& before = published[i];
    const bool is_marked = marked.contains(record.container.id);
    ReadRow& row = work.rows.emplace_back();
    if (before && (is_marked || !inspect_all) && LooksUnchanged(record, *before)) {
      row.same = before;
      continue;
    }
    if (!is_marked) {
      work.wanted.push_back(work.rows.size() - 1);
    } else if (before) {
      KeepUnlisted(before->container, record.container);
    }
    row.record = std::make_unique<ContainerRecord>(std::move(record));
  }
}

// A piece in each turn of the loop.
Task<absl::Status> ReadListed(std::shared_ptr<WholeReading> work, std::string body,
                              bool inspect_all) {
  const Engine& engine = *work->engine;
  const StringSet marked = engine.hub().put_off.MarkedOf(engine);
  ContainerListReader list(body, *work->node, engine.hub().options.names);
  for (;;) {
    absl::StatusOr<std::vector<ContainerRecord>> some =
        list.Next(kMaxRowsAtOnce, kMaxRowBytesAtOnce);
    if (!some.ok()) co_return Internal(MessageOf(some.status()));
    AddRows(*work, marked, inspect_all, *std::move(some));
    if (list.done()) break;
    co_await Yield();
    if (work->stop.stop_requested()) co_return Cancelled("the reading was given up");
  }
  LogSkipped(engine, list.skipped());
  co_return absl::OkStatus();
}

// Until one does not answer: no worker waits for a second such. What none of them has begun by then
// is left for later.
Task<void> InspectSome(std::shared_ptr<WholeReading> work) {
  Loop* const home = work->engine->home();
  Gate& gate = work->engine->hub().GatesOf(home).inspects;
  while (work->HasMore()) {
    const bool entered = co_await gate.Enter(home, work->stop);
    if (!entered) {
      work->failure = Cancelled("the reading was given up");
      co_return;
    }
    const GatePass pass(gate);
    if (!work->HasMore()) co_return;
    const std::size_t index = work->wanted[work->next++];
    ContainerRecord* const record = work->rows[index].record.get();
    const absl::StatusOr<Inspected> inspected =
        co_await Inspect(work->engine, work->node, record, kInspectPatience, work->stop);
    if (!inspected.ok()) {
      work->failure = inspected.status();
    } else if (inspected->gone) {
      work->rows[index] = ReadRow();
    } else if (!inspected->unread.ok()) {
      work->unread.push_back({record->container.id, inspected->unread});
      if (absl::IsDeadlineExceeded(inspected->unread)) co_return;
    }
  }
}

Task<void> InspectAll(std::shared_ptr<WholeReading> work) {
  if (work->wanted.empty()) co_return;
  const std::size_t most = std::min<std::size_t>(work->wanted.size(), kMostInspectsPerEngine);
  std::vector<Task<void>> workers;
  for (std::size_t i = 0; i < most; ++i) workers.push_back(InspectSome(work));
  co_await RunAll(std::move(workers));
}

// What was not begun has what is known of it.
Task<void> KeepNotBegun(std::shared_ptr<WholeReading> work) {
  for (std::size_t i = work->next; i < work->wanted.size(); ++i) {
    ContainerRecord& record = *work->rows[work->wanted[i]].record;
    KeepKnown(*work->engine, record);
    work->not_begun.push_back(record.container.id);
    if (work->not_begun.size() % kMaxRowsAtOnce == 0) co_await Yield();
  }
}

// Images that cannot be read while the engine answers a ping do not count against it: what is known
// of them stays.
Task<absl::StatusOr<EngineContents>> ReadImages(std::shared_ptr<Engine> engine,
                                                std::stop_token stop) {
  absl::StatusOr<EngineContents> contents = co_await FetchImages(engine, stop);
  if (!contents.ok()) {
    const absl::Status fault = co_await FaultOfEngine(engine, contents.status(), std::move(stop));
    if (!fault.ok()) co_return fault;
  }
  engine->NoteImages(contents.status());
  if (contents.ok()) co_return contents;
  EngineContents unread;
  unread.has_images = false;
  co_return unread;
}

Task<void> ReadImagesInto(std::shared_ptr<Engine> engine, std::stop_token stop,
                          std::shared_ptr<absl::StatusOr<EngineContents>> contents) {
  *contents = co_await ReadImages(std::move(engine), std::move(stop));
}

Task<absl::StatusOr<EngineContents>> ReadAllContents(std::shared_ptr<WholeReading> work,
                                                     bool inspect_all) {
  const std::shared_ptr<Engine> engine = work->engine;
  std::string target = engine->version_prefix() + "/containers/json?all=1";
  absl::StatusOr<std::string> body =
      co_await Get(engine, std::move(target), kMostListBytes, work->stop);
  if (!body.ok()) co_return body.status();
  std::string list = *std::move(body);
  const absl::Status listed = co_await ReadListed(work, std::move(list), inspect_all);
  if (!listed.ok()) co_return listed;
  auto contents = std::make_shared<absl::StatusOr<EngineContents>>(EngineContents());
  std::vector<Task<void>> both;
  both.push_back(InspectAll(work));
  both.push_back(ReadImagesInto(engine, work->stop, contents));
  co_await RunAll(std::move(both));
  if (!work->failure.ok()) co_return work->failure;
  if (contents->ok()) co_await KeepNotBegun(work);
  co_return std::move(*contents);
}

// Views of the ids of all rows.
Task<void> CollectIds(std::shared_ptr<WholeReading> work, std::shared_ptr<IdViews> ids) {
  std::size_t taken = 0;
  for (const ReadRow& row : work->rows) {
    if (!row.is_gone()) ids->insert(row.container().id);
    if (++taken % kMaxRowsAtOnce == 0) co_await Yield();
  }
}

Task<bool> EraseUnlisted(std::shared_ptr<WholeReading> work, Node before) {
  const Member member = work->engine->member();
  auto listed = std::make_shared<IdViews>();
  co_await CollectIds(work, listed);
  std::string last;
  while (StandsAs(*work->engine, before)) {
    last = work->engine->hub().state.EraseAbsent(member, work->read, *listed, last);
    if (last.empty()) co_return true;
    co_await Yield();
  }
  co_return false;
}

// In pieces, a turn of the loop for each. False: the engine has left, was refused or is not healthy
// any more, and the rest is dropped. A node turns healthy behind the last piece.
Task<bool> PublishWhole(std::shared_ptr<WholeReading> work, EngineContents contents) {
  const std::shared_ptr<Engine> engine = work->engine;
  const Node before = engine->node();
  Node healthy = before;
  healthy.state = NodeState::kHealthy;
  const auto shown = std::make_shared<const Node>(std::move(healthy));
  const bool erased = co_await EraseUnlisted(work, before);
  if (!erased) co_return false;
  std::span<ReadRow> left(work->rows);
  while (!left.empty()) {
    const std::span<ReadRow> rows = left.first(std::min(left.size(), kMaxRowsAtOnce));
    engine->hub().state.PublishRows(engine->member(), work->read, shown, rows);
    for (ReadRow& row : rows) row = ReadRow();
    left = left.subspan(rows.size());
    if (!left.empty()) co_await Yield();
    if (!StandsAs(*engine, before)) co_return false;
  }
  engine->PublishHealthy(work->read, work->began, std::move(contents));
  co_return true;
}

// After they were published: those that could not be read, and those that were not begun.
Task<void> ReadRestLater(std::shared_ptr<WholeReading> work) {
  const std::shared_ptr<Engine> engine = work->engine;
  for (const Unread& unread : work->unread) MarkUnread(engine, unread.id, unread.why);
  std::size_t added = 0;
  for (const std::string& id : work->not_begun) {
    engine->hub().put_off.Add(engine, id);
    if (++added % kMaxRowsAtOnce == 0) co_await Yield();
  }
}

}  // namespace

Task<absl::Status> Sync(std::shared_ptr<Engine> engine, bool inspect_all, std::size_t* changed,
                        std::stop_token stop) {
  SharedState& state = engine->hub().state;
  Gate& gate = engine->hub().GatesOf(engine->home()).read;
  const bool entered = co_await gate.Enter(engine->home(), stop);
  if (!entered) co_return Cancelled("the reading was given up");
  const GatePass pass(gate);
  const PutOffReadings::Moment moment = engine->hub().put_off.Now();
  auto work = std::make_shared<WholeReading>();
  work->engine = engine;
  work->node = std::make_shared<const Node>(engine->node());
  work->stop = std::move(stop);
  work->began = engine->home()->clock().Now();
  work->read = state.BeginRead(engine->member());
  absl::StatusOr<EngineContents> contents = co_await ReadAllContents(work, inspect_all);
  absl::Status status = contents.status();
  *changed = work->wanted.size();
  if (contents.ok() && !engine->stopping()) {
    EngineContents rest = *std::move(contents);
    const bool published = co_await PublishWhole(work, std::move(rest));
    if (published) {
      engine->hub().put_off.AllDone(*engine, moment);
      co_await ReadRestLater(work);
    } else if (!engine->stopping()) {
      status = Cancelled("the reading was given up");
    }
  }
  state.EndRead(engine->member(), work->read);
  co_return status;
}

}  // namespace swarm
