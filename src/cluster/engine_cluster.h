// The engines driver: many Docker engines as one Cluster.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/loop.h"
#include "async/worker_pool.h"
#include "core/cluster_state.h"
#include "swarmlib/backend.h"
#include "swarmlib/cluster.h"
#include "swarmlib/log.h"
#include "swarmlib/manager.h"
#include "wire/create.h"

namespace swarm {

struct EngineClusterOptions {
  std::vector<Loop*> loops;  // at least one; outlive the cluster; all on one clock
  LogSink log;
  std::uint64_t seed = 1;  // of names, jitter and the strategy `random`
  StateOptions state;      // failure_retry is here
  std::vector<std::unique_ptr<Filter>> filters;
  std::unique_ptr<Strategy> strategy;
  NameStyle names = NameStyle::kBoth;
  CreateRules create_rules;
  Duration refresh_min = std::chrono::seconds(30);
  Duration refresh_max = std::chrono::seconds(60);
  Duration engine_timeout = std::chrono::seconds(10);  // of each health or state call
  int create_retry = 0;
  std::size_t event_memory = 0;  // bytes of the event history; 0 = kEventHistoryBytes
  // Makes the client of one engine. Called on any thread.
  std::function<std::unique_ptr<BackendClient>(const std::string& address)> backend;
  // The IP of a host name, for where published ports are reached; calls back on any thread. Empty:
  // a host name is shown as it is.
  std::function<void(std::string host, ResultCallback<std::string> done)> resolve;
  // Where filters of the embedding program run, and patterns that take long; null = on the loop
  // that asks. Outlives the work.
  WorkerPool* foreign = nullptr;
};

struct Hub;

// How an engine is watched. It is described (GET /info, /version), its event stream opened, then
// everything it holds is read; from then on events are applied one batch after another, all is read
// again between refresh_min and refresh_max, and a ping goes out every PingInterval. failure_retry
// failures in a row, time-outs included, make it unhealthy, so a frozen engine is shown as such
// within
//     PingInterval + failure_retry * (engine_timeout + kRetryPause)
// (at the defaults 5 s + 3 * (10 s + 1.5 s) = 39.5 s; sooner when requests meet it). Tries to heal
// it follow each other with 0.5 to 10 s between them. Of very many engines a bounded number at a
// time is described and read (kMostDescribed, kMostRead); else no engine waits for another.
class EngineCluster final : public Cluster {
 public:
  explicit EngineCluster(EngineClusterOptions options);
  // Stops. The loops must be run a little more, or destroyed, for all memory to be freed.
  ~EngineCluster() override;
  EngineCluster(const EngineCluster&) = delete;
  EngineCluster& operator=(const EngineCluster&) = delete;

  // The whole set of engines, "host:port". Those not named any more leave first.
  void SetAddresses(std::vector<std::string> addresses);
  // Ends all watching and refuses further work. Idempotent, does not wait.
  void Stop();
  // True when, after Stop, no engine is watched any more and no create, operation or look-up runs:
  // then the loops may go. Takes as long as the calls under way take to be given up.
  bool Stopped() const;
  // Event subscriptions that live now.
  int Listeners() const;

  bool Ready() const override;
  void WhenReady(Callback<> done) override;
  void WhenRead(Duration patience, Callback<> done) override;
  std::vector<NodePointer> Nodes() const override;
  NodePointer FindNode(std::string_view reference) const override;
  ClusterTotals Totals() const override;
  NodeTotals TotalsOf(std::string_view node_address) const override;
  std::string strategy() const override;
  std::vector<std::string> filters() const override;
  absl::StatusOr<ContainerPointer> FindContainer(std::string_view reference) const override;
  std::vector<ContainerPointer> Containers() const override;
  ContainerGroups ContainersInGroups() const override;
  std::uint64_t generation() const override;
  void Cordon(std::string node_address, bool cordoned, Callback<absl::Status> done) override;
  std::vector<std::shared_ptr<const ImageEntry>> Images() const override;
  void RefreshImages(std::string node_address, Callback<absl::Status> done) override;
  std::shared_ptr<BackendClient> EngineClient(std::string_view node_address) override;
  void CreateContainer(CreateRequest request, ResultCallback<CreateResult> done) override;
  absl::StatusOr<Explanation> Plan(const ContainerSpec& spec) override;
  // Plan for callers on a loop, which filters of the embedding program and long patterns must not
  // hold up. `done` comes on any thread, also from inside the call. ResourceExhausted: too many
  // wait already.
  void PlanAside(ContainerSpec spec, ResultCallback<Explanation> done);
  void Operate(ContainerOperation operation, ResultCallback<Reply> done) override;
  void RefreshContainer(ContainerPointer entry, Callback<absl::Status> done) override;
  std::unique_ptr<Subscription> Subscribe(
      std::function<void(std::shared_ptr<const ClusterEvent>)> sink) override;
  KeptEvents EventsBetween(std::int64_t since_nano, std::int64_t until_nano) const override;
  EventPage EventsAfter(std::uint64_t after, std::size_t most) const override;
  EventPage EventsBehind(const EventPlace& place, std::int64_t until_nano, std::uint64_t dropped,
                         std::size_t most) const override;
  std::uint64_t DroppedEvents() const override;
  void RememberExec(std::string exec_id, ContainerPointer entry) override;
  void FindExec(std::string exec_id, ResultCallback<std::string> done) override;

 private:
  std::shared_ptr<Hub> hub_;
};

}  // namespace swarm
