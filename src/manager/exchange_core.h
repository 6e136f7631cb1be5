// The state of one request in process, between the thread that waits and the loop that answers.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "async/loop.h"
#include "manager/usable.h"
#include "swarmlib/exchange.h"

namespace swarm {

// The exchanges of one manager that are not over. Any thread.
class ExchangeSet {
 public:
  // False when it is closed.
  bool Add(const std::shared_ptr<Exchange::Core>& core);
  void Remove(const Exchange::Core* core);
  // Takes no more, and gives those there are.
  std::vector<std::shared_ptr<Exchange::Core>> Close();

 private:
  std::mutex mutex_;
  bool closed_ = false;
  std::map<const Exchange::Core*, std::weak_ptr<Exchange::Core>> open_;
};

class Exchange::Core : public std::enable_shared_from_this<Exchange::Core> {
 public:
  // Of a request that was never handed over.
  explicit Core(absl::Status why);
  Core(Loop& loop, std::shared_ptr<ExchangeSet> set, bool head_method);
  ~Core();

  const HomeProcess& home() const { return home_; }
  Loop& loop() { return *loop_; }
  std::stop_token stop_token() const { return stop_.get_token(); }

  // The body that Write feeds, `first` before it.
  std::unique_ptr<Stream> OpenUpload(std::string first);

  // The request was not handed over; any thread.
  void Refuse(absl::Status why);

  // On the loop.
  void Answered(absl::StatusOr<Reply> reply);
  // Nothing more happens on the loop. An answer that is all there stays readable.
  void Release(absl::Status why);
  void ReadUpload(std::span<char> into, ResultCallback<std::size_t> done);
  void CancelUploadRead();
  void DropUpload();

  // The calls of Exchange.
  absl::Status WaitHead(Duration timeout);
  int status() const { return status_; }
  const Headers& headers() const { return headers_; }
  bool tunnel() const { return tunnel_; }
  absl::StatusOr<std::size_t> Read(std::span<char> into, Duration timeout);
  absl::StatusOr<std::string> ReadAll(std::size_t most, Duration timeout);
  absl::StatusOr<std::size_t> Write(std::string_view bytes, Duration timeout);
  absl::Status CloseWrite();
  void Abort();
  bool WhenReady(ExchangeWait what, Callback<> ready);
  absl::StatusOr<std::size_t> StartWrite(std::string_view bytes);
  absl::StatusOr<std::size_t> FinishWrite();

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  using Lock = std::unique_lock<std::mutex>;
  static constexpr std::size_t kWaits = 3;
  // Of the request's body.
  enum class Upload { kNone, kOpen, kClosed, kDropped };

  absl::Status AwaitHead(Lock& lock, Deadline deadline);
  // Ok with an empty front when the bytes have ended.
  absl::Status AwaitBytes(Lock& lock, Deadline deadline);
  absl::Status AwaitWritable(Lock& lock, Deadline deadline);
  absl::Status CheckWritable() const;
  // How many bytes were taken, one piece at most; fewer when there is a tunnel now.
  absl::StatusOr<std::size_t> WriteIntoBody(Lock& lock, std::string_view bytes, Deadline deadline);
  absl::StatusOr<std::size_t> WriteIntoTunnel(Lock& lock, std::string_view bytes,
                                              Deadline deadline);
  static absl::Status BodyNotRead();

  // With the lock held, each.
  bool IsReady(ExchangeWait what) const;
  bool MayStartPiece() const;
  void StartPiece(std::string_view bytes);
  absl::StatusOr<std::size_t> FinishPiece();
  void AskForMore();

  // Tells all that wait; without the lock.
  void Changed();
  void Give(std::string bytes);
  void Post(void (Core::*work)());
  void StartRead();
  void OnRead(absl::StatusOr<std::size_t> count);
  void StartWrite();
  void OnWritten(absl::Status status);
  void CloseTunnel();
  void ServeUpload();

  const HomeProcess home_;
  Loop* const loop_;
  const std::shared_ptr<ExchangeSet> set_;
  const bool head_method_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  absl::Status over_;      // not ok: nothing more happens, for this reason
  bool gone_ = false;      // from the loop: nothing may be posted any more
  bool answered_ = false;  // what is set by then stays as it is
  int status_ = 0;
  Headers headers_;
  bool tunnel_ = false;
  std::deque<std::shared_ptr<const std::string>> parts_;  // to be read, none of them empty
  std::size_t taken_ = 0;                                 // of the first
  bool more_ = false;                                     // behind them
  bool reading_ = false;
  absl::Status broken_;  // how the reading ended, when not in order
  std::string outgoing_;
  std::size_t sent_ = 0;  // of outgoing_, into the upload
  bool writing_ = false;
  std::size_t begun_ = 0;         // bytes of the piece that is written, until it is finished
  bool begun_in_tunnel_ = false;  // where it goes
  bool unsent_ = false;           // outgoing_ waits for the loop to write it into the tunnel
  absl::Status written_;          // of the last write
  bool ended_ = false;            // our side of the tunnel that there is, or may be
  Upload upload_ = Upload::kNone;
  std::array<Callback<>, kWaits> waiters_;  // by ExchangeWait

  // On the loop only.
  std::stop_source stop_;
  std::unique_ptr<Stream> source_;  // the body to come, or the tunnel
  bool released_ = false;
  std::array<char, 65536> buffer_;
  std::span<char> upload_into_;
  ResultCallback<std::size_t> upload_done_;
};

}  // namespace swarm
