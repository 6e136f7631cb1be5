// A Stream whose read side a test feeds by hand.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "async/loop.h"
#include "swarmlib/status.h"
#include "swarmlib/stream.h"

namespace swarm::net {

// What the test holds of it. All on the loop.
struct Script {
  explicit Script(Loop& on) : loop(on) {}

  void Feed(std::string_view bytes) {
    waiting += bytes;
    Serve();
  }
  void End() {
    ended = true;
    Serve();
  }
  void Break(absl::Status status) {
    broken = std::move(status);
    Serve();
  }
  void Serve() {
    if (!done) return;
    if (!waiting.empty()) {
      const std::size_t count = std::min(waiting.size(), into.size());
      std::memcpy(into.data(), waiting.data(), count);
      waiting.erase(0, count);
      return Finish(count);
    }
    if (!broken.ok()) return Finish(broken);
    if (ended) Finish(std::size_t{0});
  }
  void Finish(absl::StatusOr<std::size_t> result) {
    loop.Post([done = std::exchange(done, nullptr), result = std::move(result)]() mutable {
      done(std::move(result));
    });
  }

  Loop& loop;
  std::string waiting;
  bool ended = false;
  bool destroyed = false;
  absl::Status broken;
  std::span<char> into;
  ResultCallback<std::size_t> done;
};

class ScriptStream final : public Stream {
 public:
  explicit ScriptStream(std::shared_ptr<Script> script) : script_(std::move(script)) {}
  ~ScriptStream() override {
    Abort();
    script_->destroyed = true;
  }
  void Read(std::span<char> into, ResultCallback<std::size_t> done) override {
    script_->into = into;
    script_->done = std::move(done);
    script_->Serve();
  }
  void Write(std::string_view, Callback<absl::Status> done) override {
    script_->loop.Post([done = std::move(done)]() mutable { done(absl::OkStatus()); });
  }
  void CloseWrite() override {}
  void Abort() override {
    if (script_->done) script_->Finish(Cancelled("aborted"));
  }

 private:
  const std::shared_ptr<Script> script_;
};

}  // namespace swarm::net
