// A real manager in front of an engine that puts line ends into what it says of itself and of its
// containers: each request has one answer, with the manager's own head.
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/log.h"
#include "net/http_head.h"
#include "sim/sim_engine.h"
#include "swarmlib/manager.h"
#include "unit/net/net_test_tools.h"

namespace swarm {
namespace {

// A simulated engine behind a socket, whose answers the test changes on their way.
class HostileEngine {
 public:
  using Change = std::function<void(const Request& request, Reply& reply)>;

  explicit HostileEngine(Change change)
      : engine_({}, SystemClock(), 7),
        change_(std::move(change)),
        server_([this](Request request, ResultCallback<Reply> done) {
          Reply reply = engine_.Handle(request);
          change_(request, reply);
          done(std::move(reply));
        }) {
    server_.thread().On([this] {
      Request create;
      create.method = "POST";
      create.target = "/v1.41/containers/create?name=web";
      create.headers = {{"Content-Type", "application/json"}};
      create.body = R"({"Image":"busybox"})";
      EXPECT_EQ(engine_.Handle(create).status, 201);
    });
  }

  std::string address() const { return server_.address().substr(std::string("tcp://").size()); }

 private:
  SimulatedEngine engine_;
  const Change change_;
  net::ServerThread server_;
};

// Puts `what`, as JSON writes it, before the value of each string member `key`.
void PutBefore(std::string_view key, std::string_view what, std::string& json) {
  const std::string member = "\"" + std::string(key) + "\":\"";
  for (std::size_t at = json.find(member); at != std::string::npos; at = json.find(member, at)) {
    at += member.size();
    json.insert(at, what);
  }
}

// A manager of that one engine, with what it logs.
class OneEngineManager {
 public:
  explicit OneEngineManager(const HostileEngine& engine) {
    Config config;
    config.discovery = "nodes://" + engine.address();
    config.listen = {"tcp://127.0.0.1:0"};
    config.threads = 1;
    config.seed = 3;
    config.log = [this](const LogRecord& record) {
      const std::lock_guard lock(mutex_);
      logged_ += FormatText(record) + "\n";
    };
    auto opened = Manager::Open(std::move(config));
    EXPECT_TRUE(opened.ok()) << opened.status();
    manager_ = *std::move(opened);
    EXPECT_TRUE(manager_->Serve().ok());
    EXPECT_TRUE(manager_->WaitReady(net::kTestDeadline).ok());
  }

  NodePointer node() { return manager_->cluster().Nodes().front(); }
  std::string address() { return manager_->addresses().front(); }
  std::string logged() {
    const std::lock_guard lock(mutex_);
    return logged_;
  }

 private:
  std::mutex mutex_;
  std::string logged_;
  std::unique_ptr<Manager> manager_;
};

// Handled answers, and with "web" on a healthy node the fast path's.
constexpr const char* kTargets[] = {"/_ping",
                                    "/v1.41/info",
                                    "/v1.41/version",
                                    "/v1.41/containers/json?all=1",
                                    "/v1.41/images/json",
                                    "/v1.41/containers/web/json",
                                    "/v1.41/containers/web/top",
                                    "/v1.41/containers/web/changes",
                                    "/v1.41/containers/nosuch/json"};

// Each request has one answer, and no field in its head that an engine made up.
void ExpectOneAnswerEach(OneEngineManager& manager) {
  net::RawSocket client = net::RawSocket::Connect(manager.address());
  for (const char* target : kTargets) {
    ASSERT_TRUE(client.Send("GET " + std::string(target) + " HTTP/1.1\r\nHost: m\r\n\r\n"));
    const std::string answer = net::ReceiveAnswer(client);
    net::ResponseHeadParser parser;
    const net::HeadResult head = parser.Parse(answer);
    ASSERT_EQ(head.state, net::HeadState::kDone) << target << ": " << head.reason;
    EXPECT_TRUE(parser.head().fields.Find("content-length")) << answer;
    EXPECT_FALSE(parser.head().fields.Find("x-injected")) << target << ": " << answer;
    EXPECT_EQ(head.size + parser.head().content_length.value_or(0), answer.size()) << target;
  }
  client.CloseWrite();
  EXPECT_EQ(client.ReceiveAll(), "") << "bytes that nobody asked for";
}

struct Bytes {
  const char* name;
  const char* json;
};
constexpr Bytes kBytes[] = {
    {"Crlf", "\\r\\nX-Injected: 1\\r\\n\\r\\nHTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n"},
    {"Cr", "\\rX-Injected: 1"},
    {"Lf", "\\nX-Injected: 1"},
    {"Nul", "\\u0000X-Injected: 1"},
    {"Del", "\\u007f"}};

struct EngineField {
  const char* path;  // the end of the target
  const char* key;
};

class EngineFieldTest : public testing::TestWithParam<EngineField> {};

TEST_P(EngineFieldTest, ControlBytesRefuseTheEngine) {
  for (const Bytes& bytes : kBytes) {
    HostileEngine engine([&](const Request& request, Reply& reply) {
      if (request.target.ends_with(GetParam().path))
        PutBefore(GetParam().key, bytes.json, reply.body);
    });
    OneEngineManager manager(engine);
    const NodePointer node = manager.node();
    EXPECT_EQ(node->state, NodeState::kPending) << bytes.name;
    EXPECT_NE(node->error.find("control"), std::string::npos) << bytes.name << node->error;
    EXPECT_NE(node->error.find(GetParam().key), std::string::npos) << bytes.name << node->error;
    EXPECT_NE(node->error.find(engine.address()), std::string::npos) << bytes.name << node->error;
    ExpectOneAnswerEach(manager);
  }
}

INSTANTIATE_TEST_SUITE_P(
    , EngineFieldTest,
    testing::Values(EngineField{"/info", "ID"}, EngineField{"/info", "Name"},
                    EngineField{"/info", "OSType"}, EngineField{"/info", "Architecture"},
                    EngineField{"/info", "KernelVersion"}, EngineField{"/info", "OperatingSystem"},
                    EngineField{"/info", "ServerVersion"}, EngineField{"/version", "Version"},
                    EngineField{"/version", "ApiVersion"},
                    EngineField{"/version", "MinAPIVersion"}),
    [](const auto& info) { return std::string(info.param.path).substr(1) + "_" + info.param.key; });

TEST(HostileEngine, ControlBytesInWhatItHoldsStayInBodies) {
  for (const Bytes& bytes : kBytes) {
    HostileEngine engine([&](const Request&, Reply& reply) {
      for (const char* key : {"Image", "ImageID", "Command", "Driver", "NetworkMode", "Status",
                              "message", "Path", "StartedAt", "SystemTime"}) {
        PutBefore(key, bytes.json, reply.body);
      }
    });
    OneEngineManager manager(engine);
    EXPECT_EQ(manager.node()->state, NodeState::kHealthy) << bytes.name << manager.node()->error;
    ExpectOneAnswerEach(manager);
  }
}

TEST(HostileEngine, LabelWithControlBytesIsDroppedAlone) {
  for (const Bytes& bytes : kBytes) {
    HostileEngine engine([&](const Request& request, Reply& reply) {
      if (!request.target.ends_with("/info")) return;
      const std::size_t at = reply.body.find("\"Labels\":[") + 10;
      ASSERT_LT(at, reply.body.size());
      const std::string bad(bytes.json);
      reply.body.insert(at, "\"" + bad + "key=1\",\"rack=" + bad + "\",\"zone=good\"" +
                                (reply.body[at] == ']' ? "" : ","));
    });
    OneEngineManager manager(engine);
    const NodePointer node = manager.node();
    ASSERT_EQ(node->state, NodeState::kHealthy) << bytes.name << node->error;
    EXPECT_EQ(node->labels.at("zone"), "good");
    EXPECT_FALSE(node->labels.contains("rack"));
    for (const auto& [key, value] : node->labels) {
      EXPECT_EQ(key.find("X-Injected"), std::string::npos) << bytes.name;
      EXPECT_EQ(key.find("key"), std::string::npos) << bytes.name;
    }
    EXPECT_NE(manager.logged().find("labels"), std::string::npos) << manager.logged();
    ExpectOneAnswerEach(manager);
  }
}

// What clients put into names and queries reaches engines as one request each.
TEST(HostileClient, LineEndsInNamesAndQueriesSplitNoRequestToAnEngine) {
  std::mutex mutex;
  std::vector<std::string> split;
  HostileEngine engine([&](const Request& request, Reply&) {
    const std::lock_guard lock(mutex);
    if (FindHeader(request.headers, "X-Injected") != nullptr) split.push_back(request.target);
  });
  OneEngineManager manager(engine);
  const std::string odd = "%0d%0aX-Injected:%201%0d%0a%0d%0aGET%20/_ping%20HTTP/1.1%00";
  for (const std::string& line :
       {"GET /v1.41/containers/web" + odd + "/json", "GET /v1.41/containers/web/top?ps_args=" + odd,
        "GET /v1.41/containers/web/logs?stdout=1&since=" + odd,
        "GET /v1.41/images/a" + odd + "/json", "POST /v1.41/images/create?fromImage=a" + odd,
        "GET /v1.41/volumes/a" + odd, "GET /v1.41/networks/a" + odd,
        "POST /v1.41/containers/web/start?detachKeys=" + odd,
        "POST /v1.41/containers/web/rename?name=" + odd, "GET /v1.41/exec/a" + odd + "/json",
        "GET /v1.41/containers/json?filters=" + odd, "GET /v1.41/events?until=1&filters=" + odd}) {
    net::RawSocket client = net::RawSocket::Connect(manager.address());
    ASSERT_TRUE(client.Send(line + " HTTP/1.1\r\nHost: m\r\nX-Registry-Auth: e30=\r\n" +
                            "Connection: close\r\n\r\n"));
    const std::string answer = client.ReceiveAll();
    EXPECT_GT(net::StatusOf(answer), 0) << line << ": " << answer;
    EXPECT_EQ(answer.find("\nHTTP/1.1 "), std::string::npos) << line << ": " << answer;
    EXPECT_EQ(answer.find("\nX-Injected"), std::string::npos) << line << ": " << answer;
  }
  const std::lock_guard lock(mutex);
  EXPECT_TRUE(split.empty()) << split.front();
}

TEST(HostileEngine, LabelWithControlBytesIsLoggedOnce) {
  std::atomic<int> asked{0};
  HostileEngine engine([&](const Request& request, Reply& reply) {
    // An engine whose event stream ends at once is read anew and anew.
    if (request.target.find("/events") != std::string::npos) reply.body_stream.reset();
    if (!request.target.ends_with("/info")) return;
    reply.body.insert(reply.body.find("\"Labels\":[") + 10, "\"rack=\\r\\n\"");
    ++asked;
  });
  OneEngineManager manager(engine);
  EXPECT_TRUE(net::WaitUntil([&] { return asked >= 4; }));
  const std::string logged = manager.logged();
  const std::size_t first = logged.find("has labels");
  EXPECT_NE(first, std::string::npos) << logged;
  EXPECT_EQ(logged.find("has labels", first + 1), std::string::npos) << logged;
}

}  // namespace
}  // namespace swarm
