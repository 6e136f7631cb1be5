#include "cluster/engine_cluster.h"

#include <utility>

#include "base/log.h"
#include "cluster/aside.h"
#include "cluster/create.h"
#include "cluster/engine_calls.h"
#include "cluster/find_exec.h"
#include "cluster/hub.h"
#include "cluster/inspect.h"
#include "cluster/operate.h"
#include "cluster/watcher.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

// Runs `task` on the caller's loop and hands its value to `done` there.
template <typename T>
Task<void> Deliver(Task<T> task, Callback<T> done, [[maybe_unused]] CountedWork work) {
  T value = co_await std::move(task);
  done(std::move(value));
}

template <typename T>
void Start(const std::shared_ptr<Hub>& hub, Task<T> task, Callback<T> done) {
  hub->CallersLoop()->Spawn(Deliver<T>(std::move(task), std::move(done), CountedWork(hub)));
}

absl::Status Closing() { return Unavailable("the manager is closing"); }

// Counts while it lives.
class CountedSubscription final : public Subscription {
 public:
  CountedSubscription(std::shared_ptr<Hub> hub, std::unique_ptr<Subscription> inner)
      : hub_(std::move(hub)), inner_(std::move(inner)) {
    ++hub_->listeners;
  }
  ~CountedSubscription() override { --hub_->listeners; }

 private:
  std::shared_ptr<Hub> hub_;
  std::unique_ptr<Subscription> inner_;
};

Task<void> WatchCounted(std::shared_ptr<Engine> engine) {
  co_await Watch(engine);
  --engine->hub().watching;
}

Task<absl::Status> RefreshImagesOf(std::shared_ptr<Engine> engine) {
  if (!engine->healthy()) co_return engine->Refusal();
  co_return co_await RereadImages(engine, engine->health_token());
}

Task<absl::Status> RefreshContainerOf(std::shared_ptr<Engine> engine, std::string id) {
  if (!engine->healthy()) co_return engine->Refusal();
  co_return co_await Reread(engine, std::move(id), engine->health_token());
}

}  // namespace

EngineCluster::EngineCluster(EngineClusterOptions options)
    : hub_(std::make_shared<Hub>(std::move(options))) {}

EngineCluster::~EngineCluster() { Stop(); }

void EngineCluster::SetAddresses(std::vector<std::string> addresses) {
  if (hub_->stopped) return;
  hub_->readiness.Expect(addresses);
  std::vector<std::shared_ptr<Engine>> left, came;
  const auto make = [this](const std::string& address) {
    const std::uint64_t seed = hub_->options.seed ^ HashOf(address);
    auto engine = std::make_shared<Engine>(hub_, address, hub_->HomeOf(address),
                                           hub_->options.backend(address), seed);
    engine->SetMember(hub_->state.Join(engine->node()));
    return engine;
  };
  hub_->membership.Replace(addresses, make, left, came);
  for (const std::shared_ptr<Engine>& engine : left) {
    hub_->state.Leave(engine->member());
    hub_->execs.ForgetNode(engine->address());
    hub_->bus.EndFollowing(engine->address());
    engine->home()->Post([engine] { engine->Stop(true); });
  }
  if (!left.empty()) {
    // One of those left may have held the ID that another waits for.
    for (const std::shared_ptr<Engine>& engine : hub_->membership.All()) {
      engine->home()->Post([engine] {
        if (engine->node().state == NodeState::kPending) engine->pause().Interrupt();
      });
    }
  }
  for (const std::shared_ptr<Engine>& engine : came) {
    ++hub_->watching;
    engine->home()->Spawn(WatchCounted(engine));
  }
}

bool EngineCluster::Ready() const { return hub_->readiness.ready(); }

void EngineCluster::WhenReady(Callback<> done) {
  Loop* const loop = hub_->CallersLoop();
  hub_->readiness.When([loop, done = std::move(done)]() mutable { loop->Post(std::move(done)); });
}

void EngineCluster::WhenRead(Duration patience, Callback<> done) {
  if (hub_->put_off.empty()) return done();
  Loop* const loop = hub_->CallersLoop();
  hub_->put_off.ReadNow(loop->clock().Now(), patience, nullptr,
                        [loop, done = std::move(done)]() mutable { loop->Post(std::move(done)); });
}

void EngineCluster::Stop() {
  if (hub_->stopped.exchange(true)) return;
  hub_->readiness.Expect({});
  for (const std::shared_ptr<Engine>& engine : hub_->membership.All()) {
    engine->home()->Post([engine] { engine->Stop(false); });
  }
  hub_->membership.Clear();
}

bool EngineCluster::Stopped() const {
  return hub_->stopped && hub_->watching == 0 && hub_->working == 0;
}

int EngineCluster::Listeners() const { return hub_->listeners; }

std::vector<NodePointer> EngineCluster::Nodes() const {
  return hub_->state.With([](const ClusterState& state) { return state.Nodes(); });
}

NodePointer EngineCluster::FindNode(std::string_view reference) const {
  return hub_->state.With(
      [reference](const ClusterState& state) { return state.FindNode(reference); });
}

ClusterTotals EngineCluster::Totals() const {
  return hub_->state.With([](const ClusterState& state) { return state.Totals(); });
}

NodeTotals EngineCluster::TotalsOf(std::string_view node_address) const {
  return hub_->state.With(
      [node_address](const ClusterState& state) { return state.TotalsOf(node_address); });
}

std::string EngineCluster::strategy() const {
  return hub_->state.With([](const ClusterState& state) { return std::string(state.strategy()); });
}

std::vector<std::string> EngineCluster::filters() const {
  return hub_->state.With([](const ClusterState& state) { return state.filters(); });
}

absl::StatusOr<ContainerPointer> EngineCluster::FindContainer(std::string_view reference) const {
  return hub_->state.With(
      [reference](const ClusterState& state) { return state.FindContainer(reference); });
}

std::vector<ContainerPointer> EngineCluster::Containers() const {
  const std::shared_ptr<const std::vector<ContainerPointer>> list = hub_->state.Containers();
  return *list;
}

ContainerGroups EngineCluster::ContainersInGroups() const {
  return hub_->state.With([](const ClusterState& state) { return state.ContainersInGroups(); });
}

std::uint64_t EngineCluster::generation() const {
  return hub_->state.With([](const ClusterState& state) { return state.generation(); });
}

void EngineCluster::Cordon(std::string node_address, bool cordoned, Callback<absl::Status> done) {
  Loop* const caller = hub_->CallersLoop();
  const std::shared_ptr<Engine> engine = hub_->membership.Find(node_address);
  if (!engine) {
    caller->Post([done = std::move(done), node_address]() mutable {
      done(NotFound("no node has the address " + node_address));
    });
    return;
  }
  engine->home()->Post([engine, cordoned, caller, done = std::move(done)]() mutable {
    engine->SetCordoned(cordoned);
    caller->Post([done = std::move(done)]() mutable { done(absl::OkStatus()); });
  });
}

std::vector<std::shared_ptr<const ImageEntry>> EngineCluster::Images() const {
  return hub_->state.With([](const ClusterState& state) { return state.Images(); });
}

void EngineCluster::RefreshImages(std::string node_address, Callback<absl::Status> done) {
  const std::shared_ptr<Engine> engine = hub_->membership.Find(node_address);
  if (!engine) {
    hub_->CallersLoop()->Post([done = std::move(done), node_address]() mutable {
      done(NotFound("no node has the address " + node_address));
    });
    return;
  }
  Start<absl::Status>(hub_, RefreshImagesOf(engine), std::move(done));
}

std::shared_ptr<BackendClient> EngineCluster::EngineClient(std::string_view node_address) {
  const std::shared_ptr<Engine> engine = hub_->membership.Find(node_address);
  return engine ? engine->guard() : nullptr;
}

void EngineCluster::CreateContainer(CreateRequest request, ResultCallback<CreateResult> done) {
  if (hub_->stopped) {
    hub_->CallersLoop()->Post([done = std::move(done)]() mutable { done(Closing()); });
    return;
  }
  Start<absl::StatusOr<CreateResult>>(hub_, Create(hub_, std::move(request)), std::move(done));
}

absl::StatusOr<Explanation> EngineCluster::Plan(const ContainerSpec& spec) {
  return hub_->state.Explain(spec);
}

void EngineCluster::PlanAside(ContainerSpec spec, ResultCallback<Explanation> done) {
  RunAside<Explanation>(
      hub_, spec, [hub = hub_, spec] { return hub->state.Explain(spec); }, std::move(done));
}

void EngineCluster::Operate(ContainerOperation operation, ResultCallback<Reply> done) {
  Start<absl::StatusOr<Reply>>(hub_, RunOperation(hub_, std::move(operation)), std::move(done));
}

void EngineCluster::RefreshContainer(ContainerPointer entry, Callback<absl::Status> done) {
  const std::shared_ptr<Engine> engine = hub_->membership.Find(entry->container.node);
  if (!engine) {
    hub_->CallersLoop()->Post([done = std::move(done), entry]() mutable {
      done(Unavailable("the node " + entry->container.node + " left the cluster"));
    });
    return;
  }
  Start<absl::Status>(hub_, RefreshContainerOf(engine, entry->container.id), std::move(done));
}

std::unique_ptr<Subscription> EngineCluster::Subscribe(
    std::function<void(std::shared_ptr<const ClusterEvent>)> sink) {
  return std::make_unique<CountedSubscription>(
      hub_, hub_->bus.Subscribe(hub_->CallersLoop(), std::move(sink)));
}

KeptEvents EngineCluster::EventsBetween(std::int64_t since_nano, std::int64_t until_nano) const {
  return hub_->bus.Between(since_nano, until_nano);
}

EventPage EngineCluster::EventsAfter(std::uint64_t after, std::size_t most) const {
  return hub_->bus.After(after, most);
}

EventPage EngineCluster::EventsBehind(const EventPlace& place, std::int64_t until_nano,
                                      std::uint64_t dropped, std::size_t most) const {
  return hub_->bus.Behind(place, until_nano, dropped, most);
}

std::uint64_t EngineCluster::DroppedEvents() const { return hub_->bus.Dropped(); }

void EngineCluster::RememberExec(std::string exec_id, ContainerPointer entry) {
  const std::string& node = entry->container.node;
  const std::string holder = hub_->execs.Remember(exec_id, node);
  if (holder == node) return;
  Log(hub_->options.log, LogLevel::kWarning,
      "an engine answers with an exec id that another engine has; it stays with that one",
      {{"exec", exec_id}, {"node", node}, {"holder", holder}});
}

void EngineCluster::FindExec(std::string exec_id, ResultCallback<std::string> done) {
  Start<absl::StatusOr<std::string>>(hub_, FindExecNode(hub_, std::move(exec_id)), std::move(done));
}

}  // namespace swarm
