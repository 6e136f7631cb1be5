#include "net/server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <atomic>
#include <fstream>

#include "async/await.h"
#include "net/bounds.h"
#include "net_test_tools.h"
#include "swarmlib/status.h"

namespace swarm::net {
namespace {

// The target, and the request's body behind a bar.
Task<void> Echo(Request request, ResultCallback<Reply> done) {
  Reply reply;
  reply.headers.emplace_back("X-Method", request.method);
  reply.body = request.target;
  if (request.body_stream) {
    const absl::StatusOr<std::string> body = co_await ReadAll(*request.body_stream, 1U << 20U);
    if (!body.ok()) {
      done(body.status());
      co_return;
    }
    reply.body += "|" + *body;
  }
  done(std::move(reply));
}

Handler EchoHandler() {
  return [](Request request, ResultCallback<Reply> done) {
    Loop::Current()->Spawn(Echo(std::move(request), std::move(done)));
  };
}

std::string BodyOf(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

TEST(ServerTest, AnswersOnKeepAliveConnections) {
  ServerThread server(EchoHandler());
  RawSocket client = server.Connect();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.Send("GET /a" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    const std::string answer = ReceiveAnswer(client);
    EXPECT_EQ(StatusOf(answer), 200) << answer;
    EXPECT_NE(answer.find("Content-Length: 3\r\n"), std::string::npos) << answer;
    EXPECT_NE(answer.find("X-Method: GET\r\n"), std::string::npos) << answer;
    EXPECT_NE(answer.find("Date: "), std::string::npos) << answer;
    EXPECT_EQ(BodyOf(answer), "/a" + std::to_string(i));
  }
  EXPECT_EQ(server.connections(), 1U);
}

TEST(ServerTest, AnswersPipelinedRequestsInOrder) {
  ServerThread server(EchoHandler());
  RawSocket client = server.Connect();
  std::string all;
  for (int i = 0; i < 200; ++i) {
    all += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab";
  }
  ASSERT_TRUE(client.Send(all));
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(BodyOf(ReceiveAnswer(client)), "/" + std::to_string(i) + "|ab");
  }
}

TEST(ServerTest, TakesRequestsByteByByte) {
  ServerThread server(EchoHandler());
  RawSocket client = server.Connect();
  for (const std::string_view request :
       {"POST /s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n",
        "GET /s HTTP/1.1\r\nHost: x\r\n\r\n"}) {
    for (const char byte : request) ASSERT_TRUE(client.Send({&byte, 1}));
  }
  EXPECT_EQ(BodyOf(ReceiveAnswer(client)), "/s|abcde");
  EXPECT_EQ(BodyOf(ReceiveAnswer(client)), "/s");
}

TEST(ServerTest, ReadsLargeBodies) {
  ServerThread server(EchoHandler());
  const std::string body(1'000'000, 'q');
  RawSocket client = server.Connect();
  ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + body));
  EXPECT_EQ(BodyOf(ReceiveAnswer(client)), "/|" + body);
  std::string chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += 1000)
    chunked += "3e8\r\n" + body.substr(at, 1000) + "\r\n";
  ASSERT_TRUE(client.Send(chunked + "0\r\n\r\n"));
  EXPECT_EQ(BodyOf(ReceiveAnswer(client)), "/|" + body);
}

TEST(ServerTest, TellsClientsToContinueWhenTheBodyIsWanted) {
  ServerThread server(EchoHandler());
  RawSocket client = server.Connect();
  ASSERT_TRUE(client.Send(
      "PUT /c HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.ReceiveUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(client.Send("ok"));
  EXPECT_EQ(BodyOf(ReceiveAnswer(client)), "/c|ok");
}

TEST(ServerTest, RefusesABodyThatWaitsForContinue) {
  ServerThread server(
      [](Request, ResultCallback<Reply> done) { done(NotFound("no such container: c")); });
  RawSocket client = server.Connect();
  ASSERT_TRUE(client.Send(
      "PUT /c HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  const std::string answer = client.ReceiveAll();
  EXPECT_EQ(StatusOf(answer), 404) << answer;
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << answer;
  EXPECT_EQ(BodyOf(answer), "{\"message\":\"no such container: c\"}\n");
}

TEST(ServerTest, RefusesMalformedRequestsAndGoesOnWithOthers) {
  struct Case {
    std::string_view name, bytes;
    int status;
  };
  const std::string long_line = "GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string long_head =
      "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(15'000, 'a') +
      "\r\nY: " + std::string(15'000, 'a') + "\r\nZ: " + std::string(15'000, 'a') +
      "\r\nA: " + std::string(15'000, 'a') + "\r\nB: " + std::string(15'000, 'a') + "\r\n\r\n";
  const Case cases[] = {
      {"both framings",
       "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n",
       400},
      {"two lengths",
       "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 400},
      {"signed length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na", 400},
      {"gzip framing", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
      {"folded line", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400},
      {"blank before colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
      {"bare LF", "GET / HTTP/1.1\nHost: x\n\n", 400},
      {"zero byte", std::string_view("GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n", 34), 400},
      {"absolute form", "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"authority form", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"no version", "GET /\r\n\r\n", 400},
      {"garbage", "\x16\x03\x01\x02\x00\x01", 400},
      {"other version", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"other expectation", "GET / HTTP/1.1\r\nHost: x\r\nExpect: coffee\r\n\r\n", 417},
      {"long request line", long_line, 414},
      {"long head", long_head, 431},
  };
  std::atomic<int> handled{0};
  ServerThread server([&handled](Request, ResultCallback<Reply> done) {
    ++handled;
    done(Reply());
  });
  for (const Case& test : cases) {
    for (const bool behind_a_good_one : {false, true}) {
      SCOPED_TRACE(test.name);
      RawSocket client = server.Connect();
      handled = 0;
      if (behind_a_good_one) {
        ASSERT_TRUE(client.Send("GET /good HTTP/1.1\r\nHost: x\r\n\r\n"));
        EXPECT_EQ(StatusOf(ReceiveAnswer(client)), 200);
      }
      ASSERT_TRUE(client.Send(test.bytes));
      client.Send("GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
      const std::string answer = client.ReceiveAll();
      EXPECT_EQ(StatusOf(answer), test.status) << answer;
      EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << answer;
      EXPECT_NE(answer.find("{\"message\":\""), std::string::npos) << answer;
      EXPECT_EQ(answer.find("HTTP/1.1 200"), std::string::npos) << answer;
      EXPECT_EQ(handled, behind_a_good_one ? 1 : 0);
    }
  }
}

TEST(ServerTest, RefusesMalformedChunks) {
  for (const std::string_view chunks :
       {"x\r\n", "-1\r\n", "3\r\nabcd\r\n", "3\nabc\n0\n\n", "ffffffffffffffff1\r\n"}) {
    SCOPED_TRACE(chunks);
    ServerThread server(EchoHandler());
    RawSocket client = server.Connect();
    ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                            std::string(chunks)));
    const std::string answer = client.ReceiveAll();
    EXPECT_EQ(StatusOf(answer), 400) << answer;
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
  }
}

TEST(ServerTest, LeavesAHeadWithoutBodyToHead) {
  ServerThread server([](Request, ResultCallback<Reply> done) {
    Reply reply;
    reply.body = "OK";
    done(std::move(reply));
  });
  RawSocket client = server.Connect();
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(client.Send("HEAD /_ping HTTP/1.1\r\nHost: x\r\n\r\n"));
    const std::string head = client.ReceiveUntil("\r\n\r\n");
    EXPECT_NE(head.find("Content-Length: 2\r\n"), std::string::npos) << head;
  }
  ASSERT_TRUE(client.Send("GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(BodyOf(ReceiveAnswer(client)), "OK");
}

TEST(ServerTest, FramesEachKindOfAnswer) {
  ServerThread server([](Request request, ResultCallback<Reply> done) {
    Reply reply;
    if (request.target == "/empty") {
      reply.status = 204;
      reply.body = "dropped";
    } else if (request.target == "/pieces") {
      reply.body = "a";
      reply.pieces = {std::make_shared<const std::string>("bc"),
                      std::make_shared<const std::string>(""),
                      std::make_shared<const std::string>("d")};
    } else if (request.target == "/odd") {
      reply.headers = {{"X-Ok", "1"},           {"Bad\r\nName", "x"},
                       {"X-Bad", "a\r\nb: c"},  {"Content-Length", "99"},
                       {"Connection", "close"}, {"Transfer-Encoding", "chunked"}};
    } else if (request.target == "/exists") {
      return done(AlreadyExists("the name \"web\" is taken"));
    }
    done(std::move(reply));
  });
  RawSocket client = server.Connect();
  client.Send(
      "GET /empty HTTP/1.1\r\nHost: x\r\n\r\nGET /pieces HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /odd HTTP/1.1\r\nHost: x\r\n\r\nGET /exists HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string empty = client.ReceiveUntil("\r\n\r\n");
  EXPECT_EQ(StatusOf(empty), 204);
  EXPECT_EQ(empty.find("Content-Length"), std::string::npos) << empty;
  EXPECT_EQ(BodyOf(ReceiveAnswer(client)), "abcd");
  const std::string odd = ReceiveAnswer(client);
  EXPECT_NE(odd.find("X-Ok: 1\r\n"), std::string::npos);
  EXPECT_NE(odd.find("Content-Length: 0\r\n"), std::string::npos);
  for (const std::string_view absent : {"Bad", "b: c", "99", "close", "chunked"}) {
    EXPECT_EQ(odd.find(absent), std::string::npos) << odd;
  }
  const std::string exists = ReceiveAnswer(client);
  EXPECT_EQ(StatusOf(exists), 409);
  EXPECT_EQ(BodyOf(exists), "{\"message\":\"the name \\\"web\\\" is taken\"}\n");
}

TEST(ServerTest, ServesManyPiecesWithoutLoss) {
  std::vector<std::shared_ptr<const std::string>> pieces;
  std::string whole;
  for (int i = 0; i < 10'000; ++i) {
    pieces.push_back(
        std::make_shared<const std::string>(std::to_string(i) + std::string(i % 700, 'x')));
    whole += *pieces.back();
  }
  ServerThread server([&pieces](Request, ResultCallback<Reply> done) {
    Reply reply;
    reply.pieces = pieces;
    done(std::move(reply));
  });
  RawSocket client = server.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(BodyOf(ReceiveAnswer(client)), whole);
}

TEST(ServerTest, SpeaksHttp10) {
  ServerThread server(EchoHandler());
  RawSocket once = server.Connect();
  once.Send("GET /old HTTP/1.0\r\n\r\n");
  EXPECT_EQ(BodyOf(once.ReceiveAll()), "/old");
  RawSocket kept = server.Connect();
  for (int i = 0; i < 2; ++i) {
    kept.Send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const std::string answer = ReceiveAnswer(kept);
    EXPECT_NE(answer.find("Connection: keep-alive\r\n"), std::string::npos);
    EXPECT_EQ(BodyOf(answer), "/old");
  }
}

TEST(ServerTest, DrainsASmallUnreadBody) {
  ServerThread server([](Request, ResultCallback<Reply> done) { done(Reply()); });
  RawSocket client = server.Connect();
  const std::string small(100'000, 'a');
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(
        client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + small));
    EXPECT_EQ(StatusOf(ReceiveAnswer(client)), 200);
  }
  ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\nabc"));
  const std::string answer = client.ReceiveAll();
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << answer;
}

TEST(ServerTest, AnswersADroppedRequestWithAnError) {
  ServerThread server([](Request, ResultCallback<Reply>) {});
  RawSocket client = server.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(StatusOf(ReceiveAnswer(client)), 500);
}

TEST(ServerTest, TakesRepliesFromOtherThreads) {
  std::vector<std::thread> threads;
  std::mutex mutex;
  ServerThread server([&](Request request, ResultCallback<Reply> done) {
    const std::lock_guard<std::mutex> lock(mutex);
    threads.emplace_back([target = request.target, done = std::move(done)]() mutable {
      Reply reply;
      reply.body = target;
      done(std::move(reply));
    });
  });
  RawSocket client = server.Connect();
  for (int i = 0; i < 20; ++i) {
    client.Send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(BodyOf(ReceiveAnswer(client)), "/" + std::to_string(i));
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(ServerTest, StopsRequestsWhoseClientIsGone) {
  struct Case {
    std::string_view name;
    void (*leave)(RawSocket&);
  };
  const Case cases[] = {
      {"closed", [](RawSocket& client) { client.Close(); }},
      {"reset", [](RawSocket& client) { client.Reset(); }},
      {"ended", [](RawSocket& client) { client.CloseWrite(); }},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    std::mutex mutex;
    std::stop_token stop;
    ResultCallback<Reply> kept;
    ServerThread server([&](Request request, ResultCallback<Reply> done) {
      const std::lock_guard<std::mutex> lock(mutex);
      stop = request.stop;
      kept = std::move(done);
    });
    RawSocket client = server.Connect();
    client.Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(WaitUntil([&] { return server.active() == 1; }));
    test.leave(client);
    EXPECT_TRUE(WaitUntil([&] {
      const std::lock_guard<std::mutex> lock(mutex);
      return stop.stop_requested();
    }));
    server.thread().On([&] { kept(Cancelled("gone")); });
    EXPECT_TRUE(WaitUntil([&] { return server.active() == 0; }));
  }
}

TEST(ServerTest, StopsAcceptingAndFinishesWhatRuns) {
  ResultCallback<Reply> kept;
  ServerThread server([&](Request, ResultCallback<Reply> done) { kept = std::move(done); });
  RawSocket idle = server.Connect();
  RawSocket busy = server.Connect();
  busy.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(WaitUntil([&] { return server.active() == 1 && server.connections() == 2; }));
  server.thread().On([&] { server.server().StopAccepting(); });
  EXPECT_EQ(idle.ReceiveAll(), "");
  server.thread().On([&] { kept(Reply()); });
  const std::string answer = busy.ReceiveAll();
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
  busy.Close();
  EXPECT_TRUE(WaitUntil([&] { return server.connections() == 0; }));
}

// Deadlines on a clock that the test moves; sockets are real.
TEST(ServerTest, EndsSlowHeadsAndIdleConnections) {
  struct Case {
    std::string_view sent;
    Duration early, late;
  };
  const Case cases[] = {
      {"GET / HT", kHeadDeadline - std::chrono::milliseconds(1), kHeadDeadline},
      {"", kIdleDeadline - std::chrono::milliseconds(1), kIdleDeadline},
      {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", kIdleDeadline - std::chrono::milliseconds(1),
       kIdleDeadline},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.sent);
    ManualClock clock;
    Loop loop(clock, nullptr);
    Server server(loop, {}, [](Request, ResultCallback<Reply> done) { done(Reply()); });
    ASSERT_TRUE(server.Listen("tcp://127.0.0.1:0").ok());
    RawSocket client = RawSocket::Connect(server.addresses().front());
    client.Send(test.sent);
    ASSERT_TRUE(WaitUntil([&] {
      loop.RunReady();
      return server.connections() == 1;
    }));
    for (int i = 0; i < 20; ++i) loop.RunReady();
    const TimePoint start = clock.Now();
    bool closed_early = false;
    while (server.connections() == 1 && loop.StepTime(clock)) {
      closed_early =
          closed_early || (server.connections() == 0 && clock.Now() - start < test.early);
      for (int i = 0; i < 20; ++i) loop.RunReady();
    }
    EXPECT_FALSE(closed_early);
    EXPECT_EQ(server.connections(), 0U);
    EXPECT_GE(clock.Now() - start, test.early);
    EXPECT_LE(clock.Now() - start, test.late);
  }
}

// A body of which no more comes holds its connection for a bounded time, wanted or not.
TEST(ServerTest, BoundsTheWaitForABody) {
  for (const bool wanted : {true, false}) {
    SCOPED_TRACE(wanted);
    ManualClock clock;
    Loop loop(clock, nullptr);
    std::unique_ptr<Stream> body;
    std::array<char, 64> into;
    std::string outcome;
    ResultCallback<Reply> answer;
    Server server(loop, {}, [&](Request request, ResultCallback<Reply> done) {
      if (!wanted) return done(Reply());
      body = std::move(request.body_stream);
      answer = std::move(done);
      body->Read(into, [&](absl::StatusOr<std::size_t> got) {
        ASSERT_TRUE(got.ok());
        body->Read(into, [&](absl::StatusOr<std::size_t> more) {
          outcome = more.ok() ? "bytes" : "gone";
        });
      });
    });
    ASSERT_TRUE(server.Listen("tcp://127.0.0.1:0").ok());
    RawSocket client = RawSocket::Connect(server.addresses().front());
    client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsome");
    ASSERT_TRUE(WaitUntil([&] {
      loop.RunReady();
      return server.connections() == 1 && (!wanted || (body && server.active() == 1));
    }));
    if (!wanted) {
      std::string got;
      ASSERT_TRUE(WaitUntil([&] {
        loop.RunReady();
        got += client.ReceiveSome(std::chrono::milliseconds(1));
        return got.find("\r\n\r\n") != std::string::npos;
      }));
    }
    for (int i = 0; i < 20; ++i) loop.RunReady();
    const TimePoint start = clock.Now();
    while (server.connections() == 1 && loop.StepTime(clock)) {
      for (int i = 0; i < 20; ++i) loop.RunReady();
    }
    EXPECT_EQ(server.connections(), 0U);
    EXPECT_EQ(clock.Now() - start, wanted ? kBodyPause : kDrainDeadline);
    EXPECT_EQ(outcome, wanted ? "gone" : "");
    answer = nullptr;
    body.reset();
    loop.RunReady();
  }
}

}  // namespace
}  // namespace swarm::net
