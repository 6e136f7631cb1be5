// One request to a manager of the same process, as blocking calls: for programs and bindings that
// wait on threads of their own.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "swarmlib/backend.h"
#include "swarmlib/callback.h"
#include "swarmlib/clock.h"

namespace swarm {

// The error that an answer of 400 or above stands for: its HTTP status, the message of its (whole)
// body, and the code of that status. A 409 is FailedPrecondition, but AlreadyExists when it answers
// a create whose name is taken: the field X-Swarmd-Error of the manager's answer says so.
absl::Status StatusOfReply(int status, const Headers& headers, std::string_view body);

// What a caller of an Exchange may wait for: the head of the answer, bytes of it (or their end),
// and room for bytes to be sent or the end of the piece that StartWrite began.
enum class ExchangeWait { kHead, kRead, kWrite };

// A request under way, its answer, and the bytes that flow both ways once it is a tunnel. Made by
// Manager::Begin; may outlive the manager, whose Close makes every call below say Cancelled, except
// that an answer which is all there can still be read.
//
// Any thread; at most one thread reads and one writes at a time, beside any that call Abort. The
// calls wait on the calling thread, so none of them may be made on a thread of the manager (in a
// callback, a filter, a strategy). A wait that ends with DeadlineExceeded has lost nothing: ask
// again.
class Exchange {
 public:
  class Core;
  explicit Exchange(std::shared_ptr<Core> core);
  // As Abort.
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Waits for the head of the answer; ok at once when it is there. Every status of HTTP is ok here.
  absl::Status WaitHead(Duration timeout);
  // Of the answer. Only after WaitHead was ok.
  int status() const;
  const Headers& headers() const;
  // True when the answer is a tunnel: what Write is given goes to the other end.
  bool tunnel() const;

  // The next bytes of the answer's body or of the tunnel, at least one; 0 = they have ended in
  // order. `into` is not empty. Waits for the head, too.
  absl::StatusOr<std::size_t> Read(std::span<char> into, Duration timeout);
  // Everything up to the end, within `timeout` altogether. ResourceExhausted beyond `most` bytes.
  absl::StatusOr<std::string> ReadAll(std::size_t most, Duration timeout);

  // Sends bytes of the request's body (begun with `streamed`) or, once the answer is a tunnel, into
  // it, and waits until they are taken. Gives how many were: all of them, or those that were within
  // `timeout`; DeadlineExceeded when none was. Go on with the others, then. Up to 65,536 bytes
  // count as taken by a tunnel that are still on their way into it. FailedPrecondition when there
  // is nothing to write to: the body was whole, or nobody reads it any more (see the answer, then).
  absl::StatusOr<std::size_t> Write(std::string_view bytes, Duration timeout);
  // Ends the request's body or our side of the tunnel; the answer goes on. Does not wait: as long
  // as nobody knows whether the answer is a tunnel, it is ended once it is one.
  absl::Status CloseWrite();

  // For callers that do not wait on their thread, event loops among them. True: ready now, so that
  // the call in question (WaitHead or Read with a timeout of zero, StartWrite, FinishWrite) tells
  // at once; `ready` is dropped. Else `ready` is called once when it is, or when the exchange ends,
  // on any thread; it must not wait and must not call the manager. A later call for the same takes
  // the place of an earlier one, whose `ready` is dropped.
  bool WhenReady(ExchangeWait what, Callback<> ready);
  // Begins to send bytes as Write does and gives how many of them are on their way, as many as one
  // piece holds. WhenReady(kWrite) tells when FinishWrite knows how many were taken; asked before,
  // FinishWrite takes back what was not. DeadlineExceeded: what was sent before is still on its
  // way, or nothing was taken. The other errors are those of Write.
  absl::StatusOr<std::size_t> StartWrite(std::string_view bytes);
  absl::StatusOr<std::size_t> FinishWrite();

  // Gives everything up: the work on the engines is cancelled, and whoever waits in a call above is
  // told Cancelled. Idempotent.
  void Abort();

 private:
  std::shared_ptr<Core> core_;
};

}  // namespace swarm
