#include "net/client.h"

#include <gtest/gtest.h>

#include "client_test_tools.h"

namespace swarm::net {
namespace {

TEST(ClientPoolTest, RetriesAReadOnAKeptConnectionThatDied) {
  for (const std::string_view method : {"GET", "POST"}) {
    RawListener engine;
    ClientThread client(engine.address());
    auto first = client.Start(&Client::Call, Get("/"));
    RawSocket kept = engine.Accept();
    kept.ReceiveUntil("\r\n\r\n");
    kept.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    ASSERT_TRUE(first.get().ok());
    // The engine closes only once it sees the next request, as if both had crossed.
    Request request = Get("/second");
    request.method = method;
    auto second = client.Start(&Client::Call, std::move(request));
    kept.ReceiveUntil("\r\n\r\n");
    kept.Close();
    if (method == "GET") {
      RawSocket fresh = engine.Accept();
      fresh.ReceiveUntil("\r\n\r\n");
      fresh.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      const auto reply = second.get();
      ASSERT_TRUE(reply.ok()) << reply.status();
      EXPECT_EQ(reply->body, "ok");
    } else {
      const auto reply = second.get();
      ASSERT_FALSE(reply.ok());
      EXPECT_NE(reply.status().code(), absl::StatusCode::kUnavailable);
      EXPECT_FALSE(engine.HasNewConnection(std::chrono::milliseconds(50)));
    }
  }
}

TEST(ClientPoolTest, NeverUsesAPoisonedConnection) {
  for (const bool speaks : {false, true}) {
    RawListener engine;
    ClientThread client(engine.address());
    auto first = client.Start(&Client::Call, Get("/"));
    RawSocket kept = engine.Accept();
    kept.ReceiveUntil("\r\n\r\n");
    kept.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    ASSERT_TRUE(first.get().ok());
    if (speaks) {
      kept.Send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    } else {
      kept.CloseWrite();
    }
    EXPECT_EQ(kept.ReceiveAll(), "");  // the client has closed it
    auto second = client.Start(&Client::Call, Get("/second"));
    RawSocket fresh = engine.Accept();
    fresh.ReceiveUntil("\r\n\r\n");
    fresh.Send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
    const auto reply = second.get();
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->body, "good");
  }
}

// On a clock that the test moves: no waiting.
class ManualClient {
 public:
  explicit ManualClient(std::string_view address)
      : loop_(clock_, nullptr), client_(std::make_shared<Client>(loop_, EndpointOf(address))) {}

  // Steps time until the answer is there, but not before `reached`; how long that took.
  template <typename Reached>
  Duration Run(How how, CallOptions options, Reached reached) {
    const TimePoint start = clock_.Now();
    ((*client_).*how)(Get("/"), std::move(options),
                      [this](absl::StatusOr<Reply> got) { status_ = got.status(); });
    EXPECT_TRUE(WaitUntil([&] {
      loop_.RunReady();
      return reached();
    }));
    Settle();
    for (int i = 0; i < 20 && !status_; ++i) {
      if (!loop_.StepTime(clock_)) break;
      Settle();
    }
    return clock_.Now() - start;
  }
  void Settle() {
    while (loop_.RunReady() > 0) {
    }
  }
  absl::Status status() const { return status_.value_or(absl::OkStatus()); }
  Client& client() { return *client_; }
  Loop& loop() { return loop_; }
  ManualClock& clock() { return clock_; }

 private:
  ManualClock clock_;
  Loop loop_;
  std::shared_ptr<Client> client_;
  std::optional<absl::Status> status_;
};

TEST(ClientPoolTest, BoundsEachWait) {
  for (const How how : {&Client::Call, &Client::Open, &Client::Upgrade}) {
    RawListener engine;  // accepts in the kernel and never answers
    ManualClient client(engine.address());
    CallOptions options;
    options.timeout = std::chrono::seconds(7);
    EXPECT_EQ(client.Run(how, options,
                         [&] { return engine.HasNewConnection(std::chrono::milliseconds(0)); }),
              std::chrono::seconds(7));
    EXPECT_EQ(client.status().code(), absl::StatusCode::kDeadlineExceeded) << client.status();
    EXPECT_NE(MessageOf(client.status()).find("7000 ms"), std::string_view::npos);
  }
}

// A listener whose queue is full answers nobody.
TEST(ClientPoolTest, BoundsTheConnect) {
  RawListener engine;
  EXPECT_EQ(listen(engine.get(), 0), 0);
  std::vector<RawSocket> fillers;
  for (int i = 0; i < 4; ++i) {
    RawSocket filler(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in name{};
    socklen_t size = sizeof name;
    getsockname(engine.get(), reinterpret_cast<sockaddr*>(&name), &size);
    (void)connect(filler.get(), reinterpret_cast<sockaddr*>(&name), sizeof name);
    fillers.push_back(std::move(filler));
  }
  ManualClient client(engine.address());
  EXPECT_EQ(client.Run(&Client::Call, {}, [] { return true; }), kConnectDeadline);
  EXPECT_EQ(client.status().code(), absl::StatusCode::kUnavailable) << client.status();
}

TEST(ClientPoolTest, BoundsThePool) {
  RawListener engine;
  ClientThread client(engine.address());
  std::vector<std::future<absl::StatusOr<Reply>>> answers;
  std::vector<RawSocket> connections;
  for (std::size_t i = 0; i < kMaxPooled + 10; ++i)
    answers.push_back(client.Start(&Client::Call, Get("/")));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    connections.push_back(engine.Accept());
    connections.back().ReceiveUntil("\r\n\r\n");
  }
  for (RawSocket& connection : connections)
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  for (auto& answer : answers) EXPECT_TRUE(answer.get().ok());
  EXPECT_EQ(client.idle(), kMaxPooled);
}

TEST(ClientPoolTest, ClosesConnectionsThatStayIdle) {
  std::thread answering;
  RawListener engine;
  answering = std::thread([&] {
    RawSocket connection = engine.Accept();
    connection.ReceiveUntil("\r\n\r\n");
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(connection.ReceiveAll(), "");
  });
  ManualClient client(engine.address());
  bool answered = false;
  client.client().Call(Get("/"), {}, [&](absl::StatusOr<Reply> got) { answered = got.ok(); });
  ASSERT_TRUE(WaitUntil([&] {
    client.loop().RunReady();
    return answered;
  }));
  EXPECT_EQ(client.client().idle(), 1U);
  const TimePoint start = client.clock().Now();
  while (client.client().idle() == 1 && client.loop().StepTime(client.clock()))
    client.loop().RunReady();
  EXPECT_EQ(client.clock().Now() - start, kPoolIdleDeadline);
  client.loop().RunReady();
  answering.join();
}

}  // namespace
}  // namespace swarm::net
