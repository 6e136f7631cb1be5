// Streams between a simulated engine and a client of the same process.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "async/loop.h"
#include "swarmlib/stream.h"

namespace swarm {

inline constexpr std::size_t kMostQueuedBytes = 64U << 20U;

// Bytes one way, from an engine to one reader. Any thread. A reader that lets kMostQueuedBytes pile
// up is cut off with ResourceExhausted.
class ByteQueue {
 public:
  void Append(std::string_view bytes);
  // Until GoOn the reader gets nothing.
  void HoldBack();
  void GoOn();
  // The end comes behind what is queued.
  void Close();
  // `why` comes at once; what is queued is lost.
  void Break(absl::Status why);
  // Lets only `bytes` more through, then ends: in order when `how` is ok, else with that error.
  void CutAfter(std::uint64_t bytes, absl::Status how);

  // One read at a time; `done` is posted on `loop`.
  void Read(std::span<char> into, Loop& loop, ResultCallback<std::size_t> done);
  // Nobody will read any more: a pending read is cancelled, later bytes are dropped.
  void Abandon();
  bool abandoned() const;

 private:
  void ServeReader();

  mutable std::mutex mutex_;
  std::string bytes_;
  std::size_t taken_ = 0;  // of bytes_
  bool held_back_ = false;
  bool closed_ = false;
  bool abandoned_ = false;
  absl::Status broken_;
  std::optional<std::uint64_t> left_;  // until the cut
  absl::Status cut_how_;
  std::span<char> into_;
  Loop* loop_ = nullptr;
  ResultCallback<std::size_t> done_;
};

// The client's end. What it writes goes to `sink` at once; `end` is said once, when it closes its
// side or goes.
class MemoryStream final : public Stream {
 public:
  using Sink = std::function<void(std::string_view bytes, bool end)>;

  MemoryStream(Loop& loop, std::shared_ptr<ByteQueue> incoming, Sink sink = nullptr);
  ~MemoryStream() override;

  void Read(std::span<char> into, ResultCallback<std::size_t> done) override;
  void Write(std::string_view bytes, Callback<absl::Status> done) override;
  void CloseWrite() override;
  void Abort() override;

  ByteQueue& incoming() { return *incoming_; }
  const std::shared_ptr<ByteQueue>& shared_incoming() { return incoming_; }

 private:
  Loop& loop_;
  std::shared_ptr<ByteQueue> incoming_;
  Sink sink_;
  bool write_closed_ = false;
};

// The head of a tunnel's answer is there so long before the first bytes of the tunnel, where
// engines take any time at all: they have a process to start, and some clients lose what comes with
// a head.
inline constexpr Duration kTunnelDelay = std::chrono::milliseconds(50);

// Lets nothing through that `tunnel`, a MemoryStream, has to give, before that time has passed on
// `loop`.
void DelayTunnel(Loop& loop, Stream& tunnel);

// A stream that gives `bytes` and ends.
std::unique_ptr<Stream> StreamOf(Loop& loop, std::string_view bytes);

}  // namespace swarm
