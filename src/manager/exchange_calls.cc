// The calls of Exchange, on the threads of its callers.
#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "manager/exchange_core.h"
#include "swarmlib/status.h"
#include "swarmlib/wiped.h"

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

}  // namespace

absl::Status Exchange::Core::BodyNotRead() {
  return FailedPrecondition("the body of the request is not read any more; see its answer");
}

// Under the lock and only while the exchange is not over: then the loop still runs.
void Exchange::Core::Post(void (Core::*work)()) {
  loop_->Post([core = shared_from_this(), work] { (core.get()->*work)(); });
}

void Exchange::Core::AskForMore() {
  if (!over_.ok() || !answered_ || !parts_.empty() || !more_) return;
  if (!std::exchange(reading_, true)) Post(&Core::StartRead);
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
    AskForMore();
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
  const bool is_free =
      changed_.wait_until(lock, deadline, [this] { return !over_.ok() || MayStartPiece(); });
  if (!over_.ok()) return over_;
  if (tunnel_ || upload_ != Upload::kOpen) {
    const absl::Status writable = CheckWritable();
    if (!writable.ok()) return writable;
    return std::size_t{0};
  }
  if (!is_free) return NothingTaken();
  StartPiece(bytes);
  changed_.wait_until(lock, deadline, [this] { return !over_.ok() || !writing_; });
  return FinishPiece();
}

absl::StatusOr<std::size_t> Exchange::Core::WriteIntoTunnel(Lock& lock, std::string_view bytes,
                                                            Deadline deadline) {
  // A piece for which an earlier call did not wait to its end.
  const bool is_free =
      changed_.wait_until(lock, deadline, [this] { return !over_.ok() || MayStartPiece(); });
  if (!over_.ok()) return over_;
  if (!is_free) return NothingTaken();
  if (!written_.ok()) return written_;
  StartPiece(bytes);
  changed_.wait_until(lock, deadline, [this] { return !over_.ok() || !writing_; });
  return FinishPiece();
}

bool Exchange::Core::MayStartPiece() const {
  if (tunnel_) return !writing_;
  return outgoing_.empty() || upload_ != Upload::kOpen;
}

void Exchange::Core::StartPiece(std::string_view bytes) {
  outgoing_ = bytes.substr(0, tunnel_ ? kTunnelPiece : kBodyPiece);
  begun_ = outgoing_.size();
  begun_in_tunnel_ = tunnel_;
  sent_ = 0;
  writing_ = true;
  unsent_ = tunnel_;
  Post(&Core::StartWrite);
}

absl::StatusOr<std::size_t> Exchange::Core::FinishPiece() {
  const std::size_t size = std::exchange(begun_, 0);
  if (!over_.ok()) return over_;
  const bool is_late = writing_;
  if (begun_in_tunnel_) {
    // Cannot be taken back any more.
    if (!is_late && !written_.ok()) return written_;
    return size;
  }
  const std::size_t sent = outgoing_.empty() ? size : sent_;
  Wipe(outgoing_);
  sent_ = 0;
  if (!is_late) {
    if (!written_.ok()) return written_;
    return sent;
  }
  writing_ = false;
  if (sent == 0) return NothingTaken();
  return sent;
}

absl::StatusOr<std::size_t> Exchange::Core::StartWrite(std::string_view bytes) {
  const Lock lock(mutex_);
  if (!over_.ok()) return over_;
  if (begun_ > 0) return FailedPrecondition("the piece that was started before is not finished");
  const absl::Status writable = CheckWritable();
  if (!writable.ok()) return writable;
  if (!MayStartPiece()) return NothingTaken();
  if (tunnel_ && !written_.ok()) return written_;
  StartPiece(bytes);
  return begun_;
}

absl::StatusOr<std::size_t> Exchange::Core::FinishWrite() {
  const Lock lock(mutex_);
  if (begun_ == 0) return FailedPrecondition("no piece was started");
  return FinishPiece();
}

bool Exchange::Core::IsReady(ExchangeWait what) const {
  if (!over_.ok()) return true;
  switch (what) {
    case ExchangeWait::kHead: return answered_;
    case ExchangeWait::kRead: return answered_ && (!parts_.empty() || !more_);
    case ExchangeWait::kWrite: break;
  }
  if (begun_ > 0) return !writing_;
  const bool known = answered_ || upload_ == Upload::kOpen || upload_ == Upload::kDropped;
  return known && MayStartPiece();
}

bool Exchange::Core::WhenReady(ExchangeWait what, Callback<> ready) {
  Callback<> replaced;
  const Lock lock(mutex_);
  if (IsReady(what)) return true;
  replaced = std::exchange(waiters_[static_cast<std::size_t>(what)], std::move(ready));
  if (what == ExchangeWait::kRead) AskForMore();
  return false;
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
  Changed();
}

}  // namespace swarm
