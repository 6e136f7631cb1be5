#include "manager/exchange_core.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

// Beyond it a clock could overflow.
constexpr Duration kLongestWait = std::chrono::hours(24 * 365);

std::chrono::steady_clock::time_point After(Duration timeout) {
  return std::chrono::steady_clock::now() + std::clamp(timeout, Duration::zero(), kLongestWait);
}

// Of one write into a tunnel, which cannot be taken back.
constexpr std::size_t kTunnelPiece = 65536;
// Of a body at once, what is copied for the loop.
constexpr std::size_t kBodyPiece = 262'144;

absl::Status NothingTaken() {
  return DeadlineExceeded("nothing of it was taken yet: the other side does not read");
}

absl::Status BodyNotRead() {
  return FailedPrecondition("the body of the request is not read any more; see its answer");
}

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

// ---- on the loop ----

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
  changed_.notify_all();
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
  changed_.notify_all();
  stop_.request_stop();
  CancelUploadRead();
  const std::unique_ptr<Stream> dropped = std::move(source_);
}

void Exchange::Core::Refuse(absl::Status why) {
  {
    const Lock lock(mutex_);
    if (over_.ok()) over_ = std::move(why);
  }
  changed_.notify_all();
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
  changed_.notify_all();
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
    outgoing_.clear();
    ended = ended_;
  }
  changed_.notify_all();
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
  changed_.notify_all();
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
      outgoing_.clear();
      sent_ = 0;
      writing_ = false;
      written_ = absl::OkStatus();
    }
  }
  if (taken) changed_.notify_all();
  loop_->Post([done = std::exchange(upload_done_, nullptr), count]() mutable { done(count); });
}

// ---- on the caller's threads ----

void Exchange::Core::Give(std::string bytes) {
  if (!bytes.empty()) parts_.push_back(std::make_shared<const std::string>(std::move(bytes)));
}

// Under the lock and only while the exchange is not over: then the loop still runs.
void Exchange::Core::Post(void (Core::*work)()) {
  loop_->Post([core = shared_from_this(), work] { (core.get()->*work)(); });
}

absl::Status Exchange::Core::AwaitHead(Lock& lock, Deadline deadline) {
  const bool there =
      changed_.wait_until(lock, deadline, [this] { return answered_ || !over_.ok(); });
  if (!over_.ok()) return over_;
  if (!there) return DeadlineExceeded("the manager has not answered yet");
  return absl::OkStatus();
}

absl::Status Exchange::Core::WaitHead(Duration timeout) {
  Lock lock(mutex_);
  return AwaitHead(lock, After(timeout));
}

absl::Status Exchange::Core::AwaitBytes(Lock& lock, Deadline deadline) {
  if (const absl::Status head = AwaitHead(lock, deadline); !head.ok()) return head;
  while (parts_.empty() && more_) {
    if (!std::exchange(reading_, true)) Post(&Core::StartRead);
    const bool in_time = changed_.wait_until(
        lock, deadline, [this] { return !parts_.empty() || !more_ || !over_.ok(); });
    if (!over_.ok()) return over_;
    if (!in_time) return DeadlineExceeded("nothing more has come yet");
  }
  return parts_.empty() ? broken_ : absl::OkStatus();
}

absl::StatusOr<std::size_t> Exchange::Core::Read(std::span<char> into, Duration timeout) {
  if (into.empty()) return InvalidArgument("there is no room to read into");
  Lock lock(mutex_);
  if (const absl::Status ready = AwaitBytes(lock, After(timeout)); !ready.ok()) return ready;
  std::size_t count = 0;
  while (count < into.size() && !parts_.empty()) {
    const std::string& part = *parts_.front();
    const std::size_t piece = std::min(part.size() - taken_, into.size() - count);
    std::memcpy(into.data() + count, part.data() + taken_, piece);
    count += piece;
    taken_ += piece;
    if (taken_ < part.size()) break;
    parts_.pop_front();
    taken_ = 0;
  }
  return count;
}

absl::StatusOr<std::string> Exchange::Core::ReadAll(std::size_t most, Duration timeout) {
  const Deadline deadline = After(timeout);
  std::string all;
  Lock lock(mutex_);
  while (true) {
    if (const absl::Status ready = AwaitBytes(lock, deadline); !ready.ok()) return ready;
    if (parts_.empty()) return all;
    const std::string& part = *parts_.front();
    if (part.size() - taken_ > most - all.size()) {
      return ResourceExhausted("the answer is longer than the " + std::to_string(most) +
                               " bytes that were allowed");
    }
    all.append(part, taken_);
    parts_.pop_front();
    taken_ = 0;
  }
}

absl::Status Exchange::Core::AwaitWritable(Lock& lock, Deadline deadline) {
  const bool known = changed_.wait_until(lock, deadline, [this] {
    return !over_.ok() || answered_ || upload_ == Upload::kOpen || upload_ == Upload::kDropped;
  });
  if (!over_.ok()) return over_;
  if (!known) return DeadlineExceeded("the manager has not answered yet");
  return CheckWritable();
}

absl::Status Exchange::Core::CheckWritable() const {
  if (ended_ && (tunnel_ || !answered_))
    return FailedPrecondition("our side of the tunnel was ended already");
  if (tunnel_ || upload_ == Upload::kOpen) return absl::OkStatus();
  if (upload_ == Upload::kDropped) return BodyNotRead();
  return FailedPrecondition(upload_ == Upload::kClosed ? "the body of the request was ended already"
                                                       : "the answer is not a tunnel");
}

absl::StatusOr<std::size_t> Exchange::Core::Write(std::string_view bytes, Duration timeout) {
  const Deadline deadline = After(timeout);
  Lock lock(mutex_);
  if (const absl::Status writable = AwaitWritable(lock, deadline); !writable.ok()) return writable;
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    const std::string_view left = bytes.substr(taken);
    const absl::StatusOr<std::size_t> piece =
        tunnel_ ? WriteIntoTunnel(lock, left, deadline) : WriteIntoBody(lock, left, deadline);
    if (!piece.ok() && absl::IsDeadlineExceeded(piece.status()) && taken > 0) return taken;
    if (!piece.ok()) return piece.status();
    taken += *piece;
  }
  return taken;
}

absl::StatusOr<std::size_t> Exchange::Core::WriteIntoBody(Lock& lock, std::string_view bytes,
                                                          Deadline deadline) {
  // What the upload has not taken yet (the first part) goes before.
  const bool is_free = changed_.wait_until(lock, deadline, [this] {
    return !over_.ok() || tunnel_ || outgoing_.empty() || upload_ != Upload::kOpen;
  });
  if (!over_.ok()) return over_;
  if (tunnel_ || upload_ != Upload::kOpen) {
    const absl::Status writable = CheckWritable();
    if (!writable.ok()) return writable;
    return std::size_t{0};
  }
  if (!is_free) return NothingTaken();
  const std::string_view piece = bytes.substr(0, kBodyPiece);
  outgoing_ = piece;
  sent_ = 0;
  writing_ = true;
  Post(&Core::StartWrite);
  const bool in_time =
      changed_.wait_until(lock, deadline, [this] { return !over_.ok() || !writing_; });
  if (!over_.ok()) return over_;
  const std::size_t sent = outgoing_.empty() ? piece.size() : sent_;
  outgoing_.clear();
  sent_ = 0;
  if (in_time) {
    if (!written_.ok()) return written_;
    return sent;
  }
  writing_ = false;
  if (sent == 0) return NothingTaken();
  return sent;
}

absl::StatusOr<std::size_t> Exchange::Core::WriteIntoTunnel(Lock& lock, std::string_view bytes,
                                                            Deadline deadline) {
  // A piece for which an earlier call did not wait to its end.
  const bool is_free =
      changed_.wait_until(lock, deadline, [this] { return !over_.ok() || !writing_; });
  if (!over_.ok()) return over_;
  if (!is_free) return NothingTaken();
  if (!written_.ok()) return written_;
  const std::string_view piece = bytes.substr(0, kTunnelPiece);
  outgoing_ = piece;
  sent_ = 0;
  writing_ = true;
  unsent_ = true;
  Post(&Core::StartWrite);
  const bool in_time =
      changed_.wait_until(lock, deadline, [this] { return !over_.ok() || !writing_; });
  if (!over_.ok()) return over_;
  if (in_time && !written_.ok()) return written_;
  return piece.size();
}

absl::Status Exchange::Core::CloseWrite() {
  const Lock lock(mutex_);
  if (!over_.ok()) return over_;
  if (!tunnel_ && upload_ == Upload::kOpen) {
    upload_ = Upload::kClosed;
    Post(&Core::ServeUpload);
    return absl::OkStatus();
  }
  const bool may_become_tunnel = !answered_ && upload_ == Upload::kNone && !ended_;
  if (!may_become_tunnel) {
    if (const absl::Status writable = CheckWritable(); !writable.ok()) return writable;
  }
  ended_ = true;
  // Else behind the piece that is on its way, or when there is a tunnel.
  if (tunnel_ && !writing_) Post(&Core::CloseTunnel);
  return absl::OkStatus();
}

void Exchange::Core::Abort() {
  {
    const Lock lock(mutex_);
    if (!over_.ok()) return;
    over_ = Cancelled("the request was given up");
    if (!gone_) loop_->Post([core = shared_from_this()] { core->Release(Cancelled("given up")); });
  }
  changed_.notify_all();
}

}  // namespace swarm
