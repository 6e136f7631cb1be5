#include <algorithm>
#include <utility>
#include <vector>

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

// The inspects of one refresh, shared by the workers that make them.
struct Inspects {
  std::shared_ptr<Engine> engine;
  NodePointer node;
  std::stop_token stop;
  std::vector<ContainerRecord> records;
  std::vector<std::size_t> wanted;  // indexes of `records`
  std::vector<std::size_t> gone;
  std::vector<Unread> unread;
  std::vector<std::string> not_begun;
  std::size_t next = 0;
  absl::Status failure;

  bool HasMore() const { return failure.ok() && next < wanted.size(); }
};

bool LooksUnchanged(const ContainerRecord& now, const ContainerEntry& before) {
  return now.container.state == before.container.state &&
         now.container.state != ContainerState::kRestarting &&
         now.container.has_health == before.container.has_health &&
         now.container.health == before.container.health && now.row.head == before.row.head &&
         now.row.tail == before.row.tail;
}

// What is marked is tried again in its own time.
void ChooseInspects(const Engine& engine, bool inspect_all, Inspects& work) {
  const StringSet marked = engine.hub().put_off.MarkedOf(engine);
  StringMap<ContainerPointer> known;
  if (!inspect_all || !marked.empty()) {
    const auto entries = engine.hub().state.With(
        [&engine](const ClusterState& state) { return state.ContainersOf(engine.address()); });
    for (const ContainerPointer& entry : entries) known.emplace(entry->container.id, entry);
  }
  for (std::size_t i = 0; i < work.records.size(); ++i) {
    Container& container = work.records[i].container;
    const auto before = known.find(container.id);
    const bool is_marked = marked.contains(container.id);
    const bool is_known = before != known.end();
    if (is_known && (is_marked || !inspect_all) &&
        LooksUnchanged(work.records[i], *before->second)) {
      container = before->second->container;
    } else if (!is_marked) {
      work.wanted.push_back(i);
    } else if (is_known) {
      KeepUnlisted(before->second->container, container);
    }
  }
}

// Until one does not answer: no worker waits for a second such. What none of them has begun by then
// is left for later.
Task<void> InspectSome(std::shared_ptr<Inspects> work) {
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
    ContainerRecord* const record = &work->records[index];
    const absl::StatusOr<Inspected> inspected =
        co_await Inspect(work->engine, work->node, record, kInspectPatience, work->stop);
    if (!inspected.ok()) {
      work->failure = inspected.status();
    } else if (inspected->gone) {
      work->gone.push_back(index);
    } else if (!inspected->unread.ok()) {
      work->unread.push_back({record->container.id, inspected->unread});
      if (absl::IsDeadlineExceeded(inspected->unread)) co_return;
    }
  }
}

Task<void> InspectAll(std::shared_ptr<Inspects> work) {
  if (work->wanted.empty()) co_return;
  const std::size_t most = std::min<std::size_t>(work->wanted.size(), kMostInspectsPerEngine);
  std::vector<Task<void>> workers;
  for (std::size_t i = 0; i < most; ++i) workers.push_back(InspectSome(work));
  co_await RunAll(std::move(workers));
}

// Without those that are gone; what was not begun has what is known of it.
std::vector<ContainerRecord> RecordsOf(Inspects& work) {
  for (std::size_t i = work.next; i < work.wanted.size(); ++i) {
    ContainerRecord& record = work.records[work.wanted[i]];
    KeepKnown(*work.engine, record);
    work.not_begun.push_back(record.container.id);
  }
  std::sort(work.gone.rbegin(), work.gone.rend());
  for (const std::size_t index : work.gone) {
    work.records.erase(work.records.begin() + static_cast<std::ptrdiff_t>(index));
  }
  return std::move(work.records);
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

Task<absl::StatusOr<EngineContents>> ReadAllContents(std::shared_ptr<Inspects> work,
                                                     bool inspect_all) {
  const std::shared_ptr<Engine> engine = work->engine;
  std::string target = engine->version_prefix() + "/containers/json?all=1";
  const absl::StatusOr<std::string> body =
      co_await Get(engine, std::move(target), kMostListBytes, work->stop);
  if (!body.ok()) co_return body.status();
  absl::StatusOr<std::vector<ContainerRecord>> records =
      ReadContainers(*engine, *work->node, *body);
  if (!records.ok()) co_return records.status();
  work->records = *std::move(records);
  ChooseInspects(*engine, inspect_all, *work);
  auto contents = std::make_shared<absl::StatusOr<EngineContents>>(EngineContents());
  std::vector<Task<void>> both;
  both.push_back(InspectAll(work));
  both.push_back(ReadImagesInto(engine, work->stop, contents));
  co_await RunAll(std::move(both));
  if (!work->failure.ok()) co_return work->failure;
  if (contents->ok()) (*contents)->containers = RecordsOf(*work);
  co_return std::move(*contents);
}

// After they were published: those that could not be read, and those that were not begun.
void ReadRestLater(const Inspects& work) {
  for (const Unread& unread : work.unread) MarkUnread(work.engine, unread.id, unread.why);
  for (const std::string& id : work.not_begun) work.engine->hub().put_off.Add(work.engine, id);
}

// Single readings that share a list, and the workers that make them.
struct Readings {
  std::shared_ptr<Engine> engine;
  NodePointer node;
  std::stop_token stop;
  Duration patience{};  // of each inspect
  TimePoint until;      // no worker begins another one after that
  Gate* gate = nullptr;
  std::uint64_t read = 0;
  PutOffReadings::Moment moment = 0;
  std::vector<ContainerRecord> records;
  std::size_t next = 0;
  absl::Status failure;
};

void Publish(const Readings& work, const std::string& id, const ContainerRecord* record) {
  work.engine->hub().state.PublishContainer(work.engine->member(), work.read, id, record);
}

void PublishInspected(const Readings& work, const ContainerRecord& record,
                      const Inspected& inspected) {
  const std::string& id = record.container.id;
  PutOffReadings& put_off = work.engine->hub().put_off;
  Publish(work, id, inspected.gone ? nullptr : &record);
  if (inspected.unread.ok()) {
    put_off.Done(*work.engine, id, work.moment);
  } else {
    MarkUnread(work.engine, id, inspected.unread);
  }
}

// One that cannot be read does not keep the others back. The first is begun in any case and each
// has all its time, so that of those that wait for ever some are marked by every pass.
Task<void> ReadAndPublishSome(std::shared_ptr<Readings> work) {
  Loop* const home = work->engine->home();
  for (bool is_first = true; work->next < work->records.size(); is_first = false) {
    const bool entered = co_await work->gate->Enter(home, work->stop);
    if (!entered) co_return;
    const GatePass pass(*work->gate);
    const bool is_late = !is_first && home->clock().Now() >= work->until;
    if (is_late || work->next >= work->records.size()) co_return;
    ContainerRecord* const record = &work->records[work->next++];
    const absl::StatusOr<Inspected> inspected =
        co_await Inspect(work->engine, work->node, record, work->patience, work->stop);
    if (inspected.ok()) {
      PublishInspected(*work, *record, *inspected);
    } else {
      work->failure = inspected.status();
    }
  }
}

// The rows of `ids` go into `work`; those without a row are gone.
Task<absl::Status> ReadRows(std::shared_ptr<Readings> work, std::vector<std::string> ids) {
  const std::shared_ptr<Engine> engine = work->engine;
  std::string target = ListTarget(*engine, "id", ids);
  const absl::StatusOr<std::string> body =
      co_await Get(engine, std::move(target), kMostListBytes, work->stop);
  if (!body.ok()) co_return body.status();
  absl::StatusOr<std::vector<ContainerRecord>> records =
      ReadContainers(*engine, *work->node, *body);
  if (!records.ok()) co_return records.status();
  StringSet wanted(ids.begin(), ids.end());
  for (ContainerRecord& record : *records) {
    // Engines take an id for the beginning of one.
    if (wanted.erase(record.container.id) > 0) work->records.push_back(std::move(record));
  }
  for (const std::string& id : wanted) {
    Publish(*work, id, nullptr);
    engine->hub().put_off.Done(*engine, id, work->moment);
  }
  co_return absl::OkStatus();
}

}  // namespace

Task<absl::Status> RereadSeveral(std::shared_ptr<Engine> engine, std::vector<std::string> ids,
                                 Duration patience, std::stop_token stop) {
  SharedState& state = engine->hub().state;
  const TimePoint began = engine->home()->clock().Now();
  LoopGates& gates = engine->hub().GatesOf(engine->home());
  const bool is_awaited = patience != Duration::max();
  auto work = std::make_shared<Readings>();
  work->engine = engine;
  work->node = std::make_shared<const Node>(NodeNow(*engine));
  work->stop = std::move(stop);
  work->patience = patience;
  work->gate = is_awaited ? &gates.inspects : &gates.retries;
  work->moment = engine->hub().put_off.Now();
  work->read = state.BeginRead(engine->member());
  work->failure = co_await ReadRows(work, std::move(ids));
  work->until = is_awaited ? engine->home()->clock().Now() + patience : TimePoint::max();
  std::vector<Task<void>> workers;
  const std::size_t most = std::min<std::size_t>(work->records.size(), kMostInspectsPerEngine);
  for (std::size_t i = 0; i < most; ++i) workers.push_back(ReadAndPublishSome(work));
  co_await RunAll(std::move(workers));
  // The time was over before these were begun.
  for (; work->next < work->records.size() && work->failure.ok(); ++work->next)
    engine->hub().put_off.Add(engine, work->records[work->next].container.id);
  state.EndRead(engine->member(), work->read);
  engine->NoteOutcome(work->failure, began);
  co_return work->failure;
}

Task<absl::Status> Sync(std::shared_ptr<Engine> engine, bool inspect_all, std::size_t* changed,
                        std::stop_token stop) {
  SharedState& state = engine->hub().state;
  Gate& gate = engine->hub().GatesOf(engine->home()).read;
  const bool entered = co_await gate.Enter(engine->home(), stop);
  if (!entered) co_return Cancelled("the reading was given up");
  const GatePass pass(gate);
  const TimePoint began = engine->home()->clock().Now();
  const PutOffReadings::Moment moment = engine->hub().put_off.Now();
  const std::uint64_t read = state.BeginRead(engine->member());
  auto work = std::make_shared<Inspects>();
  work->engine = engine;
  work->node = std::make_shared<const Node>(engine->node());
  work->stop = std::move(stop);
  absl::StatusOr<EngineContents> contents = co_await ReadAllContents(work, inspect_all);
  const absl::Status status = contents.status();
  *changed = work->wanted.size();
  if (contents.ok() && !engine->stopping()) {
    engine->PublishHealthy(read, began, *std::move(contents));
    engine->hub().put_off.AllDone(*engine, moment);
    ReadRestLater(*work);
  }
  state.EndRead(engine->member(), read);
  co_return status;
}

}  // namespace swarm
