// A loop on virtual time and a client of one engine, driven from a test.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "async/loop.h"
#include "sim/sim_backend.h"
#include "sim/sim_engine.h"
#include "swarmlib/backend.h"
#include "swarmlib/clock.h"

namespace swarm {

// Reads a stream in the background.
class StreamReader {
 public:
  explicit StreamReader(std::unique_ptr<Stream> stream) : state_(std::make_shared<State>()) {
    state_->stream = std::move(stream);
    ReadNext(state_);
  }
  ~StreamReader() { Drop(); }

  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;

  const std::string& text() const { return state_->text; }
  bool ended() const { return state_->ended; }
  const absl::Status& status() const { return state_->status; }
  Stream& stream() { return *state_->stream; }
  void Drop() { state_->stream.reset(); }

 private:
  // Kept by the read under way, whose callback comes after its stream was dropped.
  struct State {
    std::unique_ptr<Stream> stream;
    std::array<char, 64> buffer;  // small, so that several reads are needed
    std::string text;
    bool ended = false;
    absl::Status status;
  };

  static void ReadNext(const std::shared_ptr<State>& state) {
    if (!state->stream) {
      state->ended = true;
      return;
    }
    state->stream->Read(std::span<char>(state->buffer), [state](absl::StatusOr<std::size_t> got) {
      if (!got.ok() || *got == 0) {
        state->ended = true;
        state->status = got.status();
        return;
      }
      state->text.append(state->buffer.data(), *got);
      ReadNext(state);
    });
  }

  std::shared_ptr<State> state_;
};

class SimTest : public testing::Test {
 protected:
  SimTest() : loop_(clock_, {}) { UseEngine({}); }
  ~SimTest() override {
    backend_.reset();
    loop_.RunReady();
  }

  void UseEngine(SimEngineOptions options, Duration latency = {}) {
    engine_ = std::make_shared<SimulatedEngine>(std::move(options), clock_, 1);
    backend_ = MakeSimBackend(engine_, latency);
  }

  // Runs what is ready; virtual time stands still.
  void Settle() {
    for (int i = 0; i < 1000 && loop_.RunReady() > 0; ++i) {
    }
  }

  // Lets virtual time pass.
  void Pass(Duration time) {
    const TimePoint end = clock_.Now() + time;
    bool is_over = false;
    OnLoop([&] { loop_.After(time, [&is_over] { is_over = true; }); });
    for (int i = 0; i < 100'000 && !is_over; ++i) {
      Settle();
      if (!is_over) loop_.StepTime(clock_);
    }
    Settle();
    ASSERT_GE(clock_.Now(), end);
  }

  void OnLoop(std::function<void()> work) {
    loop_.Post([work = std::move(work)] { work(); });
    Settle();
  }

  enum class How { kCall, kOpen, kUpgrade, kRaw };  // kRaw: a tunnel without an Upgrade header

  absl::StatusOr<Reply> Ask(How how, std::string method, std::string target, std::string body = {},
                            CallOptions options = {}) {
    std::optional<absl::StatusOr<Reply>> result;
    OnLoop([&] {
      Request request;
      request.method = std::move(method);
      request.target = std::move(target);
      request.body = std::move(body);
      request.wants_upgrade = how == How::kUpgrade;
      auto done = [&result](absl::StatusOr<Reply> reply) { result = std::move(reply); };
      if (how == How::kCall) backend_->Call(std::move(request), options, done);
      if (how == How::kOpen) backend_->Open(std::move(request), options, done);
      if (how == How::kUpgrade || how == How::kRaw)
        backend_->Upgrade(std::move(request), options, done);
    });
    for (int i = 0; i < 10'000 && !result; ++i) {
      if (loop_.RunReady() == 0) loop_.StepTime(clock_);
    }
    if (!result) return absl::InternalError("no answer");
    return std::move(*result);
  }

  Reply Call(std::string method, std::string target, std::string body = {}) {
    absl::StatusOr<Reply> reply =
        Ask(How::kCall, std::move(method), std::move(target), std::move(body));
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? *std::move(reply) : Reply{.status = 0};
  }

  std::unique_ptr<StreamReader> Open(std::string method, std::string target,
                                     std::string body = {}) {
    absl::StatusOr<Reply> reply =
        Ask(How::kOpen, std::move(method), std::move(target), std::move(body));
    EXPECT_TRUE(reply.ok() && reply->status == 200) << reply.status();
    return std::make_unique<StreamReader>(std::move(reply->body_stream));
  }

  std::unique_ptr<StreamReader> Upgrade(std::string target, std::string body = {}) {
    absl::StatusOr<Reply> reply = Ask(How::kUpgrade, "POST", std::move(target), std::move(body));
    EXPECT_TRUE(reply.ok() && reply->status == 101) << reply.status();
    return std::make_unique<StreamReader>(std::move(reply->tunnel));
  }

  // Creates a container and gives its id.
  std::string Create(const std::string& name, const std::string& body) {
    const Reply reply = Call("POST", "/v1.41/containers/create?name=" + name, body);
    EXPECT_EQ(reply.status, 201) << reply.body;
    return reply.body.size() > 71 ? reply.body.substr(7, 64) : std::string();
  }

  void Write(StreamReader& reader, const std::string& bytes) {
    bool written = false;
    OnLoop([&] {
      reader.stream().Write(bytes, [&written](absl::Status status) { written = status.ok(); });
    });
    EXPECT_TRUE(written);
  }

  ManualClock clock_;
  Loop loop_;
  std::shared_ptr<SimulatedEngine> engine_;
  std::unique_ptr<BackendClient> backend_;
};

}  // namespace swarm
