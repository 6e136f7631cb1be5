// Writes that the other side does not take: each ends in its time and says how much was taken.
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "async/loop.h"
#include "manager/exchange_core.h"
#include "swarmlib/caller_loop.h"
#include "swarmlib/status.h"
#include "unit/manager/exchange_fixture.h"

namespace swarm {
namespace {

using std::chrono::milliseconds;

// Engines that take an upload and a tunnel, and read nothing of what comes.
class DeafClient final : public BackendClient {
 public:
  explicit DeafClient(std::unique_ptr<BackendClient> real) : real_(std::move(real)) {}
  void Call(Request request, CallOptions options, ResultCallback<Reply> done) override {
    real_->Call(std::move(request), std::move(options), std::move(done));
  }
  void Open(Request request, CallOptions options, ResultCallback<Reply> done) override {
    if (request.method != "PUT")
      return real_->Open(std::move(request), std::move(options), std::move(done));
    // Held until the request is given up.
    auto held = std::make_shared<Held>();
    held->request = std::move(request);
    held->done = std::move(done);
    held->stopped.emplace(options.stop, [held, post = CallerLoop()] {
      post([held] {
        held->request.body_stream.reset();
        held->done(Cancelled("given up"));
        held->stopped.reset();
      });
    });
  }
  void Upgrade(Request, CallOptions, ResultCallback<Reply> done) override {
    Reply reply;
    reply.status = 101;
    reply.tunnel = std::make_unique<DeafStream>();
    done(std::move(reply));
  }

 private:
  struct Held {
    Request request;
    ResultCallback<Reply> done;
    std::optional<std::stop_callback<std::function<void()>>> stopped;
  };
  class DeafStream final : public Stream {
   public:
    void Read(std::span<char>, ResultCallback<std::size_t> done) override {
      reading_ = std::move(done);
    }
    void Write(std::string_view, Callback<absl::Status> done) override {
      writing_ = std::move(done);
    }
    void CloseWrite() override { ADD_FAILURE() << "ended in the middle of a write"; }
    void Abort() override {}

   private:
    ResultCallback<std::size_t> reading_;
    Callback<absl::Status> writing_;
  };

  const std::unique_ptr<BackendClient> real_;
};

class DeafEngineTest : public ExchangeTest {
 protected:
  DeafEngineTest() : ExchangeTest(DeafEngines()) {}
  static Config DeafEngines() {
    Config config = ThreeEngines();
    config.backend = [real = config.backend](const std::string& address) {
      return std::make_unique<DeafClient>(real(address));
    };
    return config;
  }
};

TEST_F(DeafEngineTest, AWriteThatNobodyTakesEndsInItsTime) {
  Run("web", R"(["cat"])");
  const auto upload = manager_->Begin(Asking("PUT", "/containers/web/archive?path=/"), true);
  // The way to the engine may hold some; then it is full.
  const std::string much(std::size_t{8} << 20, 'x');
  absl::StatusOr<std::size_t> taken = upload->Write(much, milliseconds(50));
  while (taken.ok() && *taken > 0) taken = upload->Write(much, milliseconds(50));
  EXPECT_EQ(taken.status().code(), absl::StatusCode::kDeadlineExceeded) << taken.status();
  EXPECT_EQ(upload->Write("x", milliseconds(0)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(upload->CloseWrite().ok());
  EXPECT_EQ(upload->WaitHead(milliseconds(20)).code(), absl::StatusCode::kDeadlineExceeded);
  upload->Abort();
  EXPECT_EQ(upload->Write("x", kLong).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(DeafEngineTest, AWriteIntoATunnelThatNobodyReadsEndsInItsTime) {
  Run("web", R"(["cat"])");
  Request request = Asking("POST", "/containers/web/attach?stream=1&stdin=1&stdout=1");
  request.headers = {{"Upgrade", "tcp"}};
  const auto tunnel = manager_->Begin(std::move(request));
  ASSERT_TRUE(tunnel->WaitHead(kLong).ok());
  ASSERT_TRUE(tunnel->tunnel());
  const std::string much(std::size_t{1} << 20, 'x');
  const absl::StatusOr<std::size_t> taken = tunnel->Write(much, milliseconds(20));
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(*taken, 65536U) << "what is on its way";
  EXPECT_EQ(tunnel->Write(much, milliseconds(20)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(tunnel->CloseWrite().ok()) << "it waits for what is on its way";
  EXPECT_EQ(tunnel->Write("x", kLong).status().code(), absl::StatusCode::kFailedPrecondition);
}

// Keeps what is written, and takes its time.
class SlowTunnel final : public Stream {
 public:
  SlowTunnel(Loop& loop, std::shared_ptr<std::string> got) : loop_(loop), got_(std::move(got)) {}
  void Read(std::span<char>, ResultCallback<std::size_t>) override {}
  void Write(std::string_view bytes, Callback<absl::Status> done) override {
    got_->append(bytes);
    loop_.Post([done = std::move(done)]() mutable { done(absl::OkStatus()); });
  }
  void CloseWrite() override {}
  void Abort() override {}

 private:
  Loop& loop_;
  const std::shared_ptr<std::string> got_;
};

// A body that is uploaded until the answer is a tunnel, step by step.
class BecomesTunnelTest : public ::testing::Test {
 protected:
  BecomesTunnelTest() : loop_(clock_, nullptr), upload_(core_->OpenUpload({})) {}
  ~BecomesTunnelTest() override {
    core_->Release(Cancelled("the test has ended"));
    upload_.reset();
    Settle();
  }

  void Settle() {
    while (loop_.RunReady() > 0) {
    }
  }
  void AnswerWithTunnel() {
    Reply reply;
    reply.status = 101;
    reply.tunnel = std::make_unique<SlowTunnel>(loop_, got_);
    core_->Answered(std::move(reply));
  }

  ManualClock clock_;
  Loop loop_;
  const std::shared_ptr<std::string> got_ = std::make_shared<std::string>();
  const std::shared_ptr<Exchange::Core> core_ =
      std::make_shared<Exchange::Core>(loop_, std::make_shared<ExchangeSet>(), false);
  std::unique_ptr<Stream> upload_;
};

TEST_F(BecomesTunnelTest, APieceThatWasGivenUpDoesNotSendTheNextOneTwice) {
  EXPECT_EQ(core_->Write("given up", milliseconds(0)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  AnswerWithTunnel();
  const absl::StatusOr<std::size_t> taken = core_->Write("once", milliseconds(0));
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(*taken, 4U);
  Settle();
  EXPECT_EQ(*got_, "once");
}

TEST_F(BecomesTunnelTest, WhatTheBodyDidNotTakeGoesIntoTheTunnel) {
  std::string body(4, '\0');
  absl::StatusOr<std::size_t> count = std::size_t{0};
  upload_->Read(body, [&](absl::StatusOr<std::size_t> read) { count = std::move(read); });
  absl::StatusOr<std::size_t> taken = std::size_t{0};
  std::thread writer([&] { taken = core_->Write("headtail", kLong); });
  const auto end = std::chrono::steady_clock::now() + kLong;
  const auto until = [&](const auto& holds) {
    while (!holds() && std::chrono::steady_clock::now() < end) Settle();
  };
  until([&] { return *count == 4; });
  AnswerWithTunnel();
  until([&] { return got_->size() == 4; });
  writer.join();
  EXPECT_EQ(body + *got_, "headtail");
  EXPECT_EQ(taken.value_or(0), 8U);
}

}  // namespace
}  // namespace swarm
