#include "net/client.h"

#include <gtest/gtest.h>

#include "client_test_tools.h"
#include "script_stream.h"

namespace swarm::net {
namespace {

TEST(ClientTest, CallsAndReusesConnections) {
  RawListener engine;
  ClientThread client(engine.address());
  auto first = client.Start(&Client::Call, Get("/one"));
  RawSocket connection = engine.Accept();
  const std::string head = connection.ReceiveUntil("\r\n\r\n");
  EXPECT_EQ(head, "GET /one HTTP/1.1\r\nHost: " + engine.address().substr(6) + "\r\n\r\n");
  connection.Send("HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 3\r\n\r\nabc");
  const auto reply = first.get();
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->body, "abc");
  EXPECT_EQ(*FindHeader(reply->headers, "x-a"), "b");
  EXPECT_EQ(client.idle(), 1U);

  auto second = client.Start(&Client::Call, Get("/two"));
  EXPECT_NE(connection.ReceiveUntil("\r\n\r\n").find("GET /two "), std::string::npos);
  connection.Send(
      "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n");
  const auto missing = second.get();
  ASSERT_TRUE(missing.ok()) << missing.status();
  EXPECT_EQ(missing->status, 404);
  EXPECT_EQ(missing->body, "no");
}

TEST(ClientTest, WritesEachKindOfRequest) {
  struct Case {
    std::string_view method, body;
    bool streamed;
    std::string_view expected;
  };
  const Case cases[] = {
      {"GET", "", false, "\r\n\r\n"},
      {"POST", "", false, "Content-Length: 0\r\n\r\n"},
      {"POST", "body", false, "Content-Length: 4\r\n\r\nbody"},
      {"DELETE", "", false, "\r\n\r\n"},
  };
  RawListener engine;
  ClientThread client(engine.address());
  RawSocket connection;
  for (const Case& test : cases) {
    Request request;
    request.method = test.method;
    request.target = "/x?y=z";
    request.body = std::string(test.body);
    request.headers = {{"X-Registry-Auth", "abc"},    {"Host", "evil"},
                       {"Connection", "close"},       {"Content-Length", "77"},
                       {"Transfer-Encoding", "gzip"}, {"Upgrade", "h2c"}};
    auto answer = client.Start(&Client::Call, std::move(request));
    if (connection.get() < 0) connection = engine.Accept();
    const std::string expected = std::string(test.method) +
                                 " /x?y=z HTTP/1.1\r\nHost: " + engine.address().substr(6) +
                                 "\r\nX-Registry-Auth: abc\r\n";
    const std::string tail = test.expected == "\r\n\r\n" ? "\r\n" : std::string(test.expected);
    EXPECT_EQ(connection.ReceiveExactly(expected.size() + tail.size()), expected + tail);
    connection.Send("HTTP/1.1 204 No Content\r\n\r\n");
    const auto reply = answer.get();
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->status, 204);
  }
}

TEST(ClientTest, StreamsRequestBodies) {
  for (const bool known_length : {false, true}) {
    RawListener engine;
    ClientThread client(engine.address());
    auto script = std::make_shared<Script>(client.thread().loop);
    Request request;
    request.method = "PUT";
    request.target = "/archive";
    request.body_stream = std::make_unique<ScriptStream>(script);
    if (known_length) request.body_length = 6;
    auto answer = client.Start(&Client::Open, std::move(request));
    RawSocket connection = engine.Accept();
    const std::string head = connection.ReceiveUntil("\r\n\r\n");
    EXPECT_NE(head.find(known_length ? "Content-Length: 6" : "Transfer-Encoding: chunked"),
              std::string::npos);
    for (const std::string_view piece : {"abc", "def"}) {
      client.thread().On([&] { script->Feed(piece); });
      const std::string expected =
          known_length ? std::string(piece) : "3\r\n" + std::string(piece) + "\r\n";
      EXPECT_EQ(connection.ReceiveExactly(expected.size()), expected);
    }
    client.thread().On([&] { script->End(); });
    if (!known_length) {
      EXPECT_EQ(connection.ReceiveExactly(5), "0\r\n\r\n");
    }
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    auto reply = answer.get();
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_TRUE(WaitUntil([&] { return client.idle() == 1; }));
    Drop(client, reply);
  }
}

TEST(ClientTest, ReadsEachKindOfAnswer) {
  struct Case {
    std::string_view name, bytes, body;
    bool close, reused;
  };
  const Case cases[] = {
      {"length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", false, true},
      {"chunked",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\nA: b\r\n\r\n",
       "ok", false, true},
      {"until close",
       "HTTP/1.1 404 Not Found\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nok", "ok",
       true, false},
      {"close asked", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "ok",
       false, false},
      {"interim",
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 "
       "OK\r\nContent-Length: 2\r\n\r\nok",
       "ok", false, true},
      {"leftover",
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: "
       "4\r\n\r\nevil",
       "ok", false, false},
      {"nothing", "HTTP/1.1 204 No Content\r\n\r\n", "", false, true},
      {"old", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", false, false},
  };
  for (const Case& test : cases) {
    for (const bool whole : {false, true}) {
      for (const bool slow : {false, true}) {
        SCOPED_TRACE(testing::Message() << test.name << " whole " << whole << " slow " << slow);
        RawListener engine;
        ClientThread client(engine.address());
        auto answer = client.Start(whole ? &Client::Call : &Client::Open, Get("/"));
        RawSocket connection = engine.Accept();
        connection.ReceiveUntil("\r\n\r\n");
        if (slow) {
          for (const char byte : test.bytes) connection.Send({&byte, 1});
        } else {
          connection.Send(test.bytes);
        }
        if (test.close) connection.Close();
        auto reply = answer.get();
        ASSERT_TRUE(reply.ok()) << reply.status();
        if (!whole) {
          ASSERT_NE(reply->body_stream, nullptr);
          const auto body = ReadBody(client, *reply);
          ASSERT_TRUE(body.ok()) << body.status();
          EXPECT_EQ(*body, test.body);
        } else {
          EXPECT_EQ(reply->body, test.body);
        }
        // Slow leftovers poison the connection while it is idle.
        if (test.reused) {
          EXPECT_EQ(client.idle(), 1U);
        } else if (!slow) {
          EXPECT_EQ(client.idle(), 0U);
        }
        if (!test.reused && !test.close) {
          auto again = client.Start(&Client::Call, Get("/again"));
          RawSocket fresh = engine.Accept();
          fresh.ReceiveUntil("\r\n\r\n");
          fresh.Send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
          const auto good = again.get();
          ASSERT_TRUE(good.ok()) << good.status();
          EXPECT_EQ(good->body, "good");
        }
        Drop(client, reply);
      }
    }
  }
}

TEST(ClientTest, RefusesLyingEngines) {
  struct Case {
    std::string_view name, bytes, message;
  };
  const Case cases[] = {
      {"nothing", "", "closed the connection before its answer was whole"},
      {"half a head", "HTTP/1.1 200 O", "closed the connection before its answer was whole"},
      {"no HTTP", "hello, this is ssh\r\n", "sent a malformed answer"},
      {"short", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
       "the connection ended within the body"},
      {"short chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
       "the connection ended within the body"},
      {"bad chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
       "sent a malformed answer"},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
       "sent a malformed answer"},
      {"huge", "HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n", "at most 1000 are taken"},
      {"long chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5dc\r\nBULK\r\n",
       "more than 1000 bytes"},
      {"unasked upgrade", "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
       "sent a malformed answer"},
      {"TLS", "\x15\x03\x01\x00\x02\x02\x46", "answers in TLS"},
      {"interim for ever", "LOOP", "too many interim answers"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    RawListener engine;
    ClientThread client(engine.address());
    CallOptions options;
    options.max_body = 1000;
    Request request = Get("/");
    auto answer = client.Start(&Client::Call, std::move(request), options);
    RawSocket connection = engine.Accept();
    connection.ReceiveUntil("\r\n\r\n");
    std::string bytes(test.bytes);
    if (const std::size_t bulk = bytes.find("BULK"); bulk != std::string::npos)
      bytes.replace(bulk, 4, std::string(1500, 'b'));
    if (bytes == "LOOP") {
      bytes.clear();
      for (int i = 0; i < 100; ++i) bytes += "HTTP/1.1 102 Processing\r\n\r\n";
    }
    connection.Send(bytes);
    connection.CloseWrite();
    const auto reply = answer.get();
    ASSERT_FALSE(reply.ok());
    EXPECT_NE(MessageOf(reply.status()).find(test.message), std::string_view::npos)
        << reply.status();
    EXPECT_NE(MessageOf(reply.status()).find(engine.address().substr(6)), std::string_view::npos)
        << reply.status();
    EXPECT_NE(reply.status().code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(HttpStatusOf(reply.status()), 502);
    EXPECT_EQ(client.idle(), 0U);
  }
}

TEST(ClientTest, SaysWhenTheEngineWasNotReached) {
  std::string address;
  {
    RawListener engine;
    address = engine.address();
  }
  for (const std::string& refused : {address, std::string("unix:///nonexistent/engine.sock")}) {
    ClientThread client(refused);
    const auto reply = client.Call(Get("/"));
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnavailable) << reply.status();
    EXPECT_NE(MessageOf(reply.status()).find("cannot connect to"), std::string_view::npos);
  }
}

TEST(ClientTest, RefusesTargetsThatWouldSplitTheRequest) {
  RawListener engine;
  ClientThread client(engine.address());
  for (const std::string target : {"/a b", "/a\r\nX: y", "", "a", "/#x"}) {
    EXPECT_EQ(client.Call(Get(target)).status().code(), absl::StatusCode::kInvalidArgument)
        << target;
  }
}

TEST(ClientTest, UpgradesToATunnel) {
  struct Case {
    std::string_view head;
    bool asked, tunnel;
  };
  const Case cases[] = {
      {"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n", true, true},
      {"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n", true, true},
      {"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n", false, true},
      {"HTTP/1.1 404 Not Found\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n", true,
       false},
  };
  for (const Case& test : cases) {
    for (const bool slow : {false, true}) {
      SCOPED_TRACE(test.head);
      RawListener engine;
      ClientThread client(engine.address());
      Request request = Get("/attach");
      request.method = "POST";
      if (test.asked) request.headers = {{"Upgrade", "tcp"}};
      auto answer = client.Start(&Client::Upgrade, std::move(request));
      RawSocket connection = engine.Accept();
      const std::string head = connection.ReceiveUntil("\r\n\r\n");
      EXPECT_EQ(head.find("Upgrade: tcp\r\nConnection: Upgrade\r\n") != std::string::npos,
                test.asked)
          << head;
      if (slow) {
        for (const char byte : test.head) connection.Send({&byte, 1});
      } else {
        connection.Send(std::string(test.head) + "early");
      }
      auto reply = answer.get();
      ASSERT_TRUE(reply.ok()) << reply.status();
      EXPECT_EQ(reply->tunnel != nullptr, test.tunnel);
      EXPECT_EQ(reply->body_stream != nullptr, !test.tunnel);
      if (test.tunnel) {
        EXPECT_EQ(reply->tunnel_head, slow ? "" : "early");
        EXPECT_TRUE(client.thread().On([&] { return reply->tunnel->NativeSocket().has_value(); }));
        client.thread().On([&] { reply->tunnel->CloseWrite(); });
        EXPECT_EQ(connection.ReceiveAll(), "");
      }
      Drop(client, reply);
      EXPECT_EQ(client.idle(), 0U);
    }
  }
}

TEST(ClientTest, GivesUpWhenAsked) {
  for (const How how : {&Client::Call, &Client::Open, &Client::Upgrade}) {
    for (const bool before : {false, true}) {
      RawListener engine;
      ClientThread client(engine.address());
      std::stop_source stop;
      CallOptions options;
      options.stop = stop.get_token();
      if (before) stop.request_stop();
      auto answer = client.Start(how, Get("/"), options);
      if (!before) {
        RawSocket connection = engine.Accept();
        connection.ReceiveUntil("\r\n\r\n");
        stop.request_stop();  // from another thread than the loop's
        EXPECT_EQ(connection.ReceiveAll(), "");
      }
      EXPECT_EQ(answer.get().status().code(), absl::StatusCode::kCancelled);
    }
  }
}

TEST(ClientTest, CancelsWhatRunsWhenDestroyed) {
  RawListener engine;
  ClientThread client(engine.address());
  auto answer = client.Start(&Client::Call, Get("/"));
  RawSocket connection = engine.Accept();
  connection.ReceiveUntil("\r\n\r\n");
  client.thread().On([&] { client.client().reset(); });
  EXPECT_EQ(answer.get().status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(connection.ReceiveAll(), "");
}

TEST(ClientTest, BodiesOutliveTheirClient) {
  RawListener engine;
  ClientThread client(engine.address());
  auto answer = client.Start(&Client::Open, Get("/"));
  RawSocket connection = engine.Accept();
  connection.ReceiveUntil("\r\n\r\n");
  connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
  auto reply = answer.get();
  ASSERT_TRUE(reply.ok());
  client.thread().On([&] { client.client().reset(); });
  connection.Send("def");
  const auto body = ReadBody(client, *reply);
  EXPECT_EQ(*body, "abcdef");
  Drop(client, reply);
}

TEST(ClientTest, ClosesTheConnectionOfADroppedBody) {
  RawListener engine;
  ClientThread client(engine.address());
  auto answer = client.Start(&Client::Open, Get("/events"));
  RawSocket connection = engine.Accept();
  connection.ReceiveUntil("\r\n\r\n");
  connection.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  auto reply = answer.get();
  ASSERT_TRUE(reply.ok());
  Drop(client, reply);
  EXPECT_NE(connection.ReceiveAll(), "<timeout>");
  EXPECT_EQ(client.idle(), 0U);
}

TEST(ClientTest, SendsABodyWhileItsAnswerComes) {
  RawListener engine;
  ClientThread client(engine.address());
  auto script = std::make_shared<Script>(client.thread().loop);
  Request request;
  request.method = "POST";
  request.target = "/images/load";
  request.body_stream = std::make_unique<ScriptStream>(script);
  auto answer = client.Start(&Client::Open, std::move(request));
  RawSocket connection = engine.Accept();
  connection.ReceiveUntil("\r\n\r\n");
  connection.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n");
  auto reply = answer.get();
  ASSERT_TRUE(reply.ok()) << reply.status();
  client.thread().On([&] { script->Feed("more"); });
  EXPECT_EQ(connection.ReceiveExactly(9), "4\r\nmore\r\n");
  client.thread().On([&] { script->End(); });
  EXPECT_EQ(connection.ReceiveExactly(5), "0\r\n\r\n");
  connection.Send("0\r\n\r\n");
  EXPECT_EQ(*ReadBody(client, *reply), "hi");
  Drop(client, reply);
}

TEST(ClientTest, NeverEndsABrokenRequestBodyAsWhole) {
  RawListener engine;
  ClientThread client(engine.address());
  auto script = std::make_shared<Script>(client.thread().loop);
  Request request;
  request.method = "PUT";
  request.target = "/archive";
  request.body_stream = std::make_unique<ScriptStream>(script);
  auto answer = client.Start(&Client::Call, std::move(request));
  RawSocket connection = engine.Accept();
  connection.ReceiveUntil("\r\n\r\n");
  client.thread().On([&] {
    script->Feed("part");
    script->Break(InvalidArgument("the client left"));
  });
  EXPECT_EQ(answer.get().status(), InvalidArgument("the client left"));
  EXPECT_EQ(connection.ReceiveAll(), "4\r\npart\r\n");
}

}  // namespace
}  // namespace swarm::net
