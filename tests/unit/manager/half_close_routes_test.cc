// What an end of the client's side means, route by route: real sockets before a handler that the
// test plays.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "api/api.h"
#include "api/router.h"
#include "unit/net/net_test_tools.h"
#include "unit/net/script_stream.h"

namespace swarm {
namespace {

using net::RawSocket;
using net::WaitUntil;

struct Wanted {
  std::string method, target;
  bool lives;  // for its client: ends with its side
};

// All that is served, and whether it ends when its client ends its side.
std::vector<Wanted> AllServed() {
  const std::set<std::string> living = {"GET /events",
                                        "POST /swarmd/v1/nodes/x/drain",
                                        "POST /containers/create",
                                        "GET /containers/x/stats",
                                        "POST /containers/x/wait",
                                        "POST /images/create",
                                        "POST /images/load",
                                        "POST /images/x/push",
                                        "POST /build"};
  std::vector<Wanted> all;
  std::size_t found = 0;
  for (const Route& route : Routes()) {
    if (route.handler == nullptr) continue;
    std::string path(route.pattern);
    for (std::size_t at; (at = path.find("{}")) != std::string::npos;) path.replace(at, 2, "x");
    const std::string method(route.method);
    const bool lives = living.contains(method + " " + path);
    found += lives ? 1 : 0;
    all.push_back({method, path, lives});
  }
  EXPECT_EQ(found, living.size());
  return all;
}

// Where the query decides.
const Wanted kByQuery[] = {
    {"GET", "/v1.41/containers/x/logs?stdout=1", false},
    {"GET", "/v1.41/containers/x/logs?stdout=1&follow=0", false},
    {"GET", "/v1.41/containers/x/logs?stdout=1&follow=1", true},
    {"GET", "/v1.24/containers/x/logs?follow=true", true},
    {"GET", "/v1.41/events?since=1", true},
    {"GET", "/v1.41/events?since=1&until=2", false},
    {"GET", "/v1.41/containers/x/stats?stream=1", true},
    {"GET", "/v1.41/containers/x/stats?stream=false", false},
    {"POST", "/swarmd/v1/nodes/x/drain?plan=1", false},
    {"GET", "/nowhere", false},
};

class HalfCloseRoutesTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    net::ServerOptions options;
    options.lives_for_client = [this](std::string_view method, std::string_view target) {
      ++asked_;
      return Api::LivesForClient(method, target);
    };
    const std::string address =
        GetParam() ? "unix://" + testing::TempDir() + "half_close_" + std::to_string(getpid())
                   : std::string("tcp://127.0.0.1:0");
    server_ = std::make_unique<net::ServerThread>(
        [this](Request request, ResultCallback<Reply> done) {
          const std::lock_guard<std::mutex> lock(mutex_);
          stop_ = request.stop;
          done_ = std::move(done);
        },
        std::move(options), address);
  }
  // A callback that was never called posts to the loop when it goes.
  void TearDown() override {
    server_->thread().On([this] { done_ = nullptr; });
  }

  RawSocket Ask(const Wanted& wanted) {
    RawSocket client = server_->Connect();
    client.Send(wanted.method + " " + wanted.target + " HTTP/1.1\r\nHost: x\r\n" +
                (wanted.method == "POST" ? "Content-Length: 0\r\n\r\n" : "\r\n"));
    EXPECT_TRUE(WaitUntil([&] { return server_->active() == 1; }));
    return client;
  }
  bool stopped() {
    return server_->thread().On([this] { return stop_.stop_requested(); });
  }
  void Answer(Reply reply) {
    server_->thread().On([&] { done_(std::move(reply)); });
  }
  void AwaitNoRequest() {
    EXPECT_TRUE(WaitUntil([&] { return server_->active() == 0 && server_->connections() == 0; }));
  }

  // Ends the client's side, and returns when the server has heard it.
  void EndSide(RawSocket& client) {
    const int before = asked_;
    client.CloseWrite();
    ASSERT_TRUE(WaitUntil([&] { return asked_ > before; }));
  }

  void CheckWholeReply(const Wanted& wanted) {
    RawSocket client = Ask(wanted);
    EndSide(client);
    EXPECT_EQ(stopped(), wanted.lives);
    Reply reply;
    reply.body = "all of it";
    Answer(std::move(reply));
    const std::string text = client.ReceiveAll();
    EXPECT_EQ(net::StatusOf(text), 200) << text;
    if (wanted.method != "HEAD") {
      EXPECT_TRUE(text.ends_with("\r\n\r\nall of it")) << text;
    }
    AwaitNoRequest();
  }

  // The end comes while the answer streams.
  void CheckStream(const Wanted& wanted) {
    RawSocket client = Ask(wanted);
    auto script = std::make_shared<net::Script>(server_->loop());
    Reply reply;
    reply.body_stream = std::make_unique<net::ScriptStream>(script);
    Answer(std::move(reply));
    client.ReceiveUntil("\r\n\r\n");
    EndSide(client);
    EXPECT_EQ(stopped(), wanted.lives);
    server_->thread().On([&] {
      script->Feed("rest");
      script->End();
    });
    const std::string text = client.ReceiveAll();
    EXPECT_EQ(text, wanted.lives ? "" : "4\r\nrest\r\n0\r\n\r\n");
    AwaitNoRequest();
    EXPECT_TRUE(server_->thread().On([&] { return script->destroyed; }));
  }

  // A client that breaks off ends everything.
  void CheckBreak(const Wanted& wanted, bool end_first) {
    RawSocket client = Ask(wanted);
    if (end_first) EndSide(client);
    if (GetParam()) {
      client.Close();
    } else {
      client.Reset();
    }
    EXPECT_TRUE(WaitUntil([&] { return stopped(); }));
    if (wanted.lives) Answer(Reply());
    AwaitNoRequest();
  }

  std::atomic<int> asked_{0};
  std::mutex mutex_;
  std::stop_token stop_;
  ResultCallback<Reply> done_;
  std::unique_ptr<net::ServerThread> server_;
};

TEST_P(HalfCloseRoutesTest, ColumnDecidesOfEveryRoute) {
  for (const Wanted& wanted : AllServed()) {
    SCOPED_TRACE(wanted.method + " " + wanted.target);
    CheckWholeReply(wanted);
    if (wanted.method != "HEAD") CheckStream(wanted);
    CheckBreak(wanted, false);
    CheckBreak(wanted, true);
  }
}

TEST_P(HalfCloseRoutesTest, QueryDecidesWhereItSaysWhetherToFollow) {
  for (const Wanted& wanted : kByQuery) {
    SCOPED_TRACE(wanted.method + " " + wanted.target);
    CheckWholeReply(wanted);
    CheckStream(wanted);
    CheckBreak(wanted, true);
  }
}

// A client that closes for good looks like one that reads on, until something is written to it.
TEST_P(HalfCloseRoutesTest, ClosedClientEndsAStreamAtTheFirstFailedWrite) {
  RawSocket client = Ask({"GET", "/containers/x/export", false});
  auto script = std::make_shared<net::Script>(server_->loop());
  Reply reply;
  reply.body_stream = std::make_unique<net::ScriptStream>(script);
  Answer(std::move(reply));
  client.ReceiveUntil("\r\n\r\n");
  client.Close();
  EXPECT_TRUE(WaitUntil([&] {
    return server_->thread().On([&] {
      if (!script->destroyed) script->Feed("more");
      return script->destroyed;
    });
  }));
  EXPECT_TRUE(stopped());
  AwaitNoRequest();
}

INSTANTIATE_TEST_SUITE_P(Sockets, HalfCloseRoutesTest, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& info) {
                           return info.param ? "Unix" : "Tcp";
                         });

}  // namespace
}  // namespace swarm
