// What the fast path does with engines that answer late, not at all, unasked or in pieces that are
// none.
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <string_view>
#include <thread>

#include "net/bounds.h"
#include "two_ways.h"

namespace swarm::net {
namespace {

TEST(EngineBody, MalformedFirstChunkIsA502) {
  TwoWays ways;
  for (const char* target : {"/fast", "/handled", "/open"}) {
    for (const char* chunk :
         {"zz\r\nhello", "5 \r\nhello\r\n", "-1\r\na\r\n", "\r\n", "5\nhello"}) {
      const std::string answer = ways.Answer(
          target, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(chunk));
      EXPECT_EQ(StatusOf(answer), 502) << target << " " << chunk << ": " << answer;
      EXPECT_NE(answer.find(ways.engine().address().substr(6)), std::string::npos) << answer;
    }
  }
}

// Else the bytes would be taken for the answer to somebody else's request.
TEST(EngineConnection, BytesThatNobodyAskedForAreNoAnswer) {
  TwoWays ways;
  RawSocket engine = ways.Warm();
  RawSocket client = ways.server().Connect();
  std::promise<void> go, stopped;
  ways.server().loop().Post([&go, &stopped] {
    stopped.set_value();
    go.get_future().wait();  // so that the request comes first, and the bytes before it is read
  });
  stopped.get_future().wait();
  client.Send("GET /fast HTTP/1.1\r\nHost: m\r\n\r\n");
  engine.Send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
  go.set_value();
  RawSocket fresh = ways.engine().Accept();
  ASSERT_GE(fresh.get(), 0) << "the poisoned connection was used";
  EXPECT_TRUE(fresh.ReceiveUntil("\r\n\r\n").starts_with("GET /fast"));
  fresh.Send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
  EXPECT_TRUE(ReceiveAnswer(client).ends_with("good"));
}

// An engine that answers one request when it is told to, in virtual time.
class LateHead : public testing::Test {
 protected:
  explicit LateHead(Duration patience = std::chrono::seconds(30)) : loop_(clock_, nullptr) {
    auto endpoint = std::make_shared<Endpoint>();
    endpoint->address = *ParseAddress(engine_.address());
    upstream_ = std::make_shared<Client>(loop_, endpoint);
    answering_ = std::thread([this] { Answer(); });
    Request ping;
    ping.method = "GET";
    ping.target = "/_ping";
    upstream_->Call(std::move(ping), {}, [](absl::StatusOr<Reply>) {});
    EXPECT_TRUE(WaitUntil([&] { return Run() && upstream_->idle() == 1; }));
    ServerOptions options;
    options.forward = [this, patience](const RequestHead& head, Forward* forward) {
      forward->upstream = upstream_;
      forward->target = head.target;
      forward->is_healthy =
          std::make_shared<const std::function<bool()>>([this] { return healthy_; });
      forward->patience = patience;
      return true;
    };
    server_ = std::make_unique<Server>(loop_, std::move(options),
                                       [this](Request, ResultCallback<Reply> done) {
                                         ++handled_;
                                         Reply reply;
                                         reply.status = 203;
                                         done(std::move(reply));
                                       });
    EXPECT_TRUE(server_->Listen("tcp://127.0.0.1:0").ok());
    client_ = RawSocket::Connect(server_->addresses().front());
    client_.Send("GET /export HTTP/1.1\r\nHost: m\r\n\r\n");
    EXPECT_TRUE(WaitUntil([&] { return Run() && server_->active() == 1; }));
  }
  ~LateHead() override {
    if (!told_) go_.set_value(false);
    server_.reset();
    upstream_.reset();
    answering_.join();
  }

  bool Run() {
    loop_.RunReady();
    return true;
  }
  void Pass(Duration time) {
    const TimePoint end = clock_.Now() + time;
    while (clock_.Now() < end && loop_.StepTime(clock_)) {
      for (int i = 0; i < 10; ++i) loop_.RunReady();
    }
  }
  void LetAnswer() {
    told_ = true;
    go_.set_value(true);
  }
  std::string ReceiveReply() {
    EXPECT_TRUE(WaitUntil([&] { return Run() && server_->active() == 0; }));
    return ReceiveAnswer(client_);
  }
  int handled() const { return handled_; }
  std::size_t active() const { return server_->active(); }
  RawSocket& client() { return client_; }

  bool healthy_ = true;

 private:
  void Answer() {
    RawSocket connection = engine_.Accept();
    connection.ReceiveUntil("\r\n\r\n");
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    connection.ReceiveUntil("\r\n\r\n");
    if (go_.get_future().get()) connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
    connection.ReceiveAll();
  }

  ManualClock clock_;
  Loop loop_;
  RawListener engine_;
  std::shared_ptr<Client> upstream_;
  std::promise<bool> go_;
  bool told_ = false;
  std::thread answering_;
  std::unique_ptr<Server> server_;
  RawSocket client_;
  int handled_ = 0;
};

TEST_F(LateHead, IsWaitedForAndNotAskedForTwice) {
  Pass(kRelayDeadline * 7);
  EXPECT_EQ(handled(), 0);
  LetAnswer();
  EXPECT_TRUE(ReceiveReply().ends_with("late"));
  EXPECT_EQ(handled(), 0);
}

TEST_F(LateHead, GoesToTheHandlerWhenItsNodeIsNotHealthyAnyMore) {
  Pass(kRelayDeadline * 2);
  EXPECT_EQ(handled(), 0);
  healthy_ = false;
  Pass(kRelayDeadline);
  EXPECT_EQ(StatusOf(ReceiveReply()), 203);
  EXPECT_EQ(handled(), 1);
}

TEST_F(LateHead, IsA504WhenPatienceIsOver) {
  Pass(std::chrono::seconds(31));
  const std::string answer = ReceiveReply();
  EXPECT_EQ(StatusOf(answer), 504) << answer;
  EXPECT_NE(answer.find("did not answer within 30000 ms"), std::string::npos) << answer;
  EXPECT_EQ(handled(), 0);
}

class LateExport : public LateHead {
 protected:
  LateExport() : LateHead(std::chrono::hours(1)) {}
};

TEST_F(LateExport, OfAClientThatEndedItsSideIsBounded) {
  Pass(kRelayPause * 2);
  EXPECT_EQ(active(), 1U);
  client().CloseWrite();
  EXPECT_TRUE(WaitUntil([&] {
    Run();
    Pass(kRelayDeadline);
    return active() == 0;
  }));
  EXPECT_EQ(client().ReceiveAll(), "");
  EXPECT_EQ(handled(), 0);
}

}  // namespace
}  // namespace swarm::net
