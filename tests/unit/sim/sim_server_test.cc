#include "sim/sim_server.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "backend/socket_backend.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

using Kind = Fault::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Engines and client on one loop of real time, run by a thread of its own.
class SimServerTest : public testing::Test {
 protected:
  SimServerTest()
      : loop_(SystemClock(), {}),
        simulation_(std::make_shared<Simulation>(SimulationOptions{.engines = 300}, SystemClock())),
        server_(std::make_unique<SimServer>(loop_, simulation_)) {
    const absl::Status listening = server_->Listen(0);
    EXPECT_TRUE(listening.ok()) << listening;
    addresses_ = server_->addresses();
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~SimServerTest() override {
    loop_.Stop();
    thread_.join();
    clients_.clear();
    server_.reset();
    loop_.RunReady();
  }

  absl::StatusOr<Reply> Call(const std::string& address, std::string method, std::string target,
                             std::string body = {}, Duration timeout = seconds(20)) {
    auto made = MakeSocketBackend(address);
    EXPECT_TRUE(made.ok()) << made.status();
    clients_.push_back(*std::move(made));
    BackendClient* client = clients_.back().get();
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<absl::StatusOr<Reply>> result;
    loop_.Post([&] {
      CallOptions options;
      options.timeout = timeout;
      Request request;
      request.method = method;
      request.target = target;
      request.body = body;
      client->Call(std::move(request), options, [&](absl::StatusOr<Reply> reply) {
        const std::lock_guard lock(mutex);
        result = std::move(reply);
        changed.notify_one();
      });
    });
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, seconds(30), [&] { return result.has_value(); }));
    return result ? std::move(*result) : absl::InternalError("no answer");
  }

  Loop loop_;
  std::shared_ptr<Simulation> simulation_;
  std::unique_ptr<SimServer> server_;
  std::vector<std::string> addresses_;
  std::vector<std::unique_ptr<BackendClient>> clients_;
  std::thread thread_;
};

TEST_F(SimServerTest, TellsEnginesApartByTheirAddresses) {
  ASSERT_EQ(addresses_.size(), 300u);
  EXPECT_TRUE(addresses_[0].starts_with("127.64.0.1:"));
  for (const std::size_t index : {0, 1, 255, 299}) {
    const auto reply = Call(addresses_[index], "GET", "/v1.41/info");
    ASSERT_TRUE(reply.ok()) << reply.status();
    char name[40];
    std::snprintf(name, sizeof name, "\"Name\":\"sim-%04zu\"", index + 1);
    EXPECT_NE(reply->body.find(name), std::string::npos) << reply->body;
  }
  const std::string elsewhere = "127.0.0.1" + addresses_[0].substr(addresses_[0].find(':'));
  EXPECT_FALSE(Call(elsewhere, "GET", "/_ping").ok());
}

TEST_F(SimServerTest, RunsAContainer) {
  const std::string body = R"({"Image":"busybox","Cmd":["sh","-c","sleep 0.05; exit 3"]})";
  const auto created = Call(addresses_[2], "POST", "/v1.41/containers/create?name=web", body);
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->status, 201);
  EXPECT_EQ(Call(addresses_[2], "POST", "/v1.41/containers/web/start")->status, 204);
  const auto waited = Call(addresses_[2], "POST", "/v1.41/containers/web/wait");
  ASSERT_TRUE(waited.ok()) << waited.status();
  EXPECT_EQ(waited->body, "{\"Error\":null,\"StatusCode\":3}\n");
  EXPECT_EQ(Call(addresses_[1], "GET", "/v1.41/containers/web/json")->status, 404);
}

struct FaultCase {
  const char* name;
  Fault fault;
  bool has_answer;
  bool carried_out;
};

class SimServerFaultTest : public SimServerTest, public testing::WithParamInterface<FaultCase> {};

TEST_P(SimServerFaultTest, IsSeenThroughTheSocket) {
  simulation_->engine_at(0)->faults().OnPath("POST /containers/create", GetParam().fault);
  const auto reply = Call(addresses_[0], "POST", "/v1.41/containers/create",
                          R"({"Image":"busybox"})", milliseconds(600));
  EXPECT_EQ(reply.ok(), GetParam().has_answer) << reply.status();
  EXPECT_EQ(simulation_->engine_at(0)->container_count(), GetParam().carried_out ? 1u : 0u);
  const auto again =
      Call(addresses_[0], "POST", "/v1.41/containers/create", R"({"Image":"busybox"})");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->status, 201);
}

INSTANTIATE_TEST_SUITE_P(
    , SimServerFaultTest,
    testing::Values(FaultCase{"Refuse", {Kind::kRefuse}, false, false},
                    FaultCase{"Silence", {Kind::kSilence}, false, false},
                    FaultCase{"Reset", {Kind::kReset, 5}, false, true},
                    FaultCase{"Truncate", {Kind::kTruncate, 5}, true, true},
                    FaultCase{"LyingLength", {Kind::kLyingLength, 5}, false, true},
                    FaultCase{"Error", {Kind::kError, 0, {}, 500}, true, false},
                    FaultCase{"Slow", {Kind::kSlow, 0, milliseconds(20)}, true, true},
                    FaultCase{"LostAnswer", {Kind::kLostAnswer}, false, true}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace swarm
