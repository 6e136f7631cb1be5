#include <algorithm>
#include <utility>
#include <vector>

#include "cluster/engine_calls.h"
#include "cluster/hub.h"
#include "cluster/watcher.h"
#include "swarmlib/status.h"
#include "wire/containers.h"

namespace swarm {
namespace {

// The inspects of one reading, shared by the workers that make them.
struct Inspects {
  std::shared_ptr<Engine> engine;
  NodePointer node;
  std::stop_token stop;
  std::vector<ContainerRecord> records;
  std::vector<std::size_t> wanted;  // indexes of `records`
  std::vector<std::size_t> gone;
  std::size_t next = 0;
  absl::Status failure;
};

bool LooksUnchanged(const ContainerRecord& now, const ContainerEntry& before) {
  return now.container.state == before.container.state &&
         now.container.state != ContainerState::kRestarting &&
         now.container.has_health == before.container.has_health &&
         now.container.health == before.container.health && now.row.head == before.row.head &&
         now.row.tail == before.row.tail;
}

void ChooseInspects(const Engine& engine, bool inspect_all, Inspects& work) {
  StringMap<ContainerPointer> known;
  if (!inspect_all) {
    const auto entries = engine.hub().state.With(
        [&engine](const ClusterState& state) { return state.ContainersOf(engine.address()); });
    for (const ContainerPointer& entry : entries) known.emplace(entry->container.id, entry);
  }
  for (std::size_t i = 0; i < work.records.size(); ++i) {
    const auto before = known.find(work.records[i].container.id);
    if (before != known.end() && LooksUnchanged(work.records[i], *before->second)) {
      work.records[i].container = before->second->container;
    } else {
      work.wanted.push_back(i);
    }
  }
}

Task<void> InspectSome(std::shared_ptr<Inspects> work) {
  Loop* const home = work->engine->home();
  Gate& gate = work->engine->hub().GatesOf(home).inspects;
  while (work->failure.ok() && work->next < work->wanted.size()) {
    const bool entered = co_await gate.Enter(home, work->stop);
    if (!entered) {
      work->failure = Cancelled("the reading was given up");
      co_return;
    }
    const GatePass pass(gate);
    if (!work->failure.ok() || work->next >= work->wanted.size()) co_return;
    const std::size_t index = work->wanted[work->next++];
    ContainerRecord* const record = &work->records[index];
    const absl::StatusOr<bool> there =
        co_await AddInspect(work->engine, work->node, record, work->stop);
    if (!there.ok()) {
      work->failure = there.status();
    } else if (!*there) {
      work->gone.push_back(index);
    }
  }
}

Task<absl::Status> InspectAll(std::shared_ptr<Inspects> work) {
  if (work->wanted.empty()) co_return absl::OkStatus();
  const std::size_t most = std::min<std::size_t>(work->wanted.size(), kMostInspectsPerEngine);
  std::vector<Task<void>> workers;
  for (std::size_t i = 0; i < most; ++i) workers.push_back(InspectSome(work));
  co_await RunAll(std::move(workers));
  if (!work->failure.ok()) co_return work->failure;
  std::sort(work->gone.rbegin(), work->gone.rend());
  for (const std::size_t index : work->gone) {
    work->records.erase(work->records.begin() + static_cast<std::ptrdiff_t>(index));
  }
  co_return absl::OkStatus();
}

Task<absl::StatusOr<EngineContents>> ReadAllContents(std::shared_ptr<Engine> engine,
                                                     bool inspect_all, std::size_t* changed,
                                                     std::stop_token stop) {
  const auto node = std::make_shared<const Node>(engine->node());
  std::string target = engine->version_prefix() + "/containers/json?all=1";
  const absl::StatusOr<std::string> body =
      co_await Get(engine, std::move(target), kMostListBytes, stop);
  if (!body.ok()) co_return body.status();
  absl::StatusOr<std::vector<ContainerRecord>> records = ReadContainers(*engine, *node, *body);
  if (!records.ok()) co_return records.status();
  auto work = std::make_shared<Inspects>();
  work->engine = engine;
  work->node = node;
  work->stop = stop;
  work->records = *std::move(records);
  ChooseInspects(*engine, inspect_all, *work);
  *changed = work->wanted.size();
  const absl::Status inspected = co_await InspectAll(work);
  if (!inspected.ok()) co_return inspected;
  absl::StatusOr<EngineContents> contents = co_await FetchImages(engine, std::move(stop));
  if (!contents.ok()) co_return contents.status();
  contents->containers = std::move(work->records);
  co_return contents;
}

// Single readings that share a list, and the workers that make them.
struct Readings {
  std::shared_ptr<Engine> engine;
  NodePointer node;
  std::stop_token stop;
  std::uint64_t read = 0;
  PutOffReadings::Mark mark = 0;
  std::vector<ContainerRecord> records;
  std::size_t next = 0;
  absl::Status failure;
};

void Publish(const Readings& work, const std::string& id, const ContainerRecord* record) {
  Hub& hub = work.engine->hub();
  hub.state.PublishContainer(work.engine->member(), work.read, id, record);
  hub.put_off.Done(*work.engine, id, work.mark);
}

// One that cannot be read does not keep the others back.
Task<void> ReadAndPublishSome(std::shared_ptr<Readings> work) {
  Loop* const home = work->engine->home();
  Gate& gate = work->engine->hub().GatesOf(home).inspects;
  while (work->next < work->records.size()) {
    const bool entered = co_await gate.Enter(home, work->stop);
    if (!entered) co_return;
    const GatePass pass(gate);
    if (work->next >= work->records.size()) co_return;
    ContainerRecord* const record = &work->records[work->next++];
    const absl::StatusOr<bool> there =
        co_await AddInspect(work->engine, work->node, record, work->stop);
    if (there.ok()) {
      Publish(*work, record->container.id, *there ? record : nullptr);
    } else {
      work->failure = there.status();
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
  for (const std::string& id : wanted) Publish(*work, id, nullptr);
  co_return absl::OkStatus();
}

}  // namespace

Task<absl::Status> RereadSeveral(std::shared_ptr<Engine> engine, std::vector<std::string> ids,
                                 std::stop_token stop) {
  SharedState& state = engine->hub().state;
  const TimePoint began = engine->home()->clock().Now();
  auto work = std::make_shared<Readings>();
  work->engine = engine;
  work->node = std::make_shared<const Node>(NodeNow(*engine));
  work->stop = std::move(stop);
  work->mark = engine->hub().put_off.Now();
  work->read = state.BeginRead(engine->member());
  work->failure = co_await ReadRows(work, std::move(ids));
  std::vector<Task<void>> workers;
  const std::size_t most = std::min<std::size_t>(work->records.size(), kMostInspectsPerEngine);
  for (std::size_t i = 0; i < most; ++i) workers.push_back(ReadAndPublishSome(work));
  co_await RunAll(std::move(workers));
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
  const PutOffReadings::Mark mark = engine->hub().put_off.Now();
  const std::uint64_t read = state.BeginRead(engine->member());
  absl::StatusOr<EngineContents> contents =
      co_await ReadAllContents(engine, inspect_all, changed, std::move(stop));
  const absl::Status status = contents.status();
  if (contents.ok() && !engine->stopping()) {
    engine->PublishHealthy(read, began, *std::move(contents));
    engine->hub().put_off.AllDone(*engine, mark);
  }
  state.EndRead(engine->member(), read);
  co_return status;
}

}  // namespace swarm
