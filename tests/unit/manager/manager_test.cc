// Whole managers with simulated engines: opened, used in process and over a socket, closed.
#include "swarmlib/manager.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "sim/faults.h"
#include "sim/sim_server.h"
#include "sim/simulation.h"
#include "swarmlib/client.h"
#include "swarmlib/simulation.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

Config SimulatedConfig() {
  Config config;
  config.discovery = "sim://3?seed=5";
  config.seed = 5;
  config.threads = 2;
  config.listen = {"tcp://127.0.0.1:0"};
  AddSimulation(config);
  return config;
}

// The reply of one request in process.
absl::StatusOr<Reply> Ask(Manager& manager, std::string method, std::string target,
                          std::string body) {
  Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  if (!body.empty()) request.headers = {{"Content-Type", "application/json"}};
  request.body = std::move(body);
  std::promise<absl::StatusOr<Reply>> promise;
  std::future<absl::StatusOr<Reply>> future = promise.get_future();
  manager.Handle(std::move(request),
                 [&promise](absl::StatusOr<Reply> reply) { promise.set_value(std::move(reply)); });
  if (future.wait_for(std::chrono::seconds(30)) != std::future_status::ready)
    return DeadlineExceeded("no reply in 30 s");
  return future.get();
}

TEST(Manager, ServesInProcessWithoutASocket) {
  auto manager = Manager::Open(SimulatedConfig());
  ASSERT_TRUE(manager.ok()) << manager.status();
  ASSERT_TRUE((*manager)->WaitReady(std::chrono::seconds(30)).ok());
  const auto created =
      Ask(**manager, "POST", "/v1.41/containers/create?name=web", R"({"Image":"busybox"})");
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->status, 201);
  const auto entry = (*manager)->cluster().FindContainer("web");
  ASSERT_TRUE(entry.ok()) << entry.status();
  const auto again =
      Ask(**manager, "POST", "/v1.41/containers/create?name=web", R"({"Image":"busybox"})");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->status, 409);
}

TEST(Manager, WaitReadySaysWhatDiscoverySaid) {
  Config config;
  config.discovery = "file:///nosuch/engines";
  config.threads = 1;
  auto manager = Manager::Open(std::move(config));
  ASSERT_TRUE(manager.ok()) << manager.status();
  // The loop runs what was posted to it in order: the watch, whose first answer comes at once.
  const absl::Status ready = (*manager)->WaitReady(std::chrono::milliseconds(1500));
  EXPECT_EQ(ready.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_NE(MessageOf(ready).find("/nosuch/engines cannot be read"), std::string_view::npos)
      << ready;
}

TEST(Manager, PlansWithoutChangingAnything) {
  auto manager = Manager::Open(SimulatedConfig());
  ASSERT_TRUE(manager.ok()) << manager.status();
  ASSERT_TRUE((*manager)->WaitReady(std::chrono::seconds(30)).ok());
  const auto plan =
      (*manager)->PlanCreate(R"({"Image":"busybox","Env":["constraint:zone==internal"]})", "", "");
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_TRUE(plan->chosen.has_value());
  EXPECT_EQ(plan->refused.size(), 2U);
  EXPECT_TRUE((*manager)->cluster().Containers().empty());
  EXPECT_EQ((*manager)->PlanCreate("{", "", "").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(Manager, SeveralLiveInOneProcessAndCloseTwiceIsOnce) {
  auto first = Manager::Open(SimulatedConfig());
  auto second = Manager::Open(SimulatedConfig());
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_TRUE((*first)->Serve().ok());
  ASSERT_TRUE((*second)->Serve().ok());
  EXPECT_NE((*first)->addresses(), (*second)->addresses());
  (*first)->Close(std::chrono::seconds(1));
  (*first)->Close(std::chrono::seconds(1));
}

// A simulated engine behind a real socket.
class SocketEngine {
 public:
  SocketEngine() : loop_(SystemClock(), nullptr) {
    SimulationOptions options;
    options.engines = 1;
    simulation_ = std::make_shared<Simulation>(options, SystemClock());
    server_ = std::make_unique<SimServer>(loop_, simulation_);
    EXPECT_TRUE(server_->Listen(0).ok());
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~SocketEngine() {
    loop_.Stop();
    thread_.join();
  }
  std::string address() const { return server_->addresses().front(); }
  FaultPlan& faults() { return simulation_->engine_at(0)->faults(); }

 private:
  Loop loop_;
  std::shared_ptr<Simulation> simulation_;
  std::unique_ptr<SimServer> server_;
  std::thread thread_;
};

TEST(Manager, CloseGivesUpTheCallsUnderWayAndAnswersThem) {
  SocketEngine engine;
  Config config;
  config.discovery = "nodes://" + engine.address();
  config.threads = 2;
  auto manager = Manager::Open(std::move(config));
  ASSERT_TRUE(manager.ok()) << manager.status();
  ASSERT_TRUE((*manager)->WaitReady(std::chrono::seconds(30)).ok());
  const auto made =
      Ask(**manager, "POST", "/v1.41/containers/create?name=web", R"({"Image":"busybox"})");
  ASSERT_TRUE(made.ok() && made->status == 201) << made.status();
  Fault silence;
  silence.kind = Fault::Kind::kSilence;
  engine.faults().OnPath("GET */top", silence, 100);
  engine.faults().OnPath("POST */create", silence, 100);
  const std::uint64_t before = engine.faults().calls();
  std::atomic<int> answered{0}, good{0};
  constexpr int kCalls = 8;
  for (int i = 0; i < kCalls; ++i) {
    Request request;
    const bool creates = i % 2 == 0;
    request.method = creates ? "POST" : "GET";
    request.target = creates ? "/v1.41/containers/create?name=late" + std::to_string(i)
                             : std::string("/v1.41/containers/web/top");
    if (creates) {
      request.headers = {{"Content-Type", "application/json"}};
      request.body = R"({"Image":"busybox"})";
    }
    (*manager)->Handle(std::move(request), [&](absl::StatusOr<Reply> reply) {
      good += reply.ok() && reply->status < 400 ? 1 : 0;
      ++answered;
    });
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (engine.faults().calls() < before + kCalls && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  ASSERT_GE(engine.faults().calls(), before + kCalls);
  EXPECT_EQ(answered, 0);
  const auto closing = std::chrono::steady_clock::now();
  (*manager)->Close(Duration::zero());
  EXPECT_EQ(answered, kCalls);
  EXPECT_EQ(good, 0);
  EXPECT_LT(std::chrono::steady_clock::now() - closing, std::chrono::seconds(5));
}

TEST(Manager, APortInUseIsAnErrorAndNothingIsServed) {
  auto first = Manager::Open(SimulatedConfig());
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE((*first)->Serve().ok());
  Config config = SimulatedConfig();
  config.listen = (*first)->addresses();
  auto second = Manager::Open(std::move(config));
  ASSERT_TRUE(second.ok());
  EXPECT_EQ((*second)->Serve().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE((*second)->addresses().empty());
}

TEST(Manager, ServesOnce) {
  auto taken = Manager::Open(SimulatedConfig());
  ASSERT_TRUE(taken.ok());
  ASSERT_TRUE((*taken)->Serve().ok());
  const std::vector<std::string> addresses = (*taken)->addresses();
  const absl::Status again = (*taken)->Serve();
  EXPECT_EQ(again.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(MessageOf(again).find(addresses.front()), std::string_view::npos) << again;
  EXPECT_EQ((*taken)->addresses(), addresses);
  Request ping;
  ping.method = "GET";
  ping.target = "/_ping";
  const absl::StatusOr<Reply> answer = CallOnce(addresses.front(), {}, std::move(ping), {});
  EXPECT_TRUE(answer.ok() && answer->status == 200) << "the first listeners are gone";

  Config config = SimulatedConfig();
  config.listen = addresses;
  auto later = Manager::Open(std::move(config));
  ASSERT_TRUE(later.ok());
  EXPECT_EQ((*later)->Serve().code(), absl::StatusCode::kAlreadyExists);
  (*taken)->Close(Duration::zero());
  EXPECT_TRUE((*later)->Serve().ok()) << "one that was not bound may try again";

  config = SimulatedConfig();
  config.listen.clear();
  auto nowhere = Manager::Open(std::move(config));
  ASSERT_TRUE(nowhere.ok());
  EXPECT_TRUE((*nowhere)->Serve().ok());
  const absl::Status empty = (*nowhere)->Serve();
  EXPECT_NE(MessageOf(empty).find("no address"), std::string_view::npos) << empty;
}

TEST(Manager, AWrongConfigIsRefusedBeforeAnythingStarts) {
  Config config = SimulatedConfig();
  config.strategy = "best";
  EXPECT_EQ(Manager::Open(std::move(config)).status().code(), absl::StatusCode::kInvalidArgument);
  config = SimulatedConfig();
  config.tls.verify = true;
  EXPECT_EQ(Manager::Open(std::move(config)).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace swarm
