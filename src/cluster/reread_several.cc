#include <algorithm>
#include <utility>
#include <vector>

#include "async/await.h"
#include "cluster/engine_calls.h"
#include "cluster/hub.h"
#include "cluster/inspect.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

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
  absl::StatusOr<std::string> body =
      co_await Get(engine, std::move(target), kMostListBytes, work->stop);
  if (!body.ok()) co_return body.status();
  std::string list = *std::move(body);
  const NodePointer node = work->node;
  absl::StatusOr<std::vector<ContainerRecord>> records =
      co_await ReadContainers(engine, node, std::move(list), work->stop);
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

}  // namespace swarm
