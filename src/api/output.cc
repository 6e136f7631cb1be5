#include "api/output.h"

#include <algorithm>
#include <utility>

#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr std::size_t kKeptRoom = 16U << 10U;  // bytes of memory that an empty output keeps

}  // namespace

// Keeps the output alive and tells it when nobody reads any more.
class OutputReader final : public Stream {
 public:
  explicit OutputReader(std::shared_ptr<Output> output) : output_(std::move(output)) {}
  ~OutputReader() override { output_->Gone(); }

  void Read(std::span<char> into, ResultCallback<std::size_t> done) override {
    output_->Read(into, std::move(done));
  }

  void Write(std::string_view, Callback<absl::Status> done) override {
    output_->loop_.Post([done = std::move(done)]() mutable {
      done(FailedPrecondition("the body of a reply is only read"));
    });
  }

  void CloseWrite() override {}
  void Abort() override { output_->Gone(); }

 private:
  std::shared_ptr<Output> output_;
};

std::unique_ptr<Stream> Output::Reader() {
  return std::make_unique<OutputReader>(shared_from_this());
}

bool Output::Write(std::string_view bytes) {
  if (gone_ || ended_) return false;
  if (held() + bytes.size() > most_) {
    Fail(ResourceExhausted("the client reads too slowly: " + std::to_string(held()) +
                           " bytes are waiting for it"));
    return false;
  }
  held_ += bytes;
  Deliver();
  return true;
}

void Output::End() { Fail(absl::OkStatus()); }

void Output::Fail(absl::Status why) {
  if (ended_) return;
  ended_ = true;
  end_ = std::move(why);
  Deliver();
}

void Output::OnGone(Callback<> then) {
  if (gone_) {
    loop_.Post(std::move(then));
  } else {
    on_gone_ = std::move(then);
  }
}

void Output::OnRoom(std::size_t held, Callback<> then) {
  room_ = held;
  on_room_ = std::move(then);
  TellRoom();
}

void Output::TellRoom() {
  if (!on_room_ || gone_ || held() > room_) return;
  loop_.Post(std::exchange(on_room_, nullptr));
}

void Output::Read(std::span<char> into, ResultCallback<std::size_t> done) {
  into_ = into;
  reading_ = std::move(done);
  Deliver();
}

void Output::Deliver() {
  if (!reading_) return;
  absl::StatusOr<std::size_t> result = std::size_t{0};
  if (gone_) {
    result = Cancelled("the stream was aborted");
  } else if (held() > 0) {
    std::size_t count = std::min(held(), into_.size());
    if (whole_lines_ && count < held()) {
      const std::size_t last = std::string_view(held_).substr(begin_, count).rfind('\n');
      if (last != std::string_view::npos) count = last + 1;
    }
    std::copy_n(held_.data() + begin_, count, into_.data());
    begin_ += count;
    if (begin_ == held_.size()) {
      if (held_.capacity() > kKeptRoom) held_ = {};
      held_.clear();
      begin_ = 0;
    } else if (begin_ >= kKeptRoom && begin_ >= held_.size() / 2) {
      held_.erase(0, begin_);
      begin_ = 0;
    }
    result = count;
    TellRoom();
  } else if (!ended_) {
    return;
  } else if (!end_.ok()) {
    result = end_;
  }
  ResultCallback<std::size_t> done = std::move(reading_);
  reading_ = nullptr;
  loop_.Post(
      [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

void Output::Gone() {
  if (gone_) return;
  gone_ = true;
  Callback<> on_gone = std::move(on_gone_);
  on_gone_ = nullptr;
  on_room_ = nullptr;
  Deliver();
  if (on_gone) loop_.Post(std::move(on_gone));
}

}  // namespace swarm
