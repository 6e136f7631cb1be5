#include <gtest/gtest.h>

#include <fstream>

#include "net/server.h"
#include "net_test_tools.h"
#include "script_stream.h"
#include "support/sanitized.h"
#include "swarmlib/status.h"

namespace swarm::net {
namespace {

// A server whose every answer is the stream that the test feeds.
class StreamServer {
 public:
  explicit StreamServer(std::optional<std::uint64_t> length = std::nullopt)
      : server_([this, length](Request request, ResultCallback<Reply> done) {
          stop_ = request.stop;
          Reply reply;
          reply.body_length = length;
          reply.body_stream = std::make_unique<ScriptStream>(script_);
          done(std::move(reply));
        }),
        script_(std::make_shared<Script>(server_.loop())) {}

  RawSocket Ask(std::string_view version = "1.1") {
    RawSocket client = server_.Connect();
    client.Send("GET / HTTP/" + std::string(version) + "\r\nHost: x\r\n\r\n");
    return client;
  }
  void On(const std::function<void(Script&)>& work) {
    server_.thread().On([&] { work(*script_); });
  }
  bool destroyed() {
    return server_.thread().On([&] { return script_->destroyed; });
  }
  bool stopped() {
    return server_.thread().On([&] { return stop_.stop_requested(); });
  }
  ServerThread& server() { return server_; }

 private:
  std::stop_token stop_;
  ServerThread server_;
  std::shared_ptr<Script> script_;
};

TEST(ServerStreamTest, SendsTheHeadBeforeAnyByteOfTheBody) {
  StreamServer server;
  RawSocket client = server.Ask();
  const std::string head = client.ReceiveUntil("\r\n\r\n");
  EXPECT_EQ(StatusOf(head), 200);
  EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  for (int i = 0; i < 3; ++i) {
    server.On([](Script& script) { script.Feed("event"); });
    EXPECT_EQ(client.ReceiveUntil("event\r\n"), "5\r\nevent\r\n");
  }
  server.On([](Script& script) { script.End(); });
  EXPECT_EQ(client.ReceiveUntil("0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_TRUE(WaitUntil([&] { return server.server().active() == 0; }));
  EXPECT_EQ(server.server().connections(), 1U);
}

// Some clients offer an upgrade with every request; the end of their side still means that they
// went.
TEST(ServerStreamTest, NoticesAClientThatWentThoughItOfferedAnUpgrade) {
  for (const bool after_head : {false, true}) {
    SCOPED_TRACE(after_head);
    StreamServer server;
    RawSocket client = server.server().Connect();
    client.Send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    if (after_head) client.ReceiveUntil("\r\n\r\n");
    client.CloseWrite();
    EXPECT_TRUE(
        WaitUntil([&] { return server.destroyed() && server.server().connections() == 0; }));
  }
}

TEST(ServerStreamTest, KeepsToAKnownLength) {
  StreamServer server(6);
  RawSocket client = server.Ask();
  const std::string head = client.ReceiveUntil("\r\n\r\n");
  EXPECT_NE(head.find("Content-Length: 6\r\n"), std::string::npos);
  server.On([](Script& script) { script.Feed("abc"); });
  EXPECT_EQ(client.ReceiveExactly(3), "abc");
  server.On([](Script& script) { script.Feed("def"); });
  EXPECT_EQ(client.ReceiveExactly(3), "def");
  EXPECT_TRUE(WaitUntil([&] { return server.destroyed(); }));
}

TEST(ServerStreamTest, ClosesToMarkTheEndForHttp10) {
  StreamServer server;
  RawSocket client = server.Ask("1.0");
  const std::string head = client.ReceiveUntil("\r\n\r\n");
  EXPECT_EQ(head.find("chunked"), std::string::npos);
  server.On([](Script& script) {
    script.Feed("abc");
    script.End();
  });
  EXPECT_EQ(client.ReceiveAll(), "abc");
}

TEST(ServerStreamTest, ShowsABrokenBodyAsBroken) {
  for (const bool short_of_length : {false, true}) {
    StreamServer server(short_of_length ? std::optional<std::uint64_t>(10) : std::nullopt);
    RawSocket client = server.Ask();
    client.ReceiveUntil("\r\n\r\n");
    server.On([&](Script& script) {
      script.Feed("abc");
      if (short_of_length) {
        script.End();
      } else {
        script.Break(HttpError(502, "the engine is gone"));
      }
    });
    const std::string rest = client.ReceiveAll();
    EXPECT_EQ(rest.find("0\r\n\r\n"), std::string::npos) << rest;
    EXPECT_TRUE(WaitUntil([&] { return server.server().connections() == 0; }));
  }
}

TEST(ServerStreamTest, EndsAStreamWhoseClientIsGone) {
  for (const bool reset : {false, true}) {
    StreamServer server;
    RawSocket client = server.Ask();
    client.ReceiveUntil("\r\n\r\n");
    if (reset) {
      client.Reset();
    } else {
      client.Close();
    }
    EXPECT_TRUE(WaitUntil([&] { return server.destroyed(); }));
    EXPECT_TRUE(server.stopped());
    EXPECT_EQ(server.server().active(), 0U);
  }
}

TEST(ServerStreamTest, KeepsPipelinedBytesWhileAStreamRuns) {
  StreamServer server(3);
  RawSocket client = server.Ask();
  client.ReceiveUntil("\r\n\r\n");
  client.Send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  server.On([](Script& script) { script.Feed("abc"); });
  EXPECT_EQ(client.ReceiveExactly(3), "abc");
  EXPECT_EQ(StatusOf(client.ReceiveUntil("\r\n\r\n")), 200);
  server.On([](Script& script) { script.Feed("def"); });
  EXPECT_EQ(client.ReceiveExactly(3), "def");
}

// The tunnel's far end is a real socket that the test holds.
class TunnelServer {
 public:
  explicit TunnelServer(int status, std::string head = {}, bool native = true)
      : server_(
            [this, status, head, native](Request request, ResultCallback<Reply> done) {
              Reply reply;
              reply.status = status;
              reply.headers = {{"Content-Type", "application/vnd.docker.raw-stream"}};
              if (const std::string* protocol = FindHeader(request.headers, "Upgrade")) {
                reply.headers.emplace_back("Upgrade", *protocol);
              }
              reply.tunnel_head = head;
              reply.tunnel = MakeEnd(native);
              done(std::move(reply));
            },
            Options()) {}

  RawSocket Ask(bool upgrade = true, std::string_view behind = {}) {
    RawSocket client = server_.Connect();
    client.Send("POST /attach HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n" +
                std::string(upgrade ? "Connection: Upgrade\r\nUpgrade: tcp\r\n" : "") + "\r\n" +
                std::string(behind));
    return client;
  }
  RawSocket& far() { return far_; }
  ServerThread& server() { return server_; }

 private:
  static ServerOptions Options() {
    ServerOptions options;
    options.lives_for_client = [](std::string_view, std::string_view) { return false; };
    return options;
  }

  // Hides the socket, so that bytes are copied.
  class Plain final : public Stream {
   public:
    explicit Plain(std::unique_ptr<Stream> inner) : inner_(std::move(inner)) {}
    void Read(std::span<char> into, ResultCallback<std::size_t> done) override {
      inner_->Read(into, std::move(done));
    }
    void Write(std::string_view bytes, Callback<absl::Status> done) override {
      inner_->Write(bytes, std::move(done));
    }
    void CloseWrite() override { inner_->CloseWrite(); }
    void Abort() override { inner_->Abort(); }

   private:
    const std::unique_ptr<Stream> inner_;
  };

  std::unique_ptr<Stream> MakeEnd(bool native) {
    RawListener listener;
    far_ = RawSocket::Connect(listener.address());
    RawSocket near = listener.Accept();
    auto stream = std::make_unique<SocketStream>(server_.loop(), Descriptor(dup(near.get())),
                                                 Peer{"far", ""});
    if (native) return stream;
    return std::make_unique<Plain>(std::move(stream));
  }

  RawSocket far_;
  ServerThread server_;
};

TEST(TunnelTest, CarriesBytesAndEndsBothWays) {
  for (const bool native : {false, true}) {
    for (const bool client_first : {false, true}) {
      for (const bool upgrade : {false, true}) {
        SCOPED_TRACE(testing::Message() << "native " << native << " client first " << client_first
                                        << " upgrade " << upgrade);
        TunnelServer server(upgrade ? 101 : 200, "early ", native);
        RawSocket client = server.Ask(upgrade, "hasty ");
        const std::string head = client.ReceiveUntil("\r\n\r\n");
        if (upgrade) {
          EXPECT_TRUE(head.starts_with("HTTP/1.1 101 UPGRADED\r\n")) << head;
          EXPECT_NE(head.find("Connection: Upgrade\r\nUpgrade: tcp\r\n"), std::string::npos)
              << head;
        } else {
          EXPECT_EQ(StatusOf(head), 200);
        }
        EXPECT_EQ(head.find("Content-Length"), std::string::npos) << head;
        EXPECT_EQ(head.find("Transfer-Encoding"), std::string::npos) << head;
        EXPECT_NE(head.find("application/vnd.docker.raw-stream"), std::string::npos);
        RawSocket& far = server.far();
        EXPECT_EQ(client.ReceiveExactly(6), "early ");
        EXPECT_EQ(far.ReceiveExactly(6), "hasty ");
        RawSocket& first = client_first ? client : far;
        RawSocket& second = client_first ? far : client;
        first.Send("one");
        first.CloseWrite();
        EXPECT_EQ(second.ReceiveAll(), "one");
        // The other direction is still open.
        for (int i = 0; i < 3; ++i) {
          second.Send("two");
          EXPECT_EQ(first.ReceiveExactly(3), "two");
        }
        EXPECT_EQ(server.server().active(), 1U);
        second.CloseWrite();
        EXPECT_EQ(first.ReceiveAll(), "");
        EXPECT_TRUE(WaitUntil(
            [&] { return server.server().active() == 0 && server.server().connections() == 0; }));
      }
    }
  }
}

TEST(TunnelTest, RelaysAnEndThatCameWithTheRequest) {
  for (const bool native : {false, true}) {
    for (const bool upgrade : {false, true}) {
      TunnelServer server(upgrade ? 101 : 200, "", native);
      RawSocket client = server.Ask(upgrade, "all");
      client.CloseWrite();
      client.ReceiveUntil("\r\n\r\n");
      EXPECT_EQ(server.far().ReceiveAll(), "all");
      server.far().Send("answer");
      server.far().Close();
      EXPECT_EQ(client.ReceiveAll(), "answer");
    }
  }
}

TEST(TunnelTest, EndsWhenOneSideBreaks) {
  for (const bool native : {false, true}) {
    for (const bool client_breaks : {false, true}) {
      TunnelServer server(101, "", native);
      RawSocket client = server.Ask();
      client.ReceiveUntil("\r\n\r\n");
      client.Send("x");
      EXPECT_EQ(server.far().ReceiveExactly(1), "x");
      if (client_breaks) {
        client.Reset();
        EXPECT_EQ(server.far().ReceiveAll(), "");
      } else {
        server.far().Reset();
        EXPECT_EQ(client.ReceiveAll(), "");
      }
      EXPECT_TRUE(WaitUntil([&] { return server.server().connections() == 0; }));
    }
  }
}

// A client that closes altogether after its own end: nobody reads from it, yet it must be noticed.
TEST(TunnelTest, NoticesAClientThatGoesAfterItsEnd) {
  TunnelServer server(101);
  RawSocket client = server.Ask();
  client.ReceiveUntil("\r\n\r\n");
  client.CloseWrite();
  EXPECT_EQ(server.far().ReceiveAll(), "");
  client.Reset();
  EXPECT_TRUE(WaitUntil([&] { return server.server().connections() == 0; }));
}

long ResidentKilobytes() {
  std::ifstream status("/proc/self/statm");
  long pages = 0;
  long resident = 0;
  status >> pages >> resident;
  return resident * 4;
}

TEST(TunnelTest, MovesMuchInLittleMemory) {
  constexpr std::size_t kTotal = kSanitized ? 8U << 20U : 64U << 20U;
  for (const bool native : {false, true}) {
    TunnelServer server(101, "", native);
    RawSocket client = server.Ask();
    client.ReceiveUntil("\r\n\r\n");
    const long before = ResidentKilobytes();
    std::thread sender([&] {
      const std::string block(1U << 20U, 'z');
      for (std::size_t sent = 0; sent < kTotal; sent += block.size()) server.far().Send(block);
      server.far().CloseWrite();
    });
    std::size_t received = 0;
    for (;;) {
      const std::string some = client.ReceiveSome();
      if (some.empty() || some.front() == '<') break;
      received += some.size();
    }
    sender.join();
    EXPECT_EQ(received, kTotal);
    // Sanitizers keep freed memory for a while.
    if (!kSanitized) {
      EXPECT_LT(ResidentKilobytes() - before, 16 * 1024);
    }
  }
}

}  // namespace
}  // namespace swarm::net
