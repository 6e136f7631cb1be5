// The answering half of ServerConnection.

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "net/bounds.h"
#include "net/http_head_writer.h"
#include "net/reason_phrase.h"
#include "net/server_connection.h"
#include "swarmlib/status.h"

namespace swarm::net {
namespace {

// Fields that the transport writes itself.
bool IsTransportFieldOfReplies(std::string_view name) {
  static constexpr std::string_view kNames[] = {"Connection", "Content-Length",    "Date",
                                                "Keep-Alive", "Proxy-Connection",  "TE",
                                                "Trailer",    "Transfer-Encoding", "Upgrade"};
  for (const std::string_view known : kNames) {
    if (EqualsIgnoreCase(name, known)) return true;
  }
  return false;
}

std::size_t WholeSize(const Reply& reply) {
  std::size_t size = reply.body.size();
  for (const auto& piece : reply.pieces) size += piece->size();
  return size;
}

}  // namespace

bool ServerConnection::BodyAllowed() const {
  return !is_head_method_ && reply_.status >= 200 && reply_.status != 204 && reply_.status != 304;
}

void ServerConnection::StartReply() {
  ClearDeadline();
  if (reply_.status < 200 && !(reply_.status == 101 && reply_.tunnel && wants_upgrade_)) {
    Log(loop().log(), LogLevel::kError, "an answer of 1xx that is no upgrade was dropped",
        {{"status", std::to_string(reply_.status)}});
    return Close();
  }
  // An offer that was not taken: an end of the client's side means what it does without one.
  if (!reply_.tunnel && std::exchange(wants_upgrade_, false) && client_ended_) {
    HearEnd();
    if (state_ == State::kClosed) return;
  }
  CountReply();
  BuildHead();
  pieces_.clear();
  pieces_.push_back(head_text_);
  if (BodyAllowed()) {
    const bool in_chunk = delimited_ == Delimited::kChunks && WholeSize(reply_) > 0;
    if (!reply_.body.empty()) pieces_.push_back(reply_.body);
    for (const auto& piece : reply_.pieces) pieces_.push_back(*piece);
    if (in_chunk) pieces_.push_back(kChunkEnd);
  }
  Write();
}

void ServerConnection::BuildHead() {
  head_text_.clear();
  AppendStatusLine(&head_text_, reply_.status, ReasonPhrase(reply_.status));
  for (const auto& [name, value] : reply_.headers) {
    if (!IsTransportFieldOfReplies(name)) AppendField(&head_text_, name, value);
  }
  head_text_ += server_->DateField();
  if (reply_.tunnel) {
    delimited_ = Delimited::kClose;
    if (reply_.status == 101) {
      const std::string* protocol = FindHeader(reply_.headers, "Upgrade");
      head_text_ += "Connection: Upgrade\r\n";
      AppendField(&head_text_, "Upgrade", protocol != nullptr ? *protocol : "tcp");
    }
    return AppendHeadEnd(&head_text_);
  }
  AppendReplyFraming();
  // A client that still waits for "100 Continue" may send its body or not: nobody can tell what
  // comes next.
  const bool large_rest = body_.left() > kMaxDrained;
  constexpr int kTooSlow = 408;  // what else such a client sends is not waited for
  if (server_->stopping() || body_.failed() || large_rest || reply_.status == kTooSlow ||
      (expects_continue_ && !body_.ended()) || delimited_ == Delimited::kClose ||
      (client_ended_ && input_.empty())) {
    keep_alive_ = false;
  }
  if (!keep_alive_) {
    head_text_ += "Connection: close\r\n";
  } else if (is_http10_) {
    head_text_ += "Connection: keep-alive\r\n";
  }
  AppendHeadEnd(&head_text_);
  if (delimited_ == Delimited::kChunks && BodyAllowed()) {
    if (const std::size_t size = WholeSize(reply_)) AppendChunkStart(&head_text_, size);
  }
}

void ServerConnection::AppendReplyFraming() {
  const std::size_t whole = WholeSize(reply_);
  last_chunk_sent_ = false;
  reply_left_ = 0;
  if (reply_.status == 204 || reply_.status == 304) {
    delimited_ = Delimited::kNothing;
  } else if (!reply_.body_stream || reply_.body_length) {
    delimited_ = Delimited::kLength;
    reply_left_ = reply_.body_stream ? *reply_.body_length : 0;
    AppendContentLength(&head_text_, whole + reply_.body_length.value_or(0));
  } else if (is_head_method_) {
    delimited_ = Delimited::kNothing;
  } else if (is_http10_) {
    delimited_ = Delimited::kClose;
  } else {
    delimited_ = Delimited::kChunks;
    head_text_ += "Transfer-Encoding: chunked\r\n";
  }
}

void ServerConnection::Write() {
  writing_ = true;
  transport_->WriteMany(
      pieces_, [self = shared_from_this()](absl::Status status) { self->OnWritten(status); });
  AwaitClient();
}

void ServerConnection::OnWritten(const absl::Status& status) {
  writing_ = false;
  if (state_ != State::kReplying) return;
  ClientTook();
  if (!status.ok()) return Close();
  if (reply_.tunnel) return StartTunnel();
  if (!reply_.body_stream || !BodyAllowed() || last_chunk_sent_) return FinishReply();
  if (delimited_ == Delimited::kLength && reply_left_ == 0) return FinishReply();
  PumpReply();
}

void ServerConnection::PumpReply() {
  if (client_gone_) return Close();
  if (reply_buffer_.empty()) {
    reply_buffer_.resize(kFirstBuffer);
  } else if (std::exchange(grow_buffer_, false)) {
    const std::size_t size = std::min(reply_buffer_.size() * 4, kStreamBuffer);
    if (MayGrow(size - reply_buffer_.size())) reply_buffer_.resize(size);
  }
  reply_.body_stream->Read(reply_buffer_,
                           [self = shared_from_this()](absl::StatusOr<std::size_t> got) {
                             self->OnReplyBytes(std::move(got));
                           });
}

void ServerConnection::OnReplyBytes(absl::StatusOr<std::size_t> got) {
  if (state_ != State::kReplying) return;
  if (!got.ok()) {
    // The head is out; a broken end of the connection is all that can still tell the client.
    Log(loop().log(), LogLevel::kWarning, "an answer broke off",
        {{"client", transport_->peer().address}, {"reason", std::string(MessageOf(got.status()))}});
    return Close();
  }
  if (*got == 0) return EndReplyStream();
  const std::string_view bytes(reply_buffer_.data(), *got);
  pieces_.clear();
  if (delimited_ == Delimited::kChunks) {
    head_text_.clear();
    AppendChunkStart(&head_text_, bytes.size());
    pieces_ = {head_text_, bytes, kChunkEnd};
  } else {
    if (delimited_ == Delimited::kLength) {
      if (bytes.size() > reply_left_) return Close();
      reply_left_ -= bytes.size();
    }
    pieces_ = {bytes};
  }
  grow_buffer_ = bytes.size() == reply_buffer_.size() && reply_buffer_.size() < kStreamBuffer;
  Write();
}

void ServerConnection::EndReplyStream() {
  if (delimited_ == Delimited::kLength) {
    // Less than was promised.
    return reply_left_ > 0 ? Close() : FinishReply();
  }
  if (delimited_ == Delimited::kClose) return FinishReply();
  last_chunk_sent_ = true;
  pieces_ = {kLastChunk};
  Write();
}

void ServerConnection::FinishReply() {
  const std::shared_ptr<ServerConnection> self = shared_from_this();
  reply_ = {};
  pieces_.clear();
  ReleaseMemory();
  ShrinkBuffers();
  ++request_;  // the handler's body stream is void from now on
  if (body_done_) FinishBodyRead(Cancelled("the request was answered before its body was read"));
  if (std::exchange(counted_, false)) server_->RequestEnded();
  if (!keep_alive_) return Linger();
  state_ = State::kDraining;
  drained_ = 0;
  SetDeadline(kDrainDeadline);
  Drain();
}

void ServerConnection::StartTunnel() {
  // What is left of the request's body would be taken for the tunnel's first bytes.
  if (!body_.ended()) return Close();
  state_ = State::kTunnel;
  Tunnel::Ends ends;
  ends.client = std::move(transport_);
  ends.upstream = std::move(reply_.tunnel);
  ends.from_client = input_.bytes();
  ends.from_upstream = std::move(reply_.tunnel_head);
  ends.client_read_pending = reading_;
  ends.client_ended = client_ended_;
  input_.Consume(input_.size());
  tunnel_ = std::make_shared<Tunnel>(loop(), std::move(ends), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Close();
  });
  tunnel_->Start();
}

}  // namespace swarm::net
