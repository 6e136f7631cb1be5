#include "async/await.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "swarmlib/status.h"

namespace swarm {
namespace {

// A stream of given pieces that records what is written to it.
class ScriptedStream final : public Stream {
 public:
  ScriptedStream(Loop& loop, std::vector<std::string> pieces, absl::Status end = absl::OkStatus())
      : loop_(loop), pieces_(std::move(pieces)), end_(std::move(end)) {}

  void Read(std::span<char> into, ResultCallback<std::size_t> done) override {
    absl::StatusOr<std::size_t> result = std::size_t{0};
    if (next_ < pieces_.size()) {
      std::memcpy(into.data(), pieces_[next_].data(), pieces_[next_].size());
      result = pieces_[next_++].size();
    } else if (!end_.ok()) {
      result = end_;
    }
    loop_.Post([done = std::move(done), result = std::move(result)]() mutable {
      done(std::move(result));
    });
  }
  void Write(std::string_view bytes, Callback<absl::Status> done) override {
    written += bytes;
    loop_.Post([done = std::move(done)]() mutable { done(absl::OkStatus()); });
  }
  void CloseWrite() override {}
  void Abort() override {}

  std::string written;

 private:
  Loop& loop_;
  std::vector<std::string> pieces_;
  std::size_t next_ = 0;
  absl::Status end_;
};

Task<void> ReadAllInto(Stream* from, std::size_t most, absl::StatusOr<std::string>* result) {
  *result = co_await ReadAll(*from, most);
}

TEST(ReadAllTest, ReadsToTheEndWithinItsBound) {
  struct Case {
    std::size_t most;
    absl::StatusOr<std::string> expected;
  };
  const Case cases[] = {
      {6, std::string("abcdef")},
      {100, std::string("abcdef")},
      {5, ResourceExhausted("a body of more than 5 bytes")},
  };
  for (const Case& test : cases) {
    ManualClock clock;
    Loop loop(clock, nullptr);
    ScriptedStream from(loop, {"abc", "def"});
    absl::StatusOr<std::string> result = std::string("not done");
    loop.Spawn(ReadAllInto(&from, test.most, &result));
    loop.RunReady();
    EXPECT_EQ(result, test.expected);
  }
}

struct MoveOnly {
  std::unique_ptr<int> value;
};

Task<void> AwaitFrom(std::function<void(Callback<MoveOnly>)> start, int* result, Loop** where) {
  MoveOnly got = co_await AwaitCallback<MoveOnly>(std::move(start));
  *result = *got.value;
  *where = Loop::Current();
}

TEST(AwaitCallbackTest, GoesOnOnItsLoopWhereverTheCallbackComes) {
  enum class Place { kInside, kLater, kOtherThread };
  for (const Place place : {Place::kInside, Place::kLater, Place::kOtherThread}) {
    Loop loop(SystemClock(), nullptr);
    std::thread thread;
    Callback<MoveOnly> kept;
    int result = 0;
    Loop* where = nullptr;
    std::function<void(Callback<MoveOnly>)> start = [&](Callback<MoveOnly> done) {
      MoveOnly value{std::make_unique<int>(7)};
      if (place == Place::kInside) return done(std::move(value));
      kept = std::move(done);
      if (place == Place::kLater) {
        loop.Post([&] { kept(MoveOnly{std::make_unique<int>(7)}); });
      } else {
        thread = std::thread([&] { kept(MoveOnly{std::make_unique<int>(7)}); });
      }
    };
    std::thread runner([&] { loop.Run(); });
    std::atomic<bool> done{false};
    loop.Spawn(AwaitFrom(std::move(start), &result, &where));
    // The loop is asked until the task has ended.
    while (!done) {
      std::promise<bool> seen;
      loop.Post([&] { seen.set_value(where != nullptr); });
      done = seen.get_future().get();
    }
    loop.Stop();
    runner.join();
    if (thread.joinable()) thread.join();
    EXPECT_EQ(result, 7);
    EXPECT_EQ(where, &loop);
  }
}

Task<void> SleepTwice(std::vector<int>* seen) {
  co_await SleepFor(std::chrono::seconds(1));
  seen->push_back(1);
  co_await SleepFor(std::chrono::seconds(2));
  seen->push_back(3);
}

TEST(SleepForTest, SleepsOnTheLoopsClock) {
  ManualClock clock;
  Loop loop(clock, nullptr);
  std::vector<int> seen;
  const TimePoint start = clock.Now();
  loop.Spawn(SleepTwice(&seen));
  loop.RunReady();
  EXPECT_TRUE(seen.empty());
  EXPECT_TRUE(loop.StepTime(clock));
  loop.RunReady();
  EXPECT_EQ(seen, (std::vector<int>{1}));
  EXPECT_TRUE(loop.StepTime(clock));
  loop.RunReady();
  EXPECT_EQ(seen, (std::vector<int>{1, 3}));
  EXPECT_EQ(clock.Now() - start, std::chrono::seconds(3));
}

// A client that answers with the request's target, to see that all three seams pass through.
class EchoClient final : public BackendClient {
 public:
  void Call(Request request, CallOptions options, ResultCallback<Reply> done) override {
    Answer("call " + request.target, options, std::move(done));
  }
  void Open(Request request, CallOptions options, ResultCallback<Reply> done) override {
    Answer("open " + request.target, options, std::move(done));
  }
  void Upgrade(Request request, CallOptions options, ResultCallback<Reply> done) override {
    Answer("upgrade " + request.target, options, std::move(done));
  }

 private:
  static void Answer(std::string body, const CallOptions& options, ResultCallback<Reply> done) {
    if (options.stop.stop_requested()) return done(Cancelled("stopped"));
    Reply reply;
    reply.body = std::move(body);
    done(std::move(reply));
  }
};

Task<void> UseAll(BackendClient* client, std::vector<std::string>* seen) {
  Request first;
  first.target = "/1";
  CallOptions options;
  absl::StatusOr<Reply> called = co_await Call(*client, std::move(first), options);
  seen->push_back(called->body);
  Request second;
  second.target = "/2";
  absl::StatusOr<Reply> opened = co_await OpenStream(*client, std::move(second), options);
  seen->push_back(opened->body);
  Request third;
  third.target = "/3";
  absl::StatusOr<Reply> upgraded = co_await Upgrade(*client, std::move(third), options);
  seen->push_back(upgraded->body);
  std::stop_source stop;
  stop.request_stop();
  options.stop = stop.get_token();
  Request fourth;
  absl::StatusOr<Reply> stopped = co_await Call(*client, std::move(fourth), options);
  seen->push_back(std::string(MessageOf(stopped.status())));
}

TEST(BackendAwaitTest, PassesRequestsAndReplies) {
  ManualClock clock;
  Loop loop(clock, nullptr);
  EchoClient client;
  std::vector<std::string> seen;
  loop.Spawn(UseAll(&client, &seen));
  loop.RunReady();
  EXPECT_EQ(seen, (std::vector<std::string>{"call /1", "open /2", "upgrade /3", "stopped"}));
}

}  // namespace
}  // namespace swarm
