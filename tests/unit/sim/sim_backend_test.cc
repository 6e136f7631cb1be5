#include "sim/sim_backend.h"

#include <gtest/gtest.h>

#include "sim/simulation.h"
#include "swarmlib/status.h"
#include "unit/sim/sim_support.h"

namespace swarm {
namespace {

using Kind = Fault::Kind;
using std::chrono::seconds;

struct FaultCase {
  const char* name;
  Fault fault;
  absl::StatusCode code;
  int status;  // of the answer when ok
  bool carried_out;
};

class SimFaultTest : public SimTest, public testing::WithParamInterface<FaultCase> {};

TEST_P(SimFaultTest, IsSeenByTheCaller) {
  engine_->faults().OnPath("POST /containers/create", GetParam().fault);
  CallOptions options;
  options.timeout = seconds(10);
  const auto reply =
      Ask(How::kCall, "POST", "/v1.41/containers/create", R"({"Image":"busybox"})", options);
  EXPECT_EQ(reply.status().code(), GetParam().code) << reply.status();
  EXPECT_EQ(reply.ok() ? reply->status : 0, GetParam().status);
  Pass(seconds(60));
  EXPECT_EQ(engine_->container_count(), GetParam().carried_out ? 1u : 0u);
  // Once only.
  EXPECT_EQ(Call("POST", "/v1.41/containers/create", R"({"Image":"busybox"})").status, 201);
}

INSTANTIATE_TEST_SUITE_P(
    , SimFaultTest,
    testing::Values(
        FaultCase{"Refuse", {Kind::kRefuse}, absl::StatusCode::kUnavailable, 0, false},
        FaultCase{
            "ConnectTimeout", {Kind::kConnectTimeout}, absl::StatusCode::kUnavailable, 0, false},
        FaultCase{"Silence", {Kind::kSilence}, absl::StatusCode::kDeadlineExceeded, 0, false},
        FaultCase{"Reset", {Kind::kReset, 5}, absl::StatusCode::kInternal, 0, true},
        FaultCase{"Truncate", {Kind::kTruncate, 5}, absl::StatusCode::kOk, 201, true},
        FaultCase{"LyingLength", {Kind::kLyingLength, 5}, absl::StatusCode::kInternal, 0, true},
        FaultCase{"Error", {Kind::kError, 0, {}, 503}, absl::StatusCode::kOk, 503, false},
        FaultCase{"Slow", {Kind::kSlow, 0, seconds(5)}, absl::StatusCode::kOk, 201, true},
        FaultCase{
            "TooSlow", {Kind::kSlow, 0, seconds(15)}, absl::StatusCode::kDeadlineExceeded, 0, true},
        FaultCase{"LostAnswer", {Kind::kLostAnswer}, absl::StatusCode::kInternal, 0, true}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(FaultPlanTest, ReplaysFromItsSeed) {
  const auto draw = [](std::uint64_t seed) {
    FaultPlan plan(seed);
    plan.Randomly(300, {Kind::kRefuse});
    std::string faults;
    for (int i = 0; i < 200; ++i) faults.push_back(plan.Next("GET", "/info") ? 'x' : '.');
    return faults;
  };
  EXPECT_EQ(draw(7), draw(7));
  EXPECT_NE(draw(7), draw(8));
  const std::string faults = draw(7);
  EXPECT_GT(std::count(faults.begin(), faults.end(), 'x'), 30);
  EXPECT_LT(std::count(faults.begin(), faults.end(), 'x'), 90);
}

TEST(FaultPlanTest, TakesTheCallThatWasNamed) {
  FaultPlan plan;
  plan.OnCall(3, {Kind::kRefuse});
  EXPECT_FALSE(plan.Next("GET", "/a"));
  EXPECT_FALSE(plan.Next("GET", "/b"));
  EXPECT_TRUE(plan.Next("GET", "/c"));
  EXPECT_FALSE(plan.Next("GET", "/d"));
  EXPECT_EQ(plan.calls(), 4u);
  plan.OnPath("POST /containers/*/start", {Kind::kSilence}, 2);
  EXPECT_FALSE(plan.Next("POST", "/containers/aa/stop"));
  EXPECT_TRUE(plan.Next("POST", "/containers/aa/start"));
  EXPECT_TRUE(plan.Next("POST", "/containers/bb/start"));
  EXPECT_FALSE(plan.Next("POST", "/containers/c/start"));
  plan.Always({Kind::kRefuse});
  EXPECT_TRUE(plan.Next("GET", "/a"));
  plan.Heal();
  EXPECT_FALSE(plan.Next("GET", "/a"));
}

class SimBackendTest : public SimTest {};

TEST_F(SimBackendTest, TakesItsLatency) {
  UseEngine({}, std::chrono::milliseconds(250));
  const TimePoint before = clock_.Now();
  EXPECT_EQ(Call("GET", "/_ping").status, 200);
  EXPECT_EQ(clock_.Now() - before, std::chrono::milliseconds(250));
}

TEST_F(SimBackendTest, GivesUpWhenAsked) {
  std::stop_source stop;
  CallOptions options;
  options.stop = stop.get_token();
  engine_->faults().Always({Kind::kSilence});
  std::optional<absl::StatusOr<Reply>> result;
  OnLoop([&] {
    Request request;
    request.method = "GET";
    request.target = "/info";
    backend_->Call(std::move(request), options,
                   [&result](absl::StatusOr<Reply> reply) { result = std::move(reply); });
  });
  EXPECT_FALSE(result);
  stop.request_stop();
  Settle();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status().code(), absl::StatusCode::kCancelled);
}

TEST_F(SimBackendTest, BreaksAStreamInTheMiddle) {
  Create(
      "box",
      R"({"Image":"busybox","Cmd":["sh","-c","echo 0123456789; sleep 5; echo 0123456789; sleep 60"],"Tty":true})");
  Call("POST", "/containers/box/start");
  engine_->faults().OnPath("GET /containers/*/logs", {Kind::kReset, 15});
  auto logs = Open("GET", "/containers/box/logs?stdout=1&follow=1");
  Pass(seconds(4));
  EXPECT_EQ(logs->text(), "0123456789\n");
  EXPECT_FALSE(logs->ended());
  Pass(seconds(2));
  EXPECT_EQ(logs->text(), "0123456789\n0123");
  EXPECT_EQ(logs->status().code(), absl::StatusCode::kInternal);
}

TEST_F(SimBackendTest, CancelsAReadWhenTheStreamGoes) {
  auto events = Open("GET", "/events");
  Settle();
  OnLoop([&] { events->Drop(); });
  EXPECT_EQ(events->status().code(), absl::StatusCode::kCancelled);
}

struct UrlCase {
  const char* rest;
  bool is_good;
};

TEST(SimulationTest, ReadsItsUrl) {
  const UrlCase cases[] = {{"3", true},
                           {"3?seed=7&latency=5ms", true},
                           {"0", false},
                           {"", false},
                           {"x", false},
                           {"100001", false},
                           {"3?seed=x", false},
                           {"3?latency=5", false},
                           {"3?latency=5min", false},
                           {"3?nothing=1", false},
                           {"-1", false}};
  for (const UrlCase& given : cases) {
    EXPECT_EQ(ParseSimulation(given.rest).ok(), given.is_good) << given.rest;
  }
  const auto labelled = ParseSimulation("3?labels=zone%3Deast,disk%3Dssd;zone%3Dwest");
  ASSERT_TRUE(labelled.ok());
  const std::vector<Labels> wanted = {{{"disk", "ssd"}, {"zone", "east"}}, {{"zone", "west"}}};
  EXPECT_EQ(labelled->labels, wanted);
  EXPECT_FALSE(ParseSimulation("3?labels=zone").ok());
  const auto options = ParseSimulation("12?seed=7&latency=5ms");
  EXPECT_EQ(options->engines, 12);
  EXPECT_EQ(options->seed, 7u);
  EXPECT_EQ(options->latency, std::chrono::milliseconds(5));
}

class SimulationDiscoveryTest : public SimTest {};

TEST_F(SimulationDiscoveryTest, NamesEnginesAndTheWayToThem) {
  auto simulation = std::make_shared<Simulation>(clock_);
  DiscoveryRegistry registry;
  ASSERT_TRUE(AddSimulation(registry, simulation).ok());
  auto discovery = (*registry.Find("sim"))("2?seed=5", DiscoveryContext{});
  ASSERT_TRUE(discovery.ok());
  std::vector<std::vector<std::string>> seen;
  OnLoop([&] { (*discovery)->Watch([&seen](auto addresses) { seen.push_back(*addresses); }); });
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0], (std::vector<std::string>{"sim-0001:2375", "sim-0002:2375"}));
  OnLoop([&] { simulation->Add({.name = "extra"}); });
  OnLoop([&] { simulation->Remove("sim-0001:2375"); });
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[2], (std::vector<std::string>{"extra:2375", "sim-0002:2375"}));
  OnLoop([&] { discovery->reset(); });
  OnLoop([&] { simulation->Add({.name = "later"}); });
  EXPECT_EQ(seen.size(), 3u);

  backend_ = SimulationBackend(simulation)("sim-0002:2375");
  EXPECT_NE(Call("GET", "/info").body.find("\"Name\":\"sim-0002\""), std::string::npos);
  EXPECT_NE(Call("GET", "/info").body.find("zone=internal"), std::string::npos);
  backend_ = SimulationBackend(simulation)("nobody:2375");
  EXPECT_EQ(Ask(How::kCall, "GET", "/info").status().code(), absl::StatusCode::kUnavailable);
}

TEST(SimulationTest, MakesThousandsOfDifferentEngines) {
  ManualClock clock;
  const Simulation simulation({.engines = 5000}, clock);
  EXPECT_EQ(simulation.addresses().size(), 5000u);
  EXPECT_NE(simulation.engine("sim-4999:2375"), nullptr);
  EXPECT_EQ(simulation.engine("sim-5001:2375"), nullptr);
}

TEST_F(SimBackendTest, GivesTheSameAnswersFromTheSameSeed) {
  const auto run = [this] {
    UseEngine({});
    std::string all;
    for (int i = 0; i < 5; ++i)
      all.append(Call("POST", "/containers/create", R"({"Image":"busybox"})").body);
    return all + Call("GET", "/containers/json?all=1").body;
  };
  const std::string first = run();
  EXPECT_EQ(first, run());
}

}  // namespace
}  // namespace swarm
