// Clients that end their side of the connection behind their request, as `nc -N` and socat do.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "sim/faults.h"
#include "sim/sim_server.h"
#include "sim/simulation.h"
#include "swarmlib/manager.h"
#include "swarmlib/simulation.h"
#include "unit/net/net_test_tools.h"

namespace swarm {
namespace {

using net::RawSocket;

// A manager of one simulated engine behind a real socket, whose answers take a moment, so that the
// client's end is there before them.
class HalfCloseTest : public testing::Test {
 protected:
  void SetUp() override {
    SimulationOptions options;
    options.engines = 1;
    simulation_ = std::make_shared<Simulation>(options, SystemClock());
    engine_ = std::make_unique<SimServer>(loop_, simulation_);
    ASSERT_TRUE(engine_->Listen(0).ok());
    thread_ = std::thread([this] { loop_.Run(); });
    Config config;
    config.discovery = "nodes://" + engine_->addresses().front();
    config.threads = 1;
    config.pull_on_create = true;
    config.listen = {"tcp://127.0.0.1:0"};
    auto opened = Manager::Open(std::move(config));
    ASSERT_TRUE(opened.ok()) << opened.status();
    manager_ = *std::move(opened);
    ASSERT_TRUE(manager_->WaitReady(std::chrono::seconds(30)).ok());
    ASSERT_TRUE(manager_->Serve().ok());
    const Answer made =
        Plain("POST", "/containers/create?name=web", R"({"Image":"busybox","Cmd":["sleep","1d"]})");
    EXPECT_EQ(made.status, 201) << made.text;
    EXPECT_EQ(Plain("POST", "/containers/web/start").status, 204);
  }
  ~HalfCloseTest() override {
    manager_.reset();
    loop_.Stop();
    if (thread_.joinable()) thread_.join();
  }

  FaultPlan& faults() { return simulation_->engine_at(0)->faults(); }

  struct Answer {
    int status = 0;
    bool whole = false;
    std::string text;
  };
  static Answer Read(RawSocket& client) {
    Answer answer;
    answer.text = client.ReceiveAll();
    answer.status = net::StatusOf(answer.text);
    const std::size_t body = answer.text.find("\r\n\r\n");
    const std::size_t length = answer.text.find("Content-Length: ");
    if (answer.status == 204) {
      answer.whole = true;
    } else if (length < body) {
      answer.whole = answer.text.size() - body - 4 == std::stoul(answer.text.substr(length + 16));
    } else {
      answer.whole = answer.text.ends_with("\r\n0\r\n\r\n");
    }
    return answer;
  }
  RawSocket Send(std::string_view method, std::string_view target, std::string_view body,
                 std::string_view fields = {}) {
    RawSocket client = RawSocket::Connect(manager_->addresses().front());
    std::string text = std::string(method) + " /v1.41" + std::string(target) +
                       " HTTP/1.1\r\nHost: x\r\n" + std::string(fields);
    if (!body.empty() || method == "POST")
      text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n";
    client.Send(text + "\r\n" + std::string(body));
    return client;
  }
  Answer Plain(std::string_view method, std::string_view target, std::string_view body = {}) {
    RawSocket client = Send(method, target, body, "Connection: close\r\n");
    return Read(client);
  }
  RawSocket HalfClosed(std::string_view method, std::string_view target,
                       std::string_view body = {}) {
    RawSocket client = Send(method, target, body);
    client.CloseWrite();
    return client;
  }

  Loop loop_{SystemClock(), {}};
  std::shared_ptr<Simulation> simulation_;
  std::unique_ptr<SimServer> engine_;
  std::thread thread_;
  std::unique_ptr<Manager> manager_;
};

TEST_F(HalfCloseTest, RequestThatReadsIsAnsweredAsWithout) {
  constexpr Duration kMoment = std::chrono::milliseconds(20);
  const std::string until = std::to_string(
      std::chrono::duration_cast<std::chrono::seconds>(SystemClock().Wall().time_since_epoch())
          .count());
  const std::string targets[] = {"/_ping",
                                 "/version",
                                 "/info",
                                 "/containers/json?all=1",
                                 "/containers/json?all=1&size=1",
                                 "/system/df",
                                 "/images/json",
                                 "/images/busybox/json",
                                 "/images/busybox/history",
                                 "/images/search?term=busybox",
                                 "/images/get?names=busybox",
                                 "/images/busybox/get",
                                 "/distribution/busybox/json",
                                 "/networks",
                                 "/networks/bridge",
                                 "/volumes",
                                 "/plugins",
                                 "/events?since=0&until=" + until,
                                 "/containers/web/json",
                                 "/containers/web/json?size=1",
                                 "/containers/web/top",
                                 "/containers/web/changes",
                                 "/containers/web/logs?stdout=1",
                                 "/containers/web/export",
                                 "/containers/web/archive?path=/etc/hostname",
                                 "/containers/web/stats?stream=false"};
  for (const std::string& target : targets) {
    SCOPED_TRACE(target);
    const Answer plain = Plain("GET", target);  // and there is a kept connection to the engine
    ASSERT_TRUE(plain.whole) << plain.text.substr(0, 400);
    faults().Always({.kind = Fault::Kind::kSlow, .delay = kMoment});
    RawSocket client = HalfClosed("GET", target);
    const Answer answer = Read(client);
    faults().Heal();
    EXPECT_EQ(answer.status, plain.status) << answer.text.substr(0, 400);
    EXPECT_TRUE(answer.whole) << answer.text.substr(0, 400);
  }
}

TEST_F(HalfCloseTest, ChangeIsAnsweredAsWithout) {
  faults().Always({.kind = Fault::Kind::kSlow, .delay = std::chrono::milliseconds(20)});
  struct Case {
    const char *target, *body;
    int status;
  };
  const Case cases[] = {{"/containers/create?name=other", R"({"Image":"busybox"})", 201},
                        {"/containers/other/start", "", 204},
                        {"/containers/other/restart", "", 204},
                        {"/containers/other/rename?name=more", "", 204},
                        {"/networks/create", R"({"Name":"net"})", 201},
                        {"/volumes/create", R"({"Name":"vol"})", 201},
                        {"/images/busybox/tag?repo=mine", "", 201},
                        {"/containers/prune", "", 200}};
  for (const Case& test : cases) {
    SCOPED_TRACE(test.target);
    RawSocket client = HalfClosed("POST", test.target, test.body);
    const Answer answer = Read(client);
    EXPECT_EQ(answer.status, test.status) << answer.text;
    EXPECT_TRUE(answer.whole) << answer.text;
  }
}

TEST_F(HalfCloseTest, PipelinedRequestsAreAllAnswered) {
  RawSocket client = RawSocket::Connect(manager_->addresses().front());
  std::string text;
  for (int i = 0; i < 3; ++i) text += "GET /containers/web/json HTTP/1.1\r\nHost: x\r\n\r\n";
  client.Send(text);
  client.CloseWrite();
  const std::string all = client.ReceiveAll();
  std::size_t answers = 0;
  for (std::size_t at = 0; (at = all.find("HTTP/1.1 200", at)) != std::string::npos; ++at)
    ++answers;
  EXPECT_EQ(answers, 3U) << all.substr(0, 200);
}

// Without an upgrade the bytes behind the request are the input, and the client's end is its end.
TEST_F(HalfCloseTest, ExecWithoutUpgradeTakesItAsTheEndOfItsInput) {
  const Answer made = Plain("POST", "/containers/web/exec",
                            R"({"AttachStdin":true,"AttachStdout":true,"Cmd":["cat"]})");
  ASSERT_EQ(made.status, 201) << made.text;
  const std::size_t id = made.text.find("\"Id\":\"") + 6;
  RawSocket client =
      Send("POST", "/exec/" + made.text.substr(id, made.text.find('"', id) - id) + "/start",
           R"({"Detach":false})");
  client.Send("input");
  client.CloseWrite();
  const std::string all = client.ReceiveAll();
  EXPECT_EQ(net::StatusOf(all), 200) << all;
  EXPECT_TRUE(all.ends_with("input")) << all;
}

// What lives for its client ends with it, as in Docker's engine: the engine is silent here, so only
// that can end the request.
TEST_F(HalfCloseTest, RequestThatLivesForItsClientEnds) {
  struct Case {
    const char *method, *target, *body;
    const char* silent;  // the engine's path that never answers
  };
  const Case cases[] = {
      {"GET", "/events", "", ""},
      {"GET", "/containers/web/logs?stdout=1&follow=1", "", ""},
      {"GET", "/containers/web/stats", "", ""},
      {"POST", "/containers/web/wait", "", ""},
      {"POST", "/images/create?fromImage=alpine&tag=3", "", "POST /images/create"},
      {"POST", "/images/busybox/push", "", "POST /images/*/push"},
      {"POST", "/images/load", "not empty", "POST /images/load"},
      {"POST", "/containers/create", R"({"Image":"registry.example/thing:1"})",
       "POST /images/create"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.target);
    if (*test.silent != '\0') faults().OnPath(test.silent, {.kind = Fault::Kind::kSilence}, 1);
    RawSocket client = HalfClosed(test.method, test.target, test.body);
    const Answer answer = Read(client);
    EXPECT_FALSE(answer.text.ends_with("<timeout>")) << answer.text;
    EXPECT_TRUE(answer.status == 499 || !answer.whole) << answer.text;
    faults().Heal();
  }
}

}  // namespace
}  // namespace swarm
