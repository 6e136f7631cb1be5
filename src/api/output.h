// The body of a reply that is made while it is sent.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "async/loop.h"
#include "swarmlib/callback.h"
#include "swarmlib/stream.h"

namespace swarm {

// The writing end; the reading end is the Stream of the reply. Both live on the loop that made
// them, and not longer.
class Output : public std::enable_shared_from_this<Output> {
 public:
  // Holds at most `most` bytes that were not read yet.
  Output(Loop& loop, std::size_t most) : loop_(loop), most_(most) {}

  // Once, for Reply::body_stream. It keeps this object alive; when it is destroyed or aborted, the
  // reader is gone.
  std::unique_ptr<Stream> Reader();

  // False when the bytes were not taken: the reader is gone, the end was written, or they would go
  // beyond the bound. The last is the end: the reader gets what was taken and then
  // ResourceExhausted.
  bool Write(std::string_view bytes);
  // Orderly end after what was written.
  void End();
  // The reader gets `why` after what was written.
  void Fail(absl::Status why);

  // From now on a read ends behind a line where it can: some clients take each chunk of the body
  // for whole objects.
  void KeepLinesWhole() { whole_lines_ = true; }

  // Called once on the loop when the reader goes away, soon if it has gone. Not called when the
  // loop ends first.
  void OnGone(Callback<> then);

  // Called once on the loop when no more than `held` bytes wait to be read, soon if it is so
  // already. Not called when the reader goes away before.
  void OnRoom(std::size_t held, Callback<> then);

  bool gone() const { return gone_; }
  std::size_t held() const { return held_.size() - begin_; }

 private:
  friend class OutputReader;

  void Read(std::span<char> into, ResultCallback<std::size_t> done);
  void Deliver();
  void TellRoom();
  void Gone();

  Loop& loop_;
  const std::size_t most_;
  std::string held_;
  std::size_t begin_ = 0;  // of what was not read yet
  bool whole_lines_ = false;
  bool ended_ = false;
  absl::Status end_;
  bool gone_ = false;
  std::span<char> into_;
  ResultCallback<std::size_t> reading_;
  Callback<> on_gone_;
  std::size_t room_ = 0;
  Callback<> on_room_;
};

}  // namespace swarm
