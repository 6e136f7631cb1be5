// A two-way byte stream: a socket, a TLS session, or a pair of buffers in one process.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "swarmlib/callback.h"

namespace swarm {

// At most one Read and one Write may be under way at a time. Callbacks come on the loop that owns
// the stream and never from inside the call that was given them. Destroying a stream aborts it:
// callbacks still pending are then called with Cancelled. Not thread-safe: use it on the loop it
// was handed out on. One of a program's own gets back to that loop by CallerLoop of caller_loop.h.
class Stream {
 public:
  virtual ~Stream() = default;

  // Reads at least one byte into `into` (not empty, alive until the callback). 0 = the peer closed
  // its side in an orderly way; an error = anything else.
  virtual void Read(std::span<char> into, ResultCallback<std::size_t> done) = 0;

  // Writes all of `bytes` (alive until the callback).
  virtual void Write(std::string_view bytes, Callback<absl::Status> done) = 0;

  // Closes our side after what was written: FIN, or close_notify under TLS. Reading goes on.
  virtual void CloseWrite() = 0;

  // Drops both directions at once.
  virtual void Abort() = 0;

  // The plain socket below, when bytes may be moved past this object (splice). Owned by the stream.
  virtual std::optional<int> NativeSocket() const { return std::nullopt; }

  // `lost` is called once when the connection turns out to be gone as a whole, also while nobody
  // reads or writes; dropped with the stream. A stream that cannot tell never calls it. The last
  // one counts.
  virtual void NotifyLoss(Callback<> lost) { (void)lost; }
};

}  // namespace swarm
