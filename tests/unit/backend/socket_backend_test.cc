#include "backend/socket_backend.h"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "async/loop.h"
#include "backend/refusing_backend.h"
#include "net/server.h"
#include "support/test_certificates.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

class LoopThread {
 public:
  LoopThread() : loop(SystemClock(), nullptr), thread_([this] { loop.Run(); }) {}
  ~LoopThread() {
    loop.Stop();
    thread_.join();
  }
  void On(const std::function<void()>& work) {
    std::promise<void> done;
    loop.Post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
  Loop loop;

 private:
  std::thread thread_;
};

// Answers with the target and the Host that was asked.
class Engine {
 public:
  explicit Engine(net::ServerOptions options = {}, std::string_view address = "tcp://127.0.0.1:0") {
    thread_.On([&] {
      server_ = std::make_unique<net::Server>(thread_.loop, std::move(options),
                                              [](Request request, ResultCallback<Reply> done) {
                                                Reply reply;
                                                reply.body = request.target;
                                                done(std::move(reply));
                                              });
      EXPECT_TRUE(server_->Listen(address).ok());
      address_ = server_->addresses().front();
    });
  }
  ~Engine() {
    thread_.On([this] { server_.reset(); });
  }
  const std::string& address() const { return address_; }
  std::size_t connections() {
    std::size_t open = 0;
    thread_.On([&] { open = server_->connections(); });
    return open;
  }

 private:
  LoopThread thread_;
  std::unique_ptr<net::Server> server_;
  std::string address_;
};

absl::StatusOr<Reply> CallOn(LoopThread& thread, BackendClient& client, std::string target) {
  std::promise<absl::StatusOr<Reply>> answer;
  thread.On([&] {
    Request request;
    request.method = "GET";
    request.target = std::move(target);
    client.Call(std::move(request), {}, [&](absl::StatusOr<Reply> got) {
      EXPECT_EQ(Loop::Current(), &thread.loop);
      answer.set_value(std::move(got));
    });
  });
  return answer.get_future().get();
}

TEST(SocketBackendTest, RefusesBadAddresses) {
  for (const std::string_view address : {"", "http://x:1", "tcp://x", "unix://x"}) {
    EXPECT_EQ(MakeSocketBackend(address).status().code(), absl::StatusCode::kInvalidArgument)
        << address;
  }
}

TEST(SocketBackendTest, KeepsConnectionsForEachLoop) {
  Engine engine;
  LoopThread loops[2];
  auto client = *MakeSocketBackend(engine.address());
  for (int round = 0; round < 5; ++round) {
    for (LoopThread& loop : loops) {
      const auto reply = CallOn(loop, *client, "/" + std::to_string(round));
      ASSERT_TRUE(reply.ok()) << reply.status();
      EXPECT_EQ(reply->body, "/" + std::to_string(round));
    }
  }
  EXPECT_EQ(engine.connections(), 2U);
  client.reset();
  for (LoopThread& loop : loops) loop.On([] {});  // what was posted there has run
  for (int i = 0; i < 5000 && engine.connections() > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(engine.connections(), 0U);
}

TEST(SocketBackendTest, MayBeMadeUsedAndDestroyedOnManyLoopsAtOnce) {
  Engine engine;
  std::vector<std::unique_ptr<LoopThread>> loops;
  for (int i = 0; i < 4; ++i) loops.push_back(std::make_unique<LoopThread>());
  auto client = *MakeSocketBackend(engine.address());
  std::vector<std::thread> callers;
  for (auto& loop : loops) {
    callers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const auto reply = CallOn(*loop, *client, "/x");
        EXPECT_TRUE(reply.ok()) << reply.status();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  client.reset();
}

TEST(SocketBackendTest, MayGoAfterItsLoopsHaveStopped) {
  Engine engine;
  auto loop = std::make_unique<Loop>(SystemClock(), nullptr);
  std::thread runner([&] { loop->Run(); });
  auto client = *MakeSocketBackend(engine.address());
  std::promise<void> answered;
  loop->Post([&] {
    Request request;
    request.method = "GET";
    request.target = "/";
    client->Call(std::move(request), {}, [&](absl::StatusOr<Reply>) { answered.set_value(); });
  });
  answered.get_future().wait();
  loop->Stop();
  runner.join();
  client.reset();
  loop.reset();
}

// Takes connections and never says a word.
class SilentEngine {
 public:
  SilentEngine() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_, plain, size), 0);
    EXPECT_EQ(::listen(socket_, 16), 0);
    EXPECT_EQ(::getsockname(socket_, plain, &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~SilentEngine() { ::close(socket_); }
  const std::string& address() const { return address_; }

 private:
  int socket_;
  std::string address_;
};

TEST(SocketBackendTest, ClosedOnItsLoopsItCancelsItsCallsAndMayOutliveThem) {
  SilentEngine engine;
  std::shared_ptr<BackendClient> client = *MakeSocketBackend(engine.address());
  const std::weak_ptr<BackendClient> weak = client;
  const auto call = [&client](LoopThread& loop) {
    auto promise = std::make_shared<std::promise<absl::Status>>();
    std::future<absl::Status> ended = promise->get_future();
    loop.On([&] {
      Request request;
      request.method = "GET";
      request.target = "/";
      CallOptions options;
      options.timeout = std::chrono::hours(1);
      // The call keeps its client, as the calls of a cluster do.
      client->Call(std::move(request), options, [promise, client](absl::StatusOr<Reply> reply) {
        promise->set_value(reply.status());
      });
    });
    return ended;
  };
  auto first = std::make_unique<LoopThread>();
  auto second = std::make_unique<LoopThread>();
  std::vector<std::future<absl::Status>> ended;
  ended.push_back(call(*first));
  ended.push_back(call(*second));
  first->On([&] { CloseOnThisLoop(*client); });
  second->On([&] { CloseOnThisLoop(*client); });
  ended.push_back(call(*first));  // refused
  for (std::future<absl::Status>& one : ended) {
    ASSERT_EQ(one.wait_for(std::chrono::seconds(30)), std::future_status::ready);
    EXPECT_TRUE(absl::IsCancelled(one.get()));
  }
  first.reset();
  second.reset();
  client.reset();
  EXPECT_TRUE(weak.expired());
}

TEST(SocketBackendTest, ReachesUnixSocketsNamesAndTls) {
  std::string directory = testing::TempDir() + "swarm-backend-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  TestAuthority authority;
  const auto files = authority.Issue("engine", "DNS:localhost");
  const TlsConfig config = authority.Config(files, true);
  net::ServerOptions secure;
  secure.tls = *net::MakeServerContext(config);
  {
    Engine on_unix({}, "unix://" + directory + "/engine.sock");
    Engine on_tcp;
    Engine on_tls(std::move(secure));
    const auto named = [](const std::string& address) {
      return "tcp://localhost" + address.substr(address.rfind(':'));
    };
    LoopThread loop;
    for (const bool tls : {false, true}) {
      for (const std::string& address :
           {on_unix.address(), named(tls ? on_tls.address() : on_tcp.address())}) {
        SCOPED_TRACE(address);
        auto client = *MakeSocketBackend(address, tls ? *net::MakeClientContext(config) : nullptr);
        const auto reply = CallOn(loop, *client, "/here");
        ASSERT_TRUE(reply.ok()) << reply.status();
        EXPECT_EQ(reply->body, "/here");
      }
    }
    // A label of more than 63 letters is no name: no server is asked.
    auto nobody = *MakeSocketBackend("tcp://" + std::string(70, 'a') + ":2375");
    const auto reply = CallOn(loop, *nobody, "/");
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnavailable) << reply.status();
    EXPECT_NE(MessageOf(reply.status()).find("its name was not resolved"), std::string_view::npos)
        << reply.status();
  }
  rmdir(directory.c_str());
}

TEST(SocketBackendTest, AsksTheGivenResolverForNames) {
  Engine engine;
  LoopThread loop;
  const std::string address =
      "tcp://engine.test" + engine.address().substr(engine.address().rfind(':'));
  struct Case {
    absl::StatusOr<std::vector<std::string>> found;
    const char* error;  // "" = reached
  };
  const Case cases[] = {
      {std::vector<std::string>{"127.0.0.1"}, ""},
      // Nothing listens at the first one.
      {std::vector<std::string>{"127.0.0.2", "127.0.0.1"}, ""},
      {std::vector<std::string>{"no address"}, "its name has no address"},
      {NotFound("the name engine.test has no address"), "the name engine.test has no address"},
  };
  for (const Case& test : cases) {
    std::string asked;
    auto client = *MakeSocketBackend(
        address, nullptr, [&](std::string host, ResultCallback<std::vector<std::string>> done) {
          asked = host;
          std::thread([&test, done = std::move(done)]() mutable { done(test.found); }).join();
        });
    const auto reply = CallOn(loop, *client, "/here");
    EXPECT_EQ(asked, "engine.test");
    EXPECT_EQ(reply.ok(), std::string_view(test.error).empty()) << reply.status();
    EXPECT_NE(MessageOf(reply.status()).find(test.error), std::string_view::npos) << reply.status();
  }
}

TEST(RefusingBackendTest, EveryCallEndsWithTheReason) {
  LoopThread loop;
  const auto client = MakeRefusingBackend(Unavailable("nobody is there"));
  for (const auto how : {&BackendClient::Call, &BackendClient::Open, &BackendClient::Upgrade}) {
    std::promise<absl::Status> ended;
    loop.On([&] {
      ((*client).*how)(Request(), CallOptions(),
                       [&](absl::StatusOr<Reply> reply) { ended.set_value(reply.status()); });
    });
    EXPECT_EQ(ended.get_future().get(), Unavailable("nobody is there"));
  }
}

}  // namespace
}  // namespace swarm
