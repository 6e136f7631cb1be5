// What a ServerConnection holds for its client, and for how long: the budget and the write
// deadlines.

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/retry_later.h"
#include "net/bounds.h"
#include "net/server_connection.h"

namespace swarm::net {

ServerMemory MakeServerMemory(std::size_t limit) {
  ServerMemory memory;
  memory.budget = std::make_shared<MemoryBudget>(limit);
  memory.stalled = std::make_shared<StalledStreams>();
  memory.budget->OnRefused([stalled = memory.stalled] { stalled->CloseLongestIdle(); });
  return memory;
}

bool ServerConnection::MemoryIsUsedUp() {
  const MemoryBudget* const budget = server_->memory().budget.get();
  return budget != nullptr && budget->exhausted();
}

// Whoever asks how the manager does is answered all the same.
bool TellsHealth(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  return path.ends_with("/_ping") || path.ends_with("/metrics");
}

Reply BusyReply() {
  Reply reply = ErrorReply(
      503,
      "the memory for request bodies and unread answers (--client-memory) is in use; try again");
  reply.headers.emplace_back("Retry-After", kRetryAfter);
  return reply;
}

// Small answers are not worth counting: with its buffers a connection takes some kilobytes anyway.
// What changed something is answered in any case.
void ServerConnection::CountReply() {
  const std::size_t size = reply_.body.size();
  if (size <= kFirstBuffer) return;
  if (!may_refuse_) return held_.Set(size);
  if (!held_.Admit(size)) reply_ = BusyReply();
}

// True when the buffer of a streamed body may grow so much. An engine's answer takes as much again
// on the engine's side.
bool ServerConnection::MayGrow(std::size_t bytes) { return held_.TryGrow(2 * bytes); }

Duration ServerConnection::WritePatience() const {
  if (state_ == State::kRelaying) {
    return relay_->editing() ? kHeldWritePause : kStreamWritePause;
  }
  return !reply_.body_stream || reply_.body_is_held ? kHeldWritePause : kStreamWritePause;
}

void ServerConnection::AwaitClient() {
  awaits_client_ = true;
  written_before_ = transport_->written();
  idle_since_ = loop().clock().Now();
  SetDeadline(MayGoFirst() ? kStreamStall : WritePatience());
}

// Only what passes on an engine's stream is ended before its time, when memory is used up.
bool ServerConnection::MayGoFirst() const {
  return WritePatience() == kStreamWritePause && server_->memory().stalled != nullptr;
}

void ServerConnection::ClientTook() {
  awaits_client_ = false;
  body_done_ ? SetDeadline(kBodyPause) : ClearDeadline();
  if (stalled_ != 0) server_->memory().stalled->Remove(std::exchange(stalled_, 0));
}

// The time for a write has come: it goes on when the client has taken some of it.
void ServerConnection::WriteTimedOut() {
  if (transport_->written() != written_before_) {
    ClientTook();
    return AwaitClient();
  }
  const Duration patience = WritePatience();
  const Duration idle = loop().clock().Now() - idle_since_;
  if (idle >= patience) {
    Log(loop().log(), LogLevel::kInfo, "a client that read none of its answer was dropped",
        {{"client", transport_->peer().address}});
    return Close();
  }
  if (stalled_ == 0 && MayGoFirst()) {
    stalled_ = server_->memory().stalled->Add(loop(), idle_since_, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self || self->stalled_ == 0) return;  // it took something meanwhile, or is closed
      Log(self->loop().log(), LogLevel::kInfo,
          "the client of a stream that was idle for longest was dropped: memory is used up",
          {{"client", self->transport_->peer().address}});
      self->Close();
    });
  }
  // Looked at now and then, so that a client that goes on reading is idle no more.
  SetDeadline(std::min(patience - idle, kStreamStall));
}

void ServerConnection::ReleaseMemory() {
  held_.Release();
  if (stalled_ != 0) server_->memory().stalled->Remove(std::exchange(stalled_, 0));
}

// Nothing is read or written.
void ServerConnection::ShrinkBuffers() {
  reply_buffer_ = {};
  if (pieces_.capacity() > kMaxIoVectors) pieces_ = {};
  if (head_text_.capacity() > kFirstBuffer) head_text_ = {};
}

}  // namespace swarm::net
