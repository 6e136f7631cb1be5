#include "swarmlib/manager.h"

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "api/api.h"
#include "async/loop.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cluster/engine_cluster.h"
#include "manager/discovery_context.h"
#include "manager/host_facts.h"
#include "manager/name_resolver.h"
#include "manager/port_relays.h"
#include "manager/relay_rule.h"
#include "manager/settings.h"
#include "net/server.h"
#include "net/tls.h"
#include "swarmlib/status.h"
#include "swarmlib/version.h"
#include "wire/create.h"

namespace swarm {
namespace {

constexpr Duration kDrainPoll = std::chrono::milliseconds(10);
// For the calls to engines that are under way to be given up.
constexpr Duration kLongestStop = std::chrono::seconds(5);

// Counts a request from when it is handed over until nothing of it runs any more.
class RunningRequest {
 public:
  explicit RunningRequest(std::atomic<int>& count) : count_(&count) { ++count; }
  RunningRequest(RunningRequest&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  RunningRequest& operator=(RunningRequest&&) = delete;
  ~RunningRequest() {
    if (count_ != nullptr) --*count_;
  }

 private:
  std::atomic<int>* count_;
};

// Where clients of the manager will look for ports of their containers.
std::vector<std::string> HostsOf(const std::vector<std::vector<net::Listener>>& bound) {
  std::vector<std::string> hosts;
  for (const auto& listeners : bound) {
    if (!listeners.front().address.starts_with("tcp://")) continue;
    std::string host = LocalHostOf(listeners.front().socket.get());
    // Without one every address would be listened on.
    if (!host.empty()) hosts.push_back(std::move(host));
  }
  if (hosts.empty()) hosts.emplace_back("127.0.0.1");
  return hosts;
}

Task<void> Answer(Api* api, Request request, ResultCallback<Reply> done,
                  [[maybe_unused]] RunningRequest running) {
  Reply reply = co_await api->Handle(std::move(request));
  done(std::move(reply));
}

}  // namespace

class Manager::Impl {
 public:
  explicit Impl(Config config) : config_(std::move(config)) {}
  ~Impl() { Close(Duration::zero()); }

  absl::Status Open() {
    if (config_.clock == nullptr) config_.clock = &SystemClock();
    if (const absl::Status checked = CheckConfig(config_); !checked.ok()) return checked;
    if (const absl::Status checked = net::CheckTls(config_.tls); !checked.ok()) return checked;
    if (config_.tls.enabled || config_.tls.verify) {
      auto server = net::MakeServerContext(config_.tls);
      if (!server.ok()) return server.status();
      auto client = net::MakeClientContext(config_.tls);
      if (!client.ok()) return client.status();
      server_tls_ = *std::move(server);
      client_tls_ = *std::move(client);
    }
    const int threads = config_.threads > 0
                            ? config_.threads
                            : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    for (int i = 0; i < threads; ++i)
      loops_.push_back(std::make_unique<Loop>(*config_.clock, config_.log));
    const std::uint64_t seed = config_.seed != 0 ? config_.seed : EntropySeed();
    if (const absl::Status made = MakeCluster(seed); !made.ok()) return made;
    auto discovery = MakeDiscovery(config_.discovery_registry, config_.discovery,
                                   MakeDiscoveryContext(*loops_[0], config_.heartbeat));
    if (!discovery.ok()) return discovery.status();
    discovery_ = *std::move(discovery);
    if (config_.relay_ports != RelayPorts::kOff)
      relays_ = std::make_unique<PortRelays>(*loops_[0], *cluster_, config_.relay_ports);
    MakeApi(seed);
    servers_.resize(loops_.size());
    for (auto& loop : loops_) {
      threads_.emplace_back([raw = loop.get()] { raw->Run(); });
    }
    loops_[0]->Post([this] { Watch(); });
    return absl::OkStatus();
  }

  absl::Status Serve() {
    std::vector<std::vector<net::Listener>> bound;
    for (const std::string& address : config_.listen) {
      auto listeners = net::BindListeners(address, loops_.size());
      if (!listeners.ok()) return listeners.status();
      bound.push_back(*std::move(listeners));
    }
    for (const auto& listeners : bound) addresses_.push_back(listeners.front().address);
    if (relays_) {
      std::vector<std::string> hosts = HostsOf(bound);
      OnLoop(0, [this, &hosts] { relays_->Start(std::move(hosts)); });
    }
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      std::vector<net::Listener> mine;
      for (auto& listeners : bound) mine.push_back(std::move(listeners[i]));
      OnLoop(i, [this, i, &mine] {
        net::ServerOptions options;
        options.tls = server_tls_;
        options.servers = loops_.size();
        if (backends_) options.forward = MakeRelayRule(*api_, *backends_);
        options.forwarded = [meter = std::make_shared<ForwardMeter>(api_->metrics())](
                                std::string_view route, int status, Duration took) {
          meter->Count(route, status, took);
        };
        servers_[i] = std::make_unique<net::Server>(
            *loops_[i], std::move(options), [this, i](Request request, ResultCallback<Reply> done) {
              loops_[i]->Spawn(Answer(api_.get(), std::move(request), std::move(done),
                                      RunningRequest(running_)));
            });
        for (net::Listener& listener : mine) servers_[i]->Adopt(std::move(listener));
      });
    }
    return absl::OkStatus();
  }

  void Handle(Request request, ResultCallback<Reply> done) {
    const std::size_t turn = next_loop_.fetch_add(1, std::memory_order_relaxed) % loops_.size();
    auto shared = std::make_shared<Request>(std::move(request));
    loops_[turn]->Post(
        [this, turn, shared, done = std::move(done), running = RunningRequest(running_)]() mutable {
          loops_[turn]->Spawn(
              Answer(api_.get(), std::move(*shared), std::move(done), std::move(running)));
        });
  }

  absl::Status WaitReady(Duration timeout) {
    auto ready = std::make_shared<std::promise<void>>();
    std::future<void> future = ready->get_future();
    loops_[0]->Post([this, ready] { cluster_->WhenReady([ready] { ready->set_value(); }); });
    if (future.wait_for(timeout) == std::future_status::ready) return absl::OkStatus();
    std::string message =
        "not every engine of " + config_.discovery + " was tried within " +
        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(timeout).count()) + " s";
    const std::lock_guard<std::mutex> lock(discovery_error_mutex_);
    if (!discovery_error_.empty()) message += ": " + discovery_error_;
    return DeadlineExceeded(message);
  }

  void Close(Duration grace) {
    if (closed_.exchange(true)) return;
    if (threads_.empty()) return;
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      OnLoop(i, [this, i] {
        if (servers_[i]) servers_[i]->StopAccepting();
      });
    }
    Drain(grace);
    for (std::size_t i = 0; i < loops_.size(); ++i) OnLoop(i, [this, i] { servers_[i].reset(); });
    OnLoop(0, [this] { discovery_.reset(); });
    if (relays_) OnLoop(0, [this] { relays_->Stop(); });
    resolver_.Close();
    cluster_->Stop();
    if (backends_) {
      for (std::size_t i = 0; i < loops_.size(); ++i) {
        OnLoop(i, [this] { backends_->CloseOnThisLoop(); });
      }
    }
    AwaitStopped();
    for (std::size_t i = 0; i < loops_.size(); ++i) OnLoop(i, [] {});
    for (auto& loop : loops_) loop->Stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  const Config& config() const { return config_; }
  const std::vector<std::string>& addresses() const { return addresses_; }
  EngineCluster& cluster() { return *cluster_; }

 private:
  absl::Status MakeCluster(std::uint64_t seed) {
    EngineClusterOptions options;
    auto filters = MakeFilters(config_);
    if (!filters.ok()) return filters.status();
    auto strategy = MakeStrategy(config_);
    if (!strategy.ok()) return strategy.status();
    for (auto& loop : loops_) options.loops.push_back(loop.get());
    options.log = config_.log;
    options.seed = seed;
    options.state.overcommit = config_.overcommit;
    options.state.failure_retry = config_.failure_retry;
    options.filters = *std::move(filters);
    options.strategy = *std::move(strategy);
    options.names = config_.names;
    options.create_rules.cpu_shares_as_cores = config_.cpu_shares_as_cores;
    options.refresh_min = config_.refresh_min;
    options.refresh_max = config_.refresh_max;
    options.engine_timeout = config_.engine_timeout;
    options.create_retry = config_.create_retry;
    options.backend = config_.backend;
    if (!options.backend) {
      backends_ = std::make_unique<SocketBackends>(
          client_tls_, [this](std::string host, ResultCallback<std::vector<std::string>> done) {
            resolver_.Resolve(std::move(host), std::move(done));
          });
      options.backend = [this](const std::string& address) { return backends_->Make(address); };
      options.resolve = [this](std::string host, ResultCallback<std::string> done) {
        resolver_.Resolve(
            std::move(host),
            [done = std::move(done)](absl::StatusOr<std::vector<std::string>> found) mutable {
              if (!found.ok()) return done(found.status());
              done(PlainestAddress(*found));
            });
      };
    }
    cluster_ = std::make_unique<EngineCluster>(std::move(options));
    return absl::OkStatus();
  }

  void MakeApi(std::uint64_t seed) {
    const HostFacts host = ReadHostFacts();
    ApiOptions options;
    options.names = config_.names;
    options.rules.cpu_shares_as_cores = config_.cpu_shares_as_cores;
    options.pull_on_create = config_.pull_on_create;
    options.cors = config_.cors;
    options.experimental = config_.experimental;
    options.log = config_.log;
    options.clock = config_.clock;
    options.metrics = &metrics_;
    options.relayed = relays_.get();
    options.seed = seed + 1;
    options.id = host.id;
    options.host_name = host.host_name;
    options.kernel_version = host.kernel_version;
    options.architecture = host.architecture;
    options.version = std::string(Version());
    api_ = std::make_unique<Api>(*cluster_, std::move(options));
  }

  void Watch() {
    discovery_->Watch([this](absl::StatusOr<std::vector<std::string>> addresses) {
      KeepError(addresses.status());
      if (addresses.ok()) {
        cluster_->SetAddresses(*std::move(addresses));
      } else {
        Log(config_.log, LogLevel::kWarning, "discovery failed; the known engines stay",
            {{"source", config_.discovery},
             {"reason", std::string(MessageOf(addresses.status()))}});
      }
    });
  }

  void KeepError(const absl::Status& status) {
    const std::lock_guard<std::mutex> lock(discovery_error_mutex_);
    discovery_error_ = status.ok() ? std::string() : std::string(MessageOf(status));
  }

  // Runs `work` on a loop and waits for it.
  template <typename Work>
  void OnLoop(std::size_t index, Work work) {
    std::promise<void> done;
    loops_[index]->Post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  std::size_t Active() {
    std::size_t active = 0;
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      OnLoop(i, [this, i, &active] { active += servers_[i] ? servers_[i]->active() : 0; });
    }
    return active;
  }

  // Until no engine is watched any more and no request runs: what they hold belongs to the loops.
  void AwaitStopped() {
    const TimePoint end = SystemClock().Now() + kLongestStop;
    while ((!cluster_->Stopped() || running_ > 0) && SystemClock().Now() < end) WaitALittle();
  }

  void WaitALittle() {
    std::promise<void> later;
    loops_[0]->Post(
        [this, &later] { loops_[0]->After(kDrainPoll, [&later] { later.set_value(); }); });
    later.get_future().wait();
  }

  // Waits on a timer of the first loop, so that no thread of the library ever sleeps.
  void Drain(Duration grace) {
    const TimePoint end = SystemClock().Now() + grace;
    while (Active() > 0 && SystemClock().Now() < end) WaitALittle();
  }

  Config config_;
  Metrics metrics_;
  std::shared_ptr<net::TlsContext> server_tls_, client_tls_;
  std::atomic<int> running_{0};  // requests
  // Destroyed from the last to the first: the loops outlive all that runs on them.
  std::vector<std::unique_ptr<Loop>> loops_;
  NameResolver resolver_;
  std::unique_ptr<SocketBackends> backends_;  // null when Config::backend makes the clients
  std::unique_ptr<EngineCluster> cluster_;
  std::unique_ptr<Discovery> discovery_;
  std::mutex discovery_error_mutex_;
  std::string discovery_error_;         // of the last answer; empty when it was none
  std::unique_ptr<PortRelays> relays_;  // null when none are wanted
  std::unique_ptr<Api> api_;
  std::vector<std::unique_ptr<net::Server>> servers_;
  std::vector<std::thread> threads_;
  std::vector<std::string> addresses_;
  std::atomic<std::size_t> next_loop_{0};
  std::atomic<bool> closed_{false};
};

Manager::Manager(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Manager::~Manager() = default;

absl::StatusOr<std::unique_ptr<Manager>> Manager::Open(Config config) {
  auto impl = std::make_unique<Impl>(std::move(config));
  const absl::Status opened = impl->Open();
  if (!opened.ok()) return opened;
  return std::unique_ptr<Manager>(new Manager(std::move(impl)));
}

absl::Status Manager::Serve() { return impl_->Serve(); }
std::vector<std::string> Manager::addresses() const { return impl_->addresses(); }
void Manager::Handle(Request request, ResultCallback<Reply> done) {
  impl_->Handle(std::move(request), std::move(done));
}
absl::StatusOr<Explanation> Manager::Plan(const ContainerSpec& spec) {
  return impl_->cluster().Plan(spec);
}

absl::StatusOr<Explanation> Manager::PlanCreate(const std::string& body, const std::string& name,
                                                const std::string& platform) {
  CreateRules rules;
  rules.cpu_shares_as_cores = impl_->config().cpu_shares_as_cores;
  const absl::StatusOr<ParsedCreate> parsed = ParseCreate(body, name, platform, "", rules);
  if (!parsed.ok()) return parsed.status();
  return Plan(parsed->spec);
}

Cluster& Manager::cluster() { return impl_->cluster(); }
absl::Status Manager::WaitReady(Duration timeout) { return impl_->WaitReady(timeout); }
void Manager::Close(Duration grace) { impl_->Close(grace); }

}  // namespace swarm
