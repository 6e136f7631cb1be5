// Writes that the other side does not take: each ends in its time and says how much was taken.
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace swarm
