// What clients make a server hold, and for how long: in virtual time.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "net/bounds.h"
#include "net/server.h"
#include "net_test_tools.h"
#include "script_stream.h"

namespace swarm::net {
namespace {

constexpr std::size_t kLarge = 16U << 20U;  // more than a socket takes
constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

class ServerMemoryTest : public testing::Test {
 protected:
  ServerMemoryTest() { options_.memory = MakeServerMemory(8U << 20U); }

  void Serve(Handler handler) {
    server_ = std::make_unique<Server>(loop_, options_, std::move(handler));
    ASSERT_TRUE(server_->Listen("tcp://127.0.0.1:0").ok());
  }
  void Run() {
    for (int i = 0; i < 50; ++i) loop_.RunReady();
  }
  RawSocket Ask(std::string_view request = kGet) {
    const std::size_t before = server_->connections();
    RawSocket client = RawSocket::Connect(server_->addresses().front());
    client.Send(request);
    EXPECT_TRUE(WaitUntil([&] {
      loop_.RunReady();
      return server_->connections() == before + 1;
    }));
    Run();
    return client;
  }
  std::string Answer(RawSocket& client, std::string_view until = "\r\n\r\n") {
    std::string got;
    EXPECT_TRUE(WaitUntil([&] {
      loop_.RunReady();
      got += client.ReceiveSome(std::chrono::milliseconds(1));
      if (got.ends_with("<timeout>")) got.resize(got.size() - 9);
      return got.find(until) != std::string::npos;
    })) << got.substr(0, 300);
    return got;
  }
  void Wait(Duration time) {
    bool over = false;
    loop_.After(time, [&over] { over = true; });
    while (!over && loop_.StepTime(clock_)) Run();
  }
  Duration TimeUntilClosed() {
    const TimePoint start = clock_.Now();
    while (server_->connections() > 0 && loop_.StepTime(clock_)) Run();
    EXPECT_EQ(server_->connections(), 0U);
    return clock_.Now() - start;
  }
  MemoryBudget& budget() { return *options_.memory.budget; }

  ManualClock clock_;
  Loop loop_{clock_, nullptr};
  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerMemoryTest, AnAnswerThatNobodyReadsEndsAfterAMinute) {
  Serve([](Request, ResultCallback<Reply> done) {
    Reply reply;
    reply.pieces.push_back(std::make_shared<const std::string>(kLarge, 'x'));
    done(std::move(reply));
  });
  const RawSocket client = Ask();
  EXPECT_EQ(TimeUntilClosed(), std::chrono::seconds(60));
}

TEST_F(ServerMemoryTest, AnAnswerThatIsReadSlowlyGoesOn) {
  Serve([](Request, ResultCallback<Reply> done) {
    Reply reply;
    reply.pieces.push_back(std::make_shared<const std::string>(kLarge, 'x'));
    done(std::move(reply));
  });
  RawSocket client = Ask();
  for (int i = 0; i < 5; ++i) {
    client.ReceiveExactly(2U << 20U);
    Run();
    Wait(std::chrono::seconds(45));
    ASSERT_EQ(server_->connections(), 1U) << i;
  }
  EXPECT_LE(TimeUntilClosed(), std::chrono::seconds(120));
}

TEST_F(ServerMemoryTest, HeldStreamsWaitAMinuteAndEnginesStreamsTen) {
  for (const bool held : {true, false}) {
    SCOPED_TRACE(held);
    const auto script = std::make_shared<Script>(loop_);
    script->Feed(std::string(kLarge, 'x'));
    Serve([&](Request, ResultCallback<Reply> done) {
      Reply reply;
      reply.body_stream = std::make_unique<ScriptStream>(script);
      reply.body_is_held = held;
      done(std::move(reply));
    });
    const RawSocket client = Ask();
    EXPECT_EQ(TimeUntilClosed(), held ? kHeldWritePause : kStreamWritePause);
    server_.reset();
  }
}

TEST_F(ServerMemoryTest, ArrivingBodyExcusesNoClientThatReadsNothing) {
  const auto script = std::make_shared<Script>(loop_);
  script->Feed(std::string(kLarge, 'x'));
  std::shared_ptr<Stream> body;
  std::array<char, 1> into{};
  bool arrived = false;
  Serve([&](Request request, ResultCallback<Reply> done) {
    body = std::move(request.body_stream);
    body->Read(into, [&arrived](absl::StatusOr<std::size_t> got) { arrived = got.ok(); });
    Reply reply;
    reply.body_stream = std::make_unique<ScriptStream>(script);
    done(std::move(reply));
  });
  RawSocket client = Ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n");
  client.Send("b");
  EXPECT_TRUE(WaitUntil([&] {
    loop_.RunReady();
    return arrived;
  }));
  EXPECT_LE(TimeUntilClosed(), kStreamWritePause);
}

TEST_F(ServerMemoryTest, HealthIsToldWhileMemoryIsUsedUp) {
  Serve([](Request, ResultCallback<Reply> done) { done(Reply()); });
  budget().Take(8U << 20U);
  RawSocket other = Ask();
  EXPECT_EQ(StatusOf(Answer(other)), 503);
  RawSocket probe = Ask("GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(StatusOf(Answer(probe)), 200);
  budget().Release(8U << 20U);
}

TEST_F(ServerMemoryTest, UnreadAnswersFillTheBudgetAndNewOnesAreToldToRetry) {
  Serve([](Request, ResultCallback<Reply> done) {
    Reply reply;
    reply.body.assign(6U << 20U, 'x');
    done(std::move(reply));
  });
  RawSocket first = Ask();
  EXPECT_GE(budget().used(), 6U << 20U);
  RawSocket second = Ask();
  const std::string refused = Answer(second);
  EXPECT_EQ(StatusOf(refused), 503) << refused;
  EXPECT_NE(refused.find("Retry-After: 1\r\n"), std::string::npos) << refused;
  EXPECT_EQ(budget().refused(), 1U);
  // The one that was accepted is whole, and then there is room again.
  std::size_t got = 0;
  EXPECT_TRUE(WaitUntil([&] {
    loop_.RunReady();
    const std::string some = first.ReceiveSome(std::chrono::milliseconds(1));
    if (some != "<timeout>") got += some.size();
    return got > 6U << 20U;
  }));
  EXPECT_TRUE(WaitUntil([&] {
    loop_.RunReady();
    return budget().used() == 0;
  }));
  RawSocket third = Ask();
  EXPECT_EQ(StatusOf(Answer(third)), 200);
}

TEST_F(ServerMemoryTest, ARequestWhileAllIsUsedUpIsRefusedBeforeItsHandler) {
  int handled = 0;
  Serve([&](Request, ResultCallback<Reply> done) {
    ++handled;
    done(Reply());
  });
  budget().Take(budget().limit());
  RawSocket client = Ask();
  EXPECT_EQ(StatusOf(Answer(client)), 503);
  EXPECT_EQ(handled, 0);
  budget().Release(budget().limit());
  client.Send(kGet);
  EXPECT_EQ(StatusOf(Answer(client, "HTTP/1.1 200")), 200);
  EXPECT_EQ(handled, 1);
}

TEST_F(ServerMemoryTest, TheLongestIdleStreamGoesFirstAndOnlyWhenMemoryIsUsedUp) {
  std::vector<std::shared_ptr<Script>> scripts;
  Serve([&](Request, ResultCallback<Reply> done) {
    scripts.push_back(std::make_shared<Script>(loop_));
    scripts.back()->Feed(std::string(kLarge, 'x'));
    Reply reply;
    reply.body_stream = std::make_unique<ScriptStream>(scripts.back());
    done(std::move(reply));
  });
  const RawSocket older = Ask();
  Wait(std::chrono::seconds(20));
  const RawSocket newer = Ask();
  Wait(std::chrono::seconds(20));
  EXPECT_EQ(server_->connections(), 2U);
  budget().TellRefused();  // of what is too large for any room
  Run();
  EXPECT_EQ(server_->connections(), 2U);
  budget().Take(budget().limit());
  budget().TellRefused();
  Run();
  EXPECT_EQ(server_->connections(), 1U);
  EXPECT_TRUE(scripts[0]->destroyed);
  EXPECT_FALSE(scripts[1]->destroyed);
  budget().Release(budget().limit());
}

TEST_F(ServerMemoryTest, AStreamOfAClientThatDoesNotReadHoldsLittle) {
  const auto script = std::make_shared<Script>(loop_);
  script->Feed(std::string(kLarge, 'x'));
  Serve([&](Request, ResultCallback<Reply> done) {
    Reply reply;
    reply.body_stream = std::make_unique<ScriptStream>(script);
    done(std::move(reply));
  });
  const RawSocket client = Ask();
  EXPECT_GT(budget().used(), 0U);
  EXPECT_LE(budget().used(), 256U << 10U);
  EXPECT_GT(script->waiting.size(), 1U << 20U);
}

TEST_F(ServerMemoryTest, AnAnswerOf408ClosesTheConnection) {
  std::unique_ptr<Stream> body;
  Serve([&](Request request, ResultCallback<Reply> done) {
    body = std::move(request.body_stream);
    Reply reply;
    reply.status = 408;
    done(std::move(reply));
  });
  RawSocket client = RawSocket::Connect(server_->addresses().front());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_NE(Answer(client).find("Connection: close\r\n"), std::string::npos);
  EXPECT_LE(TimeUntilClosed(), kLingerDeadline);
}

}  // namespace
}  // namespace swarm::net
