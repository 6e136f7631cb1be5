#include "net/relay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "net/bounds.h"
#include "net_test_tools.h"
#include "swarmlib/status.h"

namespace swarm::net {
namespace {

class NodeEdit final : public BodyEdit {
 public:
  bool Append(std::string_view body, std::string* edited) override {
    if (body.empty() || body.front() != '{') return false;
    edited->append("{\"Node\":1,").append(body.substr(1));
    return true;
  }
};

// A server that forwards "/relay..." to an engine that the test plays, and answers the rest
// "handled".
class RelayServer {
 public:
  explicit RelayServer(bool edit = false)
      : server_(
            [](Request request, ResultCallback<Reply> done) {
              Reply reply;
              reply.body = "handled " + request.target;
              done(std::move(reply));
            },
            Options(edit)) {
    auto endpoint = std::make_shared<Endpoint>();
    endpoint->address = *ParseAddress(engine_.address());
    server_.thread().On([&] { upstream_ = std::make_shared<Client>(server_.loop(), endpoint); });
  }
  ~RelayServer() {
    server_.thread().On([&] { upstream_.reset(); });
  }

  // Leaves one kept connection in the pool and returns the engine's end of it.
  RawSocket Warm() {
    std::promise<bool> answered;
    server_.thread().On([&] {
      Request request;
      request.method = "GET";
      request.target = "/_ping";
      upstream_->Call(std::move(request), {},
                      [&](absl::StatusOr<Reply> got) { answered.set_value(got.ok()); });
    });
    RawSocket connection = engine_.Accept();
    connection.ReceiveUntil("\r\n\r\n");
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(answered.get_future().get());
    return connection;
  }
  std::size_t idle() {
    return server_.thread().On([&] { return upstream_->idle(); });
  }
  ServerThread& server() { return server_; }
  RawListener& engine() { return engine_; }

 private:
  ServerOptions Options(bool edit) {
    ServerOptions options;
    options.forward = [this, edit](const RequestHead& head, Forward* forward) {
      if (head.target.substr(0, 6) != "/relay") return false;
      forward->upstream = upstream_;
      forward->target = "/v1.41";
      forward->target += head.target;
      forward->common_fields.Clear();
      forward->common_fields.Add("Server", "swarmd");
      if (edit) {
        forward->edit = std::make_shared<NodeEdit>();
      }
      return true;
    };
    return options;
  }

  RawListener engine_;
  std::shared_ptr<Client> upstream_;
  ServerThread server_;
};

constexpr std::string_view kAsk =
    "GET /relay HTTP/1.1\r\nHost: x\r\nUser-Agent: t\r\nX-Registry-Auth: secret\r\n\r\n";

std::string ReceiveChunked(RawSocket& client) {
  const std::string head = client.ReceiveUntil("\r\n\r\n");
  return head + client.ReceiveUntil("0\r\n\r\n");
}

TEST(RelayTest, PassesAnswersOnKeptConnections) {
  struct Case {
    std::string_view name, answer, body;
    bool chunked, kept;
  };
  const Case cases[] = {
      {"length", "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello", "hello", false,
       true},
      {"nothing", "HTTP/1.1 204 No Content\r\n\r\n", "", false, true},
      {"missing", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", "no", false, true},
      {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
       "5\r\nhello\r\n0\r\n\r\n", true, true},
      {"close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", "hello",
       false, false},
      {"leftover", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200", "hello", false,
       false},
      {"interim",
       "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello",
       false, true},
  };
  for (const Case& test : cases) {
    for (const bool slow : {false, true}) {
      if (slow && (test.chunked || test.name == "leftover"))
        continue;  // chunks are cut as they come
      SCOPED_TRACE(testing::Message() << test.name << " slow " << slow);
      RelayServer relay;
      RawSocket engine = relay.Warm();
      RawSocket client = relay.server().Connect();
      client.Send(kAsk);
      EXPECT_EQ(engine.ReceiveUntil("\r\n\r\n"),
                "GET /v1.41/relay HTTP/1.1\r\nHost: " + relay.engine().address().substr(6) +
                    "\r\nUser-Agent: t\r\n\r\n");
      const std::string answer = std::string(test.answer);
      if (slow) {
        for (const char byte : answer) engine.Send({&byte, 1});
      } else {
        engine.Send(answer);
      }
      const std::string got = test.chunked        ? ReceiveChunked(client)
                              : test.body.empty() ? client.ReceiveUntil("\r\n\r\n")
                                                  : ReceiveAnswer(client);
      EXPECT_TRUE(got.ends_with("\r\n\r\n" + std::string(test.body))) << got;
      EXPECT_NE(got.find("Server: swarmd\r\n"), std::string::npos) << got;
      EXPECT_NE(got.find("Date: "), std::string::npos) << got;
      EXPECT_TRUE(WaitUntil([&] { return relay.server().active() == 0; }));
      EXPECT_EQ(relay.idle(), test.kept ? 1U : 0U);
      EXPECT_EQ(relay.server().connections(), 1U);
      client.Send("GET /other HTTP/1.1\r\nHost: x\r\n\r\n");
      EXPECT_TRUE(ReceiveAnswer(client).ends_with("handled /other"));
    }
  }
}

TEST(RelayTest, DropsWhatTheEngineSaysOfItself) {
  RelayServer relay;
  RawSocket engine = relay.Warm();
  RawSocket client = relay.server().Connect();
  client.Send(kAsk);
  engine.ReceiveUntil("\r\n\r\n");
  engine.Send(
      "HTTP/1.1 200 OK\r\nServer: Docker/1\r\nApi-Version: 9\r\nOstype: "
      "plan9\r\nDocker-Experimental: true\r\n"
      "Date: yesterday\r\nKeep-Alive: 5\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Type: "
      "application/json\r\n"
      "Content-Length: 2\r\n\r\n{}");
  const std::string answer = ReceiveAnswer(client);
  EXPECT_NE(answer.find("Content-Type: application/json\r\n"), std::string::npos);
  for (const std::string_view absent :
       {"Docker", "Api-Version", "plan9", "yesterday", "Keep-Alive", "X-Hop"}) {
    EXPECT_EQ(answer.find(absent), std::string::npos) << answer;
  }
}

TEST(RelayTest, EditsWholeBodies) {
  struct Case {
    std::string_view answer, expected;
    int status;
  };
  const Case cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"Id\":\"a\"", "{\"Node\":1,\"Id\":\"a\"",
       200},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
       "chunked\r\n\r\n4\r\n{\"Id\r\n5\r\n\":\"a\"\r\n0\r\n\r\n",
       "{\"Node\":1,\"Id\":\"a\"", 200},
      {"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", "no", 404},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", "cannot be read", 502},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.answer);
    RelayServer relay(true);
    RawSocket engine = relay.Warm();
    RawSocket client = relay.server().Connect();
    client.Send(kAsk);
    engine.ReceiveUntil("\r\n\r\n");
    engine.Send(test.answer);
    const std::string answer = ReceiveAnswer(client);
    EXPECT_EQ(StatusOf(answer), test.status);
    EXPECT_NE(answer.find(test.expected), std::string::npos) << answer;
  }
}

TEST(RelayTest, LeavesToTheHandlerWhatItCannotDo) {
  struct Case {
    std::string_view request, answer;
  };
  const Case cases[] = {
      {"GET /relay HTTP/1.1\r\nHost: x\r\n\r\n", "handled /relay"},  // nothing is kept
      {"POST /relay HTTP/1.1\r\nHost: x\r\n\r\n", "handled /relay"},
      {"GET /relay HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na", "handled /relay"},
      {"GET /relay HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
       "handled /relay"},
      {"GET /relay HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "handled /relay"},
  };
  RelayServer relay;
  bool warm = false;
  RawSocket engine;
  RawSocket client = relay.server().Connect();
  for (const Case& test : cases) {
    SCOPED_TRACE(test.request);
    client.Send(test.request);
    EXPECT_TRUE(ReceiveAnswer(client).ends_with(test.answer));
    if (!std::exchange(warm, true)) engine = relay.Warm();
  }
}

TEST(RelayTest, FallsBackWhenTheKeptConnectionDied) {
  RelayServer relay;
  RawSocket engine = relay.Warm();
  RawSocket client = relay.server().Connect();
  client.Send(std::string(kAsk) + "GET /behind HTTP/1.1\r\nHost: x\r\n\r\n");
  engine.ReceiveUntil("\r\n\r\n");
  engine.Close();
  EXPECT_TRUE(ReceiveAnswer(client).ends_with("handled /relay"));
  EXPECT_TRUE(ReceiveAnswer(client).ends_with("handled /behind"));
}

TEST(RelayTest, RefusesMalformedAnswersAndBreaksHalfOnes) {
  struct Case {
    std::string_view answer;
    int status;  // -1: the client's connection breaks within the body
  };
  const Case cases[] = {
      {"hello, this is ssh\r\n", 502},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 502},
      {"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n", 502},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", -1},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", -1},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.answer);
    RelayServer relay;
    RawSocket engine = relay.Warm();
    RawSocket client = relay.server().Connect();
    client.Send(kAsk);
    engine.ReceiveUntil("\r\n\r\n");
    engine.Send(test.answer);
    engine.Close();
    if (test.status > 0) {
      EXPECT_EQ(StatusOf(ReceiveAnswer(client)), test.status);
      client.Send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
      EXPECT_TRUE(ReceiveAnswer(client).ends_with("handled /next"));
    } else {
      const std::string all = client.ReceiveAll();
      EXPECT_EQ(all.find("\r\n0\r\n\r\n"), std::string::npos) << all;
      EXPECT_TRUE(WaitUntil([&] { return relay.server().connections() == 0; }));
    }
    EXPECT_EQ(relay.idle(), 0U);
  }
}

TEST(RelayTest, PassesLargeAnswersUnderBackPressure) {
  for (const bool chunked : {false, true}) {
    RelayServer relay;
    RawSocket engine = relay.Warm();
    RawSocket client = relay.server().Connect();
    client.Send(kAsk);
    engine.ReceiveUntil("\r\n\r\n");
    const std::string block(1U << 20U, 'z');
    constexpr int kBlocks = 8;
    std::thread sender([&] {
      engine.Send("HTTP/1.1 200 OK\r\n" +
                  (chunked ? std::string("Transfer-Encoding: chunked")
                           : "Content-Length: " + std::to_string(kBlocks * block.size())) +
                  "\r\n\r\n");
      for (int i = 0; i < kBlocks; ++i)
        engine.Send(chunked ? "100000\r\n" + block + "\r\n" : block);
      if (chunked) engine.Send("0\r\n\r\n");
    });
    client.ReceiveUntil("\r\n\r\n");
    std::size_t letters = 0;
    while (letters < kBlocks * block.size()) {
      const std::string some = client.ReceiveSome();
      if (some.empty() || some.front() == '<') {
        ADD_FAILURE() << "ended after " << letters;
        break;
      }
      letters += static_cast<std::size_t>(std::count(some.begin(), some.end(), 'z'));
    }
    client.Close();
    sender.join();
    EXPECT_EQ(letters, kBlocks * block.size());
  }
}

TEST(RelayTest, AnswersPipelinedRequestsInOrder) {
  RelayServer relay;
  RawSocket engine = relay.Warm();
  std::thread answering([&] {
    for (int i = 0; i < 50; ++i) {
      const std::string head = engine.ReceiveUntil("\r\n\r\n");
      const std::string target = head.substr(4, head.find(" HTTP") - 4);
      engine.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(target.size()) +
                  "\r\n\r\n" + target);
    }
  });
  RawSocket client = relay.server().Connect();
  std::string all;
  for (int i = 0; i < 50; ++i)
    all += "GET /relay/" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  client.Send(all);
  for (int i = 0; i < 50; ++i)
    EXPECT_TRUE(ReceiveAnswer(client).ends_with("/v1.41/relay/" + std::to_string(i)));
  answering.join();
}

TEST(RelayTest, LetsTheEngineGoWhenTheClientBreaksOff) {
  RelayServer relay;
  RawSocket engine = relay.Warm();
  RawSocket client = relay.server().Connect();
  client.Send(kAsk);
  engine.ReceiveUntil("\r\n\r\n");
  engine.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
  client.ReceiveUntil("1\r\na\r\n");
  client.Reset();
  EXPECT_NE(engine.ReceiveAll(), "<timeout>");
  EXPECT_TRUE(
      WaitUntil([&] { return relay.server().connections() == 0 && relay.server().active() == 0; }));
}

// A client that closes looks like one that only ends its side, until more is written to it.
TEST(RelayTest, LetsTheEngineGoWhenAClosedClientRefusesMore) {
  RelayServer relay;
  RawSocket engine = relay.Warm();
  RawSocket client = relay.server().Connect();
  client.Send(kAsk);
  engine.ReceiveUntil("\r\n\r\n");
  engine.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
  client.ReceiveUntil("1\r\na\r\n");
  client.Close();
  EXPECT_TRUE(WaitUntil([&] {
    engine.Send("1\r\nb\r\n");
    return relay.server().connections() == 0 && relay.server().active() == 0;
  }));
}

TEST(RelayTest, AnswersAClientThatEndedItsSide) {
  for (const bool after_head : {false, true}) {
    for (const bool falls_back : {false, true}) {
      if (after_head && falls_back) continue;  // with bytes at the client it cannot
      SCOPED_TRACE(testing::Message() << "after head " << after_head << " back " << falls_back);
      RelayServer relay;
      RawSocket engine = relay.Warm();
      RawSocket client = relay.server().Connect();
      client.Send(kAsk);
      if (!after_head) client.CloseWrite();
      engine.ReceiveUntil("\r\n\r\n");
      if (falls_back) {
        engine.Close();
        EXPECT_TRUE(client.ReceiveAll().ends_with("handled /relay"));
      } else {
        engine.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
        EXPECT_TRUE(client.ReceiveUntil("1\r\na\r\n").starts_with("HTTP/1.1 200"));
        if (after_head) client.CloseWrite();
        engine.Send("1\r\nb\r\n0\r\n\r\n");
        EXPECT_EQ(client.ReceiveAll(), "1\r\nb\r\n0\r\n\r\n");
      }
      EXPECT_TRUE(WaitUntil(
          [&] { return relay.server().connections() == 0 && relay.server().active() == 0; }));
    }
  }
}

// What the engine sends before it falls silent, and what the client gets in the end.
struct SilentCase {
  const char* name;
  std::string_view answer;
  Duration bound;
  int status;  // 203: of the handler, which answers instead; -1: the connection broke
  int told;    // to ServerOptions::forwarded; 0: nothing
};

class RelaySilenceTest : public testing::TestWithParam<SilentCase> {};

TEST_P(RelaySilenceTest, IsBounded) {
  const SilentCase& test = GetParam();
  ManualClock clock;
  Loop loop(clock, nullptr);
  RawListener engine;
  auto endpoint = std::make_shared<Endpoint>();
  endpoint->address = *ParseAddress(engine.address());
  auto upstream = std::make_shared<Client>(loop, endpoint);
  std::thread answering([&] {
    RawSocket connection = engine.Accept();
    connection.ReceiveUntil("\r\n\r\n");
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    connection.ReceiveUntil("\r\n\r\n");
    connection.Send(test.answer);
    connection.ReceiveAll();  // and never the rest of the answer
  });
  Request ping;
  ping.method = "GET";
  ping.target = "/_ping";
  upstream->Call(std::move(ping), {}, [](absl::StatusOr<Reply>) {});
  ASSERT_TRUE(WaitUntil([&] {
    loop.RunReady();
    return upstream->idle() == 1;
  }));
  ServerOptions options;
  std::string told;
  options.forward = [&](const RequestHead& head, Forward* forward) {
    forward->upstream = upstream;
    forward->target = head.target;
    forward->route = "/some/{name}";
    return true;
  };
  options.forwarded = [&](std::string_view route, int status, Duration) {
    told = std::string(route) + " " + std::to_string(status);
  };
  Server server(loop, std::move(options), [](Request, ResultCallback<Reply> done) {
    Reply reply;
    reply.status = 203;
    done(std::move(reply));
  });
  ASSERT_TRUE(server.Listen("tcp://127.0.0.1:0").ok());
  RawSocket client = RawSocket::Connect(server.addresses().front());
  client.Send(kAsk);
  const bool begins = test.status < 0;
  std::string begun;
  ASSERT_TRUE(WaitUntil([&] {
    loop.RunReady();
    if (begins) begun += client.ReceiveSome(std::chrono::milliseconds(1));
    return server.active() == 1 && (!begins || begun.find("part") != std::string::npos);
  }));
  const TimePoint start = clock.Now();
  while (server.active() == 1 && loop.StepTime(clock)) {
    for (int i = 0; i < 10; ++i) loop.RunReady();
  }
  EXPECT_EQ(clock.Now() - start, test.bound);
  EXPECT_EQ(told, test.told == 0 ? "" : "/some/{name} " + std::to_string(test.told));
  const std::string rest = begins ? client.ReceiveAll() : ReceiveAnswer(client);
  if (begins) {
    EXPECT_EQ(rest, "") << "the connection breaks";
  } else {
    EXPECT_EQ(StatusOf(rest), test.status);
  }
  upstream.reset();
  answering.join();
}

INSTANTIATE_TEST_SUITE_P(
    All, RelaySilenceTest,
    testing::Values(SilentCase{"BeforeTheHead", "", kRelayDeadline, 203, 0},
                    SilentCase{"InTheHead", "HTTP/1.1 200 OK\r\nContent-Le", kRelayDeadline, 203,
                               0},
                    SilentCase{"BehindTheHead", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart",
                               kRelayPause, -1, 200},
                    SilentCase{"BetweenChunks",
                               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
                               kRelayPause, -1, 200}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(RelayTest, BoundsInterimAnswers) {
  RelayServer relay;
  RawSocket engine = relay.Warm();
  RawSocket client = relay.server().Connect();
  client.Send(kAsk);
  engine.ReceiveUntil("\r\n\r\n");
  for (std::size_t i = 0; i <= kMaxInterimHeads; ++i)
    engine.Send("HTTP/1.1 102 Processing\r\n\r\n");
  EXPECT_EQ(StatusOf(ReceiveAnswer(client)), 502);
}

}  // namespace
}  // namespace swarm::net
