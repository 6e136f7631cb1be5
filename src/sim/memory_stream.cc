#include "sim/memory_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

// Posts a result; the callback never runs inside the call that brought it about.
template <typename Result>
void PostResult(Loop& loop, Callback<Result> done, Result result) {
  loop.Post(
      [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

}  // namespace

void ByteQueue::Append(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (abandoned_ || closed_ || !broken_.ok()) return;
  if (left_) {
    bytes = bytes.substr(0, std::min<std::uint64_t>(*left_, bytes.size()));
    *left_ -= bytes.size();
  }
  bytes_.append(bytes);
  if (left_ && *left_ == 0) {
    closed_ = true;
  } else if (bytes_.size() - taken_ > kMostQueuedBytes) {
    broken_ = ResourceExhausted("the reader of a simulated stream is too slow");
  }
  ServeReader();
}

void ByteQueue::HoldBack() {
  const std::lock_guard lock(mutex_);
  held_back_ = true;
}

void ByteQueue::GoOn() {
  const std::lock_guard lock(mutex_);
  held_back_ = false;
  ServeReader();
}

void ByteQueue::Close() {
  const std::lock_guard lock(mutex_);
  if (!closed_) cut_how_ = absl::OkStatus();
  closed_ = true;
  ServeReader();
}

void ByteQueue::Break(absl::Status why) {
  const std::lock_guard lock(mutex_);
  if (broken_.ok()) broken_ = std::move(why);
  ServeReader();
}

void ByteQueue::CutAfter(std::uint64_t bytes, absl::Status how) {
  const std::lock_guard lock(mutex_);
  const std::size_t queued = bytes_.size() - taken_;
  left_ = bytes > queued ? bytes - queued : 0;
  cut_how_ = std::move(how);
  if (bytes <= queued) {
    bytes_.resize(taken_ + bytes);
    closed_ = true;
  }
  ServeReader();
}

void ByteQueue::Read(std::span<char> into, Loop& loop, ResultCallback<std::size_t> done) {
  const std::lock_guard lock(mutex_);
  SWARM_CHECK(loop_ == nullptr, "one read at a time");
  into_ = into;
  loop_ = &loop;
  done_ = std::move(done);
  ServeReader();
}

void ByteQueue::Abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  if (loop_ == nullptr) return;
  Loop* loop = std::exchange(loop_, nullptr);
  PostResult<absl::StatusOr<std::size_t>>(*loop, std::move(done_),
                                          Cancelled("the stream was dropped"));
}

bool ByteQueue::abandoned() const {
  const std::lock_guard lock(mutex_);
  return abandoned_;
}

void ByteQueue::ServeReader() {
  if (loop_ == nullptr || held_back_) return;
  absl::StatusOr<std::size_t> result = std::size_t{0};
  const std::size_t queued = bytes_.size() - taken_;
  if (!broken_.ok()) {
    result = broken_;
  } else if (queued > 0) {
    const std::size_t count = std::min(queued, into_.size());
    std::memcpy(into_.data(), bytes_.data() + taken_, count);
    taken_ += count;
    if (taken_ == bytes_.size()) {
      bytes_.clear();
      taken_ = 0;
    }
    result = count;
  } else if (!closed_) {
    return;
  } else if (!cut_how_.ok()) {
    result = cut_how_;
  }
  Loop* loop = std::exchange(loop_, nullptr);
  PostResult<absl::StatusOr<std::size_t>>(*loop, std::move(done_), std::move(result));
}

MemoryStream::MemoryStream(Loop& loop, std::shared_ptr<ByteQueue> incoming, Sink sink)
    : loop_(loop), incoming_(std::move(incoming)), sink_(std::move(sink)) {}

MemoryStream::~MemoryStream() { Abort(); }

void MemoryStream::Read(std::span<char> into, ResultCallback<std::size_t> done) {
  incoming_->Read(into, loop_, std::move(done));
}

void MemoryStream::Write(std::string_view bytes, Callback<absl::Status> done) {
  absl::Status result;
  if (write_closed_ || !sink_) {
    result = FailedPrecondition("this side of the stream is closed");
  } else {
    sink_(bytes, false);
  }
  PostResult<absl::Status>(loop_, std::move(done), std::move(result));
}

void MemoryStream::CloseWrite() {
  if (std::exchange(write_closed_, true)) return;
  if (sink_) sink_({}, true);
}

void MemoryStream::Abort() {
  CloseWrite();
  incoming_->Abandon();
}

void DelayTunnel(Loop& loop, Stream& tunnel) {
  std::shared_ptr<ByteQueue> queue = static_cast<MemoryStream&>(tunnel).shared_incoming();
  queue->HoldBack();
  loop.After(kTunnelDelay, [queue = std::move(queue)] { queue->GoOn(); });
}

std::unique_ptr<Stream> StreamOf(Loop& loop, std::string_view bytes) {
  auto queue = std::make_shared<ByteQueue>();
  queue->Append(bytes);
  queue->Close();
  return std::make_unique<MemoryStream>(loop, std::move(queue));
}

}  // namespace swarm
