// Credentials of registries go through a whole manager to an engine, and no memory holds them
// afterwards: neither what was freed on the way nor what is kept for the next request.
#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "net/tls.h"
#include "secrets/watched_memory.h"
#include "sim/sim_engine.h"
#include "sim/tar.h"
#include "support/test_certificates.h"
#include "swarmlib/client.h"
#include "swarmlib/manager.h"
#include "unit/net/net_test_tools.h"

namespace swarm {
namespace {

constexpr std::string_view kSecret =
    "eyJ1c2VybmFtZSI6ImFubiIsInBhc3N3b3JkIjoiaHVudGVyMi1odW50ZXIyLWh1bnRlcjItaHVudGVyMiJ9";
// Allocators write into the begin of what they were given back.
constexpr std::string_view kSought = kSecret.substr(24, 40);

constexpr const char* kCreateBody = R"({"Image":"registry.example/app:1"})";

Reply Said(int status, std::string body) {
  Reply reply;
  reply.status = status;
  reply.headers.emplace_back("Content-Type", "application/json");
  reply.body = std::move(body);
  return reply;
}

// Reads a body into memory that is no block, and looks for the secret there.
class BodySearch : public std::enable_shared_from_this<BodySearch> {
 public:
  BodySearch(std::unique_ptr<Stream> body, ResultCallback<Reply> done)
      : body_(std::move(body)), done_(std::move(done)) {}

  void Read(std::atomic<int>& found) {
    body_->Read(bytes_, [self = shared_from_this(), &found](absl::StatusOr<std::size_t> got) {
      const std::size_t count = got.value_or(0);
      if (count == 0) return self->done_(Said(200, R"({"Status":"Login Succeeded"})"));
      const std::string_view piece(bytes_.data(), count);
      if (piece.find(kSecret) != std::string_view::npos) ++found;
      bytes_.fill(0);
      self->Read(found);
    });
  }

 private:
  static inline std::array<char, 65536> bytes_;
  std::unique_ptr<Stream> body_;
  ResultCallback<Reply> done_;
};

// A simulated engine behind a socket that counts the requests with the secret.
class TrustedEngine {
 public:
  explicit TrustedEngine(std::shared_ptr<net::TlsContext> tls = nullptr)
      : engine_({}, SystemClock(), 7),
        server_([this](Request request,
                       ResultCallback<Reply> done) { Take(std::move(request), std::move(done)); },
                With(std::move(tls))) {
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
  int trusted() const { return trusted_; }

 private:
  static net::ServerOptions With(std::shared_ptr<net::TlsContext> tls) {
    net::ServerOptions options;
    options.tls = std::move(tls);
    return options;
  }

  void Take(Request request, ResultCallback<Reply> done) {
    for (const auto& [name, value] : request.headers) {
      if (name.starts_with("X-Registry-") && value == kSecret) ++trusted_;
    }
    const std::string_view target = request.target;
    if (target.ends_with("/auth")) {
      const auto search =
          std::make_shared<BodySearch>(std::move(request.body_stream), std::move(done));
      return search->Read(trusted_);
    }
    if (target.find("/build") != std::string_view::npos)
      return done(Said(200, "{\"stream\":\"built\"}\r\n"));
    if (target.find("/distribution/") != std::string_view::npos) return done(Said(200, "{}"));
    if (request.body_stream) {  // of a create, which the simulated engine wants whole
      request.body = kCreateBody;
      request.body_stream.reset();
    }
    done(engine_.Handle(request));
  }

  std::atomic<int> trusted_ = 0;
  SimulatedEngine engine_;
  net::ServerThread server_;
};

struct Case {
  const char* name;
  const char* line;
  const char* field;  // that carries the secret; "" = the body does
  std::string body;
  int status;
  int trusted;  // requests with it that the engine gets
  bool chunked = false;
};

std::string TextOf(const Case& asked) {
  std::string text = std::string(asked.line) + " HTTP/1.1\r\nHost: m\r\n";
  std::string body = asked.body;
  if (*asked.field != '\0') text.append(asked.field).append(": ").append(kSecret).append("\r\n");
  if (*asked.field == '\0') body.replace(body.find('$'), 1, kSecret);
  const bool is_tar = std::string_view(asked.line).find("/build") != std::string_view::npos;
  if (!body.empty())
    text += is_tar ? "Content-Type: application/x-tar\r\n" : "Content-Type: application/json\r\n";
  if (!asked.chunked)
    return text + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  std::array<char, 16> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", body.size());
  return text + "Transfer-Encoding: chunked\r\n\r\n" + size.data() + body + "\r\n0\r\n\r\n";
}

std::string ReceiveWhole(net::RawSocket& client) {
  std::string head = client.ReceiveUntil("\r\n\r\n");
  if (head.find("Transfer-Encoding: chunked") != std::string::npos)
    return head + client.ReceiveUntil("0\r\n\r\n");
  const std::size_t at = head.find("Content-Length: ");
  if (at == std::string::npos) return head;
  return head + client.ReceiveExactly(std::stoul(head.substr(at + 16)));
}

std::unique_ptr<Manager> OpenBefore(const TrustedEngine& engine, const TlsConfig& tls = {}) {
  Config config;
  config.tls = tls;
  config.discovery = "nodes://" + engine.address();
  config.listen = {"tcp://127.0.0.1:0"};
  config.threads = 1;
  config.seed = 3;
  auto opened = Manager::Open(std::move(config));
  EXPECT_TRUE(opened.ok()) << opened.status();
  EXPECT_TRUE((*opened)->Serve().ok());
  EXPECT_TRUE((*opened)->WaitReady(net::kTestDeadline).ok());
  return *std::move(opened);
}

class CredentialsTest : public testing::TestWithParam<Case> {};

TEST_P(CredentialsTest, MemoryIsOverwrittenBehindThem) {
  const Case& asked = GetParam();
  const std::string text = TextOf(asked);
  const std::size_t own = BlocksWith(kSought);
  ASSERT_GE(own, 1U);
  auto engine = std::make_unique<TrustedEngine>();
  std::unique_ptr<Manager> manager = OpenBefore(*engine);
  net::RawSocket client = net::RawSocket::Connect(manager->addresses().front());
  SearchFreed(kSought);
  // In two pieces, so that the head is there before it is whole, and buffers grow.
  const std::size_t half = text.find(kSought) + kSought.size();
  ASSERT_TRUE(client.Send(std::string_view(text).substr(0, half)));
  ASSERT_TRUE(client.Send(std::string_view(text).substr(half)));
  const std::string answer = ReceiveWhole(client);
  EXPECT_EQ(net::StatusOf(answer), asked.status) << answer;
  EXPECT_EQ(engine->trusted(), asked.trusted);
  // The connections are open still, both of them.
  EXPECT_TRUE(net::WaitUntil([&] { return BlocksWith(kSought) == own; }))
      << BlocksWith(kSought) - own << " blocks in use hold it";
  client.Close();
  manager.reset();
  engine.reset();
  EXPECT_EQ(FreedWithSecret(), 0U) << "blocks held it when they were freed";
  SearchFreed({});
}

INSTANTIATE_TEST_SUITE_P(
    , CredentialsTest,
    testing::Values(
        Case{"FastPath", "GET /v1.41/containers/web/json", "X-Registry-Auth", "", 200, 0},
        Case{"List", "GET /v1.41/containers/json", "X-Registry-Auth", "", 200, 0},
        Case{"Pull", "POST /v1.41/images/create?fromImage=app&tag=1", "X-Registry-Auth", "", 200,
             1},
        Case{"Push", "POST /v1.41/images/busybox/push?tag=latest", "X-Registry-Auth", "", 200, 1},
        Case{"CreateWithPull", "POST /v1.41/containers/create?name=app", "X-Registry-Auth",
             kCreateBody, 201, 1},
        Case{"Build", "POST /v1.41/build?t=app", "X-Registry-Config",
             WriteTar({{"Dockerfile", "FROM busybox\n"}}), 200, 1},
        Case{"Distribution", "GET /v1.41/distribution/app/json", "X-Registry-Auth", "", 200, 1},
        Case{"Login", "POST /v1.41/auth", "", R"({"username":"ann","password":"$"})", 200, 1},
        Case{"ChunkedLogin", "POST /v1.41/auth", "",
             R"({"email":")" + std::string(9000, 'e') + R"(","password":"$"})", 200, 1, true},
        Case{"LoginAsNoJson", "POST /v1.41/auth", "", R"(["$"])", 200, 1},
        Case{"Refused", "POST /v1.41/nosuch", "X-Registry-Auth", "", 404, 0}),
    [](const auto& info) { return std::string(info.param.name); });

// The client is ours too, and holds nothing afterwards either.
TEST(CredentialsOverTls, MemoryIsOverwrittenBehindThem) {
  ASSERT_TRUE(WatchesOpenssl());
  TestAuthority authority;
  const TlsConfig tls = authority.Config(authority.Issue("node"), true);
  auto context = net::MakeServerContext(tls);
  ASSERT_TRUE(context.ok()) << context.status();
  auto engine = std::make_unique<TrustedEngine>(*std::move(context));
  std::unique_ptr<Manager> manager = OpenBefore(*engine, tls);
  const std::string address = manager->addresses().front();
  SearchFreed(kSought);
  {
    Request pull;
    pull.method = "POST";
    pull.target = "/v1.41/images/create?fromImage=app&tag=1";
    pull.headers.emplace_back("X-Registry-Auth", kSecret);
    const absl::StatusOr<Reply> pulled = CallOnce(address, tls, std::move(pull), {});
    ASSERT_TRUE(pulled.ok()) << pulled.status();
    EXPECT_EQ(pulled->status, 200) << pulled->body;
    Request login;
    login.method = "POST";
    login.target = "/v1.41/auth";
    login.headers.emplace_back("Content-Type", "application/json");
    login.body.reserve(200);
    login.body.append(R"({"username":"ann","password":")").append(kSecret).append("\"}");
    const absl::StatusOr<Reply> done = CallOnce(address, tls, std::move(login), {});
    ASSERT_TRUE(done.ok()) << done.status();
    EXPECT_EQ(done->status, 200) << done->body;
  }
  EXPECT_EQ(engine->trusted(), 2);
  EXPECT_TRUE(net::WaitUntil([] { return BlocksWith(kSought) == 0; }))
      << BlocksWith(kSought) << " blocks in use hold it";
  manager.reset();
  engine.reset();
  EXPECT_EQ(FreedWithSecret(), 0U) << "blocks held it when they were freed";
  SearchFreed({});
}

}  // namespace
}  // namespace swarm
