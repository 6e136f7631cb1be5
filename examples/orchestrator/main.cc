// Docker's API and libswarm's placement for an orchestrator of somebody else's: its machines come
// by a discovery of its own, are reached by a backend of its own, and time is that of its own
// clock. Prints where each container went, as the orchestrator sees it.
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fleet.h"
#include "fleet_client.h"
#include "swarmlib/caller_loop.h"
#include "swarmlib/manager.h"
#include "swarmlib/status.h"

namespace {

constexpr std::chrono::seconds kPatience(20);

[[noreturn]] void Fail(std::string_view what, std::string_view why) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(why.size()), why.data());
  std::exit(1);
}

// "fleet://": the machines there are, and each one that comes.
class FleetDiscovery final : public swarm::Discovery {
 public:
  explicit FleetDiscovery(fleet::Fleet& fleet) : fleet_(fleet) {}
  ~FleetDiscovery() override {
    if (stop_) stop_();
    const std::lock_guard lock(state_->mutex);
    state_->over = true;
  }

  void Watch(std::function<void(absl::StatusOr<std::vector<std::string>>)> changed) override {
    stop_ = fleet_.WatchAddresses([state = state_, loop = swarm::CallerLoop(),
                                   changed = std::move(changed)](std::vector<std::string> names) {
      // The fleet calls on the thread that made the change; the manager wants it on its loop.
      const std::lock_guard lock(state->mutex);
      if (state->over) return;
      loop([state, changed, names = std::move(names)] {
        if (!state->over) changed(names);
      });
    });
  }

 private:
  struct State {
    std::mutex mutex;
    bool over = false;  // written on the loop, under the mutex
  };
  fleet::Fleet& fleet_;
  const std::shared_ptr<State> state_ = std::make_shared<State>();
  std::function<void()> stop_;
};

// The fleet counts its days from its own beginning.
class FleetClock final : public swarm::Clock {
 public:
  swarm::TimePoint Now() const override { return swarm::SystemClock().Now(); }
  swarm::WallTime Wall() const override {
    return swarm::SystemClock().Wall() + std::chrono::hours(24);
  }
};

swarm::Reply Call(swarm::Manager& manager, std::string method, std::string target,
                  std::string body = {}) {
  swarm::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers = {{"Content-Type", "application/json"}};
  request.body = std::move(body);
  absl::StatusOr<swarm::Reply> reply = manager.Call(std::move(request), {});
  if (!reply.ok()) Fail("a request", swarm::MessageOf(reply.status()));
  return *std::move(reply);
}

void Run(swarm::Manager& manager, const std::string& name, const std::string& body) {
  const swarm::Reply made = Call(manager, "POST", "/containers/create?name=" + name, body);
  if (made.status != 201) Fail(name, made.body);
  const swarm::Reply started = Call(manager, "POST", "/containers/" + name + "/start");
  if (started.status != 204) Fail(name, started.body);
}

// Waits until the manager tells that it has connected to an engine.
void AwaitConnect(swarm::Exchange& events) {
  std::string told;
  while (told.find("engine_connect") == std::string::npos) {
    std::array<char, 1024> piece;
    const absl::StatusOr<std::size_t> count = events.Read(piece, kPatience);
    if (!count.ok() || *count == 0) Fail("the new machine", swarm::MessageOf(count.status()));
    told.append(piece.data(), *count);
  }
}

}  // namespace

int main() {
  fleet::Fleet fleet;
  fleet.AddMachine("rack1-a", {{"rack", "1"}});
  fleet.AddMachine("rack1-b", {{"rack", "1"}});
  fleet.AddMachine("rack2-a", {{"rack", "2"}});

  FleetClock clock;
  swarm::Config config;
  config.discovery = "fleet://";
  config.seed = 1;
  config.clock = &clock;
  config.backend = [&fleet](const std::string& machine) {
    return fleet::MakeFleetClient(fleet, machine);
  };
  const absl::Status added = config.discovery_registry.Add(
      "fleet",
      [&fleet](std::string_view rest, const swarm::DiscoveryContext&)
          -> absl::StatusOr<std::unique_ptr<swarm::Discovery>> {
        if (!rest.empty()) return swarm::InvalidArgument("fleet:// has nothing behind it");
        return std::make_unique<FleetDiscovery>(fleet);
      });
  if (!added.ok()) Fail("the scheme", swarm::MessageOf(added));
  auto manager = swarm::Manager::Open(std::move(config));
  if (!manager.ok()) Fail("the manager", swarm::MessageOf(manager.status()));
  const absl::Status ready = (*manager)->WaitReady(kPatience);
  if (!ready.ok()) Fail("the machines", swarm::MessageOf(ready));

  Run(**manager, "db", R"({"Image":"db","Labels":{"tier":"data"},"Env":["constraint:rack==2"]})");
  Run(**manager, "web1", R"({"Image":"web"})");
  Run(**manager, "web2", R"({"Image":"web","Env":["affinity:container!=db"]})");
  const swarm::Reply refused = Call(**manager, "POST", "/containers/create?name=far",
                                    R"({"Image":"web","Env":["constraint:rack==9"]})");
  std::printf("rack 9: %d\n", refused.status);

  swarm::Request follow;
  follow.method = "GET";
  follow.target = "/events";
  const auto events = (*manager)->Begin(std::move(follow));
  const absl::Status following = events->WaitHead(kPatience);
  if (!following.ok()) Fail("the events", swarm::MessageOf(following));
  fleet.AddMachine("rack9-a", {{"rack", "9"}});
  AwaitConnect(*events);
  Run(**manager, "far", R"({"Image":"web","Env":["constraint:rack==9"]})");
  if (Call(**manager, "DELETE", "/containers/web1?force=1").status != 204) Fail("web1", "it stays");

  for (const std::string& name : fleet.Names()) {
    for (const fleet::Workload& workload : fleet.Find(name).workloads) {
      std::printf("%s runs %s: %s\n", name.c_str(), workload.name.c_str(),
                  workload.running ? "up" : "created");
    }
  }
  // Before what it was given ends.
  (*manager)->Close(std::chrono::seconds(1));
}
