#include "manager/exchange_core.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "swarmlib/status.h"
#include "swarmlib/wiped.h"

namespace swarm {
namespace {

// The read side of a request's body that comes from another thread.
class UploadStream final : public Stream {
 public:
  explicit UploadStream(std::shared_ptr<Exchange::Core> core) : core_(std::move(core)) {}
  ~UploadStream() override { core_->DropUpload(); }

  void Read(std::span<char> into, ResultCallback<std::size_t> done) override {
    core_->ReadUpload(into, std::move(done));
  }
  void Write(std::string_view, Callback<absl::Status> done) override {
    core_->loop().Post([done = std::move(done)]() mutable {
      done(FailedPrecondition("a request's body is only read"));
    });
  }
  void CloseWrite() override {}
  void Abort() override { core_->CancelUploadRead(); }

 private:
  const std::shared_ptr<Exchange::Core> core_;
};

}  // namespace

bool ExchangeSet::Add(const std::shared_ptr<Exchange::Core>& core) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!closed_) open_.emplace(core.get(), core);
  return !closed_;
}

void ExchangeSet::Remove(const Exchange::Core* core) {
  const std::lock_guard<std::mutex> lock(mutex_);
  open_.erase(core);
}

std::vector<std::shared_ptr<Exchange::Core>> ExchangeSet::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  std::vector<std::shared_ptr<Exchange::Core>> all;
  for (const auto& entry : open_) {
    if (auto core = entry.second.lock()) all.push_back(std::move(core));
  }
  return all;
}

Exchange::Core::Core(absl::Status why)
    : loop_(nullptr), head_method_(false), over_(std::move(why)), released_(true) {}

Exchange::Core::Core(Loop& loop, std::shared_ptr<ExchangeSet> set, bool head_method)
    : loop_(&loop), set_(std::move(set)), head_method_(head_method) {}

Exchange::Core::~Core() {
  if (set_) set_->Remove(this);
}

std::unique_ptr<Stream> Exchange::Core::OpenUpload(std::string first) {
  upload_ = Upload::kOpen;
  outgoing_ = std::move(first);
  return std::make_unique<UploadStream>(shared_from_this());
}

void Exchange::Core::Answered(absl::StatusOr<Reply> reply) {
  if (released_) return;
  if (!reply.ok()) return Release(reply.status());
  bool ended = false;
  {
    const Lock lock(mutex_);
    answered_ = true;
    status_ = reply->status;
    headers_ = std::move(reply->headers);
    tunnel_ = reply->tunnel != nullptr;
    if (tunnel_) {
      source_ = std::move(reply->tunnel);
      Give(std::move(reply->tunnel_head));
    } else if (!head_method_) {
      Give(std::move(reply->body));
      for (auto& piece : reply->pieces) {
        if (!piece->empty()) parts_.push_back(std::move(piece));
      }
      source_ = std::move(reply->body_stream);
    }
    more_ = source_ != nullptr;
    if (tunnel_) {
      // What the body has not taken goes into the tunnel.
      if (upload_ == Upload::kOpen) upload_ = Upload::kDropped;
      writing_ = false;
      written_ = absl::OkStatus();
    }
    ended = tunnel_ && ended_;
  }
  Changed();
  if (ended) CloseTunnel();
}

void Exchange::Core::Release(absl::Status why) {
  if (std::exchange(released_, true)) return;
  {
    const Lock lock(mutex_);
    gone_ = true;
    const bool whole = answered_ && !more_ && !tunnel_;
    if (upload_ == Upload::kOpen) upload_ = Upload::kDropped;
    if (std::exchange(writing_, false)) written_ = why;
    // An answer that is all there is still its caller's.
    if (over_.ok() && !whole) over_ = std::move(why);
  }
  Changed();
  stop_.request_stop();
  CancelUploadRead();
  const std::unique_ptr<Stream> dropped = std::move(source_);
}

void Exchange::Core::Refuse(absl::Status why) {
  {
    const Lock lock(mutex_);
    if (over_.ok()) over_ = std::move(why);
  }
  Changed();
}

void Exchange::Core::StartRead() {
  if (released_ || !source_) return;
  source_->Read(std::span<char>(buffer_),
                [core = shared_from_this()](absl::StatusOr<std::size_t> count) {
                  core->OnRead(std::move(count));
                });
}

void Exchange::Core::OnRead(absl::StatusOr<std::size_t> count) {
  if (released_) return;
  const bool ended = !count.ok() || *count == 0;
  {
    const Lock lock(mutex_);
    reading_ = false;
    if (ended) {
      more_ = false;
      broken_ = count.status();
    } else {
      Give(std::string(buffer_.data(), *count));
    }
  }
  Changed();
  if (ended && !tunnel_) source_.reset();
}

void Exchange::Core::StartWrite() {
  if (released_) return;
  if (!tunnel_) return ServeUpload();
  {
    // Posted for a piece of the body, or another has written this one.
    const Lock lock(mutex_);
    if (!std::exchange(unsent_, false)) return;
  }
  source_->Write(outgoing_, [core = shared_from_this()](absl::Status status) {
    core->OnWritten(std::move(status));
  });
}

void Exchange::Core::OnWritten(absl::Status status) {
  bool ended = false;
  {
    const Lock lock(mutex_);
    writing_ = false;
    written_ = std::move(status);
    Wipe(outgoing_);
    ended = ended_;
  }
  Changed();
  if (ended) CloseTunnel();
}

void Exchange::Core::CloseTunnel() {
  if (!released_ && source_) source_->CloseWrite();
}

void Exchange::Core::ReadUpload(std::span<char> into, ResultCallback<std::size_t> done) {
  SWARM_CHECK(!upload_done_, "one read at a time");
  upload_into_ = into;
  upload_done_ = std::move(done);
  if (released_) return CancelUploadRead();
  ServeUpload();
}

void Exchange::Core::CancelUploadRead() {
  if (!upload_done_) return;
  loop_->Post([done = std::exchange(upload_done_, nullptr)]() mutable {
    done(Cancelled("the request was given up"));
  });
}

void Exchange::Core::DropUpload() {
  CancelUploadRead();
  {
    const Lock lock(mutex_);
    if (upload_ == Upload::kOpen) upload_ = Upload::kDropped;
    if (writing_ && !tunnel_) {
      writing_ = false;
      written_ = BodyNotRead();
    }
  }
  Changed();
}

void Exchange::Core::ServeUpload() {
  if (!upload_done_) return;
  std::size_t count = 0;
  bool taken = false;
  {
    const Lock lock(mutex_);
    // From then on it is the tunnel's.
    if (!tunnel_) count = std::min(upload_into_.size(), outgoing_.size() - sent_);
    if (count == 0 && upload_ != Upload::kClosed) return;
    std::memcpy(upload_into_.data(), outgoing_.data() + sent_, count);
    sent_ += count;
    taken = !tunnel_ && sent_ == outgoing_.size();
    if (taken) {
      Wipe(outgoing_);
      sent_ = 0;
      writing_ = false;
      written_ = absl::OkStatus();
    }
  }
  if (taken) Changed();
  loop_->Post([done = std::exchange(upload_done_, nullptr), count]() mutable { done(count); });
}

void Exchange::Core::Give(std::string bytes) {
  if (!bytes.empty()) parts_.push_back(std::make_shared<const std::string>(std::move(bytes)));
}

void Exchange::Core::Changed() {
  changed_.notify_all();
  std::array<Callback<>, kWaits> ready;
  {
    const Lock lock(mutex_);
    for (std::size_t what = 0; what < kWaits; ++what) {
      if (waiters_[what] && IsReady(static_cast<ExchangeWait>(what)))
        ready[what] = std::exchange(waiters_[what], nullptr);
    }
    // Of an answer whose head has just come nobody has asked for the first bytes yet.
    if (waiters_[static_cast<std::size_t>(ExchangeWait::kRead)]) AskForMore();
  }
  for (Callback<>& tell : ready) {
    if (tell) tell();
  }
}

}  // namespace swarm
