#include "swarmlib/manager.h"

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "api/api.h"
#include "async/loop.h"
#include "async/worker_pool.h"
#include "base/check.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cluster/calling_out.h"
#include "cluster/engine_cluster.h"
#include "manager/answer.h"
#include "manager/complete_request.h"
#include "manager/discovery_context.h"
#include "manager/exchange_core.h"
#include "manager/host_facts.h"
#include "manager/loop_threads.h"
#include "manager/memory_trim.h"
#include "manager/name_resolver.h"
#include "manager/port_relays.h"
#include "manager/relay_rule.h"
#include "manager/running_requests.h"
#include "manager/settings.h"
#include "manager/usable.h"
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
// Filters of the embedding program that run at once, and placements that wait for their turn.
constexpr std::size_t kMaxForeignThreads = 8;
constexpr std::size_t kMaxForeignWaiting = 1'024;

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

absl::Status ManagerIsClosed() { return Cancelled("the manager is closed"); }

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
    int threads = config_.threads;
    if (threads == 0 && !config_.caller_threads)
      threads = static_cast<int>(std::thread::hardware_concurrency());
    threads = std::clamp(threads, 1, kMaxThreads);
    loops_ = std::make_unique<LoopThreads>(
        *config_.clock, config_.log, static_cast<std::size_t>(threads), config_.caller_threads);
    memory_ = net::MakeServerMemory(config_.client_memory);
    const std::uint64_t seed = config_.seed != 0 ? config_.seed : EntropySeed();
    if (const absl::Status made = MakeCluster(seed); !made.ok()) return made;
    auto discovery = MakeDiscovery(config_.discovery_registry, config_.discovery,
                                   MakeDiscoveryContext(Main(), config_.heartbeat));
    if (!discovery.ok()) return discovery.status();
    discovery_ = *std::move(discovery);
    if (config_.relay_ports != RelayPorts::kOff)
      relays_ = std::make_unique<PortRelays>(Main(), *cluster_, config_.relay_ports);
    MakeApi(seed);
    servers_.resize(loops_->size());
    if (absl::Status started = loops_->Start(); !started.ok()) {
      closed_ = true;
      return started;
    }
    trim_ = std::make_shared<MemoryTrim>(Main(), memory_.budget);
    Main().Post([this, trim = trim_] {
      trim->Start();
      Watch();
    });
    return absl::OkStatus();
  }

  absl::Status Serve() {
    if (const absl::Status may = CheckMayWait(home_, "Manager::Serve"); !may.ok()) return may;
    const std::lock_guard<std::mutex> serving(close_mutex_);
    if (closed_) return ManagerIsClosed();
    if (serves_) return ServesAlready();
    std::vector<std::vector<net::Listener>> bound;
    for (const std::string& address : config_.listen) {
      auto listeners = net::BindListeners(address, loops_->size());
      if (!listeners.ok()) return listeners.status();
      bound.push_back(*std::move(listeners));
    }
    {
      const std::lock_guard<std::mutex> lock(state_mutex_);
      for (const auto& listeners : bound) addresses_.push_back(listeners.front().address);
    }
    if (relays_) {
      std::vector<std::string> hosts = HostsOf(bound);
      OnLoop(0, [this, &hosts] { relays_->Start(std::move(hosts)); });
    }
    const auto room = MakeConnectionRoom(config_, metrics_);
    for (std::size_t i = 0; i < loops_->size(); ++i) {
      std::vector<net::Listener> mine;
      for (auto& listeners : bound) mine.push_back(std::move(listeners[i]));
      OnLoop(i, [this, i, &mine, &room] {
        net::ServerOptions options;
        options.tls = server_tls_;
        options.room = room;
        options.memory = memory_;
        options.lives_for_client = Api::LivesForClient;
        if (backends_) options.forward = MakeRelayRule(*api_, *cluster_, *backends_);
        options.forwarded = [meter = std::make_shared<ForwardMeter>(api_->metrics())](
                                std::string_view route, int status, Duration took) {
          meter->Count(route, status, took);
        };
        servers_[i] = std::make_unique<net::Server>(
            (*loops_)[i], std::move(options),
            [this, i](Request request, ResultCallback<Reply> done) {
              (*loops_)[i].Spawn(AnswerServed(api_.get(), std::move(request), std::move(done),
                                              RunningRequest(running_), followed_));
            });
        for (net::Listener& listener : mine) servers_[i]->Adopt(std::move(listener));
      });
    }
    serves_ = true;
    return absl::OkStatus();
  }

  void Handle(Request request, ResultCallback<Reply> done) {
    if (const absl::Status may = CheckMayCall(home_, "Manager::Handle"); !may.ok())
      return done(may);
    HandleOn(NextLoop(), std::move(request), std::move(done));
  }

  std::unique_ptr<Exchange> Begin(Request request, bool streamed) {
    absl::Status checked = CheckMayWait(home_, "Manager::Begin");
    if (checked.ok()) checked = CompleteRequest(request);
    if (!checked.ok()) return std::make_unique<Exchange>(std::make_shared<Exchange::Core>(checked));
    Loop& loop = NextLoop();
    auto core = std::make_shared<Exchange::Core>(loop, exchanges_, request.method == "HEAD");
    if (!exchanges_->Add(core)) {
      return std::make_unique<Exchange>(std::make_shared<Exchange::Core>(ManagerIsClosed()));
    }
    request.stop = core->stop_token();
    if (streamed) {
      if (request.body_length) *request.body_length += request.body.size();
      request.body_stream = core->OpenUpload(std::exchange(request.body, {}));
    } else {
      request.body_length.reset();
    }
    HandleOn(loop, std::move(request), [core](absl::StatusOr<Reply> reply) {
      if (Loop::Current() != &core->loop()) return core->Refuse(reply.status());
      core->Answered(std::move(reply));
    });
    return std::make_unique<Exchange>(std::move(core));
  }

  absl::Status Run() {
    if (!config_.caller_threads) {
      return FailedPrecondition(
          "Manager::Run: this manager has threads of its own; set Config::caller_threads");
    }
    if (const absl::Status may = CheckMayWait(home_, "Manager::Run"); !may.ok()) return may;
    if (closed_) return ManagerIsClosed();
    return loops_->RunOne();
  }

  absl::Status WaitReady(Duration timeout) {
    if (const absl::Status may = CheckMayWait(home_, "Manager::WaitReady"); !may.ok()) return may;
    const auto ready = std::make_shared<bool>(false);
    Main().Post([this, ready] {
      cluster_->WhenReady([this, ready] {
        const std::lock_guard<std::mutex> lock(state_mutex_);
        *ready = true;
        state_changed_.notify_all();
      });
    });
    std::unique_lock<std::mutex> lock(state_mutex_);
    state_changed_.wait_for(lock, timeout, [&] { return *ready || closed_; });
    if (closed_) return ManagerIsClosed();
    if (*ready) return absl::OkStatus();
    std::string message =
        "not every engine of " + config_.discovery + " was tried within " +
        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(timeout).count()) + " s";
    if (!discovery_error_.empty()) message += ": " + discovery_error_;
    return DeadlineExceeded(message);
  }

  void Close(Duration grace) {
    SWARM_CHECK(Loop::Current() == nullptr && !CallingOut::Now(),
                "a manager is not closed on a thread of its own");
    const std::lock_guard<std::mutex> lock(close_mutex_);
    if (closed_.exchange(true) || !api_) return;
    {
      const std::lock_guard<std::mutex> lock(state_mutex_);
      state_changed_.notify_all();
    }
    loops_->RunTheRest().IgnoreError();
    OnEachLoop([this](std::size_t i) {
      if (servers_[i]) servers_[i]->StopAccepting();
    });
    Drain(grace);
    EndExchanges();
    OnEachLoop([this](std::size_t i) { servers_[i].reset(); });
    OnLoop(0, [this] { discovery_.reset(); });
    if (relays_) OnLoop(0, [this] { relays_->Stop(); });
    resolver_.Close();
    cluster_->Stop();
    foreign_.Close();
    if (backends_) OnEachLoop([this](std::size_t) { backends_->CloseOnThisLoop(); });
    AwaitStopped();
    OnEachLoop([](std::size_t) {});
    loops_->Finish();
  }

  bool forked() const { return home_.forked(); }
  absl::Status CheckMayPlan() const {
    if (closed_) return ManagerIsClosed();
    return CheckMayCall(home_, "Manager::Plan");
  }
  // Close waits for what holds one of these; nothing when it was called.
  std::optional<RunningRequest> CountRunning() { return CountUnless(closed_, running_); }
  const Config& config() const { return config_; }
  std::vector<std::string> addresses() const {
    if (home_.forked()) return {};
    const std::lock_guard<std::mutex> lock(state_mutex_);
    return addresses_;
  }
  EngineCluster& cluster() { return *cluster_; }

 private:
  absl::Status MakeCluster(std::uint64_t seed) {
    auto made = MakeClusterOptions(config_);
    if (!made.ok()) return made.status();
    EngineClusterOptions options = *std::move(made);
    options.loops = loops_->All();
    options.seed = seed;
    options.foreign = &foreign_;
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
    options.budget = memory_.budget;
    options.event_listeners = config_.event_listeners;
    options.relayed = relays_.get();
    options.plan = [this](ContainerSpec spec, ResultCallback<Explanation> done) {
      cluster_->PlanAside(std::move(spec), std::move(done));
    };
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
    const std::lock_guard<std::mutex> lock(state_mutex_);
    discovery_error_ = status.ok() ? std::string() : std::string(MessageOf(status));
  }

  absl::Status ServesAlready() const {
    std::string where;
    for (const std::string& address : addresses()) where += (where.empty() ? "" : ", ") + address;
    if (where.empty()) where = "no address, as Config::listen is empty";
    return FailedPrecondition("Manager::Serve: asked to listen again, but this manager serves on " +
                              where +
                              " already and does so once; to serve elsewhere too, name all "
                              "addresses in Config::listen when it is opened");
  }

  Loop& Main() { return (*loops_)[0]; }

  Loop& NextLoop() {
    return (*loops_)[next_loop_.fetch_add(1, std::memory_order_relaxed) % loops_->size()];
  }

  void HandleOn(Loop& loop, Request request, ResultCallback<Reply> done) {
    std::optional<RunningRequest> running = CountRunning();
    if (!running) return done(ManagerIsClosed());
    auto shared = std::make_shared<Request>(std::move(request));
    loop.Post(
        [this, &loop, shared, done = std::move(done), running = *std::move(running)]() mutable {
          loop.Spawn(Answer(api_.get(), std::move(*shared), std::move(done), std::move(running)));
        });
  }

  void EndExchanges() {
    for (const auto& core : exchanges_->Close())
      core->loop().Post([core] { core->Release(ManagerIsClosed()); });
    OnEachLoop([](std::size_t) {});
  }

  template <typename Work>
  void OnLoop(std::size_t index, Work work) {
    loops_->On(index, work);
  }

  template <typename Work>
  void OnEachLoop(Work work) {
    for (std::size_t i = 0; i < loops_->size(); ++i) loops_->On(i, [&work, i] { work(i); });
  }

  std::size_t Active() {
    std::size_t active = 0;
    OnEachLoop(
        [this, &active](std::size_t i) { active += servers_[i] ? servers_[i]->active() : 0; });
    return active;
  }

  // Until no engine is watched any more and no request runs: what they hold belongs to the loops.
  void AwaitStopped() {
    const TimePoint end = SystemClock().Now() + kLongestStop;
    while ((!cluster_->Stopped() || running_ > 0) && SystemClock().Now() < end) WaitALittle();
  }

  void WaitALittle() {
    OnEachLoop([](std::size_t) {});
    std::unique_lock<std::mutex> lock(state_mutex_);
    state_changed_.wait_for(lock, kDrainPoll);
  }

  void Drain(Duration grace) {
    const TimePoint end = SystemClock().Now() + grace;
    const auto must_wait = [this] {
      return running_ > 0 || Active() > static_cast<std::size_t>(*followed_);
    };
    while (must_wait() && SystemClock().Now() < end) WaitALittle();
  }

  const HomeProcess home_;
  Config config_;
  Metrics metrics_;
  std::shared_ptr<net::TlsContext> server_tls_, client_tls_;
  net::ServerMemory memory_;
  std::shared_ptr<MemoryTrim> trim_;
  std::atomic<int> running_{0};  // requests
  // Of those that are served, the ones that end when their client has enough.
  const std::shared_ptr<std::atomic<int>> followed_ = std::make_shared<std::atomic<int>>(0);
  WorkerPool foreign_{kMaxForeignThreads, kMaxForeignWaiting};
  // Destroyed from the last to the first: the loops outlive all that runs on them.
  std::unique_ptr<LoopThreads> loops_;
  const std::shared_ptr<ExchangeSet> exchanges_ = std::make_shared<ExchangeSet>();
  NameResolver resolver_;
  std::unique_ptr<SocketBackends> backends_;  // null when Config::backend makes the clients
  std::unique_ptr<EngineCluster> cluster_;
  std::unique_ptr<Discovery> discovery_;
  mutable std::mutex state_mutex_;  // of the discovery's error, the addresses and the waits
  std::condition_variable state_changed_;
  std::string discovery_error_;         // of the last answer; empty when it was none
  std::unique_ptr<PortRelays> relays_;  // null when none are wanted
  std::unique_ptr<Api> api_;
  std::vector<std::unique_ptr<net::Server>> servers_;
  std::vector<std::string> addresses_;
  bool serves_ = false;  // with close_mutex_
  std::atomic<std::size_t> next_loop_{0};
  std::atomic<bool> closed_{false};
  std::mutex close_mutex_;
};

Manager::Manager(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Manager::~Manager() {
  // What it owns waits for threads that a forked child does not have.
  if (impl_ && impl_->forked()) static_cast<void>(impl_.release());
}

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
  if (const absl::Status may = impl_->CheckMayPlan(); !may.ok()) return may;
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
void Manager::Close(Duration grace) {
  if (!impl_->forked()) impl_->Close(grace);
}

std::unique_ptr<Exchange> Manager::Begin(Request request, bool streamed) {
  return impl_->Begin(std::move(request), streamed);
}

absl::Status Manager::Run() { return impl_->Run(); }

absl::StatusOr<Reply> Manager::Call(Request request, CallOptions options) {
  const auto running = impl_->CountRunning();
  if (!running) return ManagerIsClosed();
  const std::unique_ptr<Exchange> exchange = Begin(std::move(request));
  const std::stop_callback stop(options.stop, [&exchange] { exchange->Abort(); });
  const TimePoint begun = SystemClock().Now();
  if (const absl::Status head = exchange->WaitHead(options.timeout); !head.ok()) return head;
  if (exchange->tunnel())
    return FailedPrecondition("the answer is a tunnel: use Manager::Begin for such requests");
  const Duration left = options.timeout - (SystemClock().Now() - begun);
  absl::StatusOr<std::string> body = exchange->ReadAll(options.max_body, left);
  if (!body.ok()) return body.status();
  Reply reply;
  reply.status = exchange->status();
  reply.headers = exchange->headers();
  reply.body = *std::move(body);
  return reply;
}

}  // namespace swarm
