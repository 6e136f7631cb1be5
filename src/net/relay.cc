#include "net/relay.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "net/bounds.h"
#include "net/chunked.h"
#include "net/http_scan.h"
#include "net/reason_phrase.h"

namespace swarm::net {
namespace {

// All that an engine needs of the head of a GET; the rest may be meant for us alone.
bool IsForEngine(std::string_view name) {
  return EqualsIgnoringCase(name, "user-agent") || EqualsIgnoringCase(name, "accept");
}

// What an engine says about itself and the cluster says about itself.
bool IsEnginesOwn(std::string_view name) {
  switch (name.size()) {
    case 4: return EqualsIgnoringCase(name, "date");
    case 6: return EqualsIgnoringCase(name, "server") || EqualsIgnoringCase(name, "ostype");
    case 11: return EqualsIgnoringCase(name, "api-version");
    case 19: return EqualsIgnoringCase(name, "docker-experimental");
    default: return false;
  }
}

}  // namespace

bool Relay::Start(const RequestHead& head) {
  // Not one on which bytes came that nobody asked for: they would be taken for this answer.
  connection_ = forward_.upstream->TakeIdle();
  if (!connection_) return false;
  ++attempt_;
  head_taken_ = committed_ = editing_ = writing_ = ended_ = false;
  interim_heads_ = 0;
  started_ = forward_.upstream->loop().clock().Now();
  parser_.Reset({});
  connection_->SetUser(this);
  WriteRequest(head);
  connection_->StartRead();
  return true;
}

void Relay::Drop() {
  ++attempt_;
  connection_.reset();
}

void Relay::WriteRequest(const RequestHead& head) {
  request_text_.clear();
  AppendRequestLine(&request_text_, "GET", forward_.target);
  AppendField(&request_text_, "Host", forward_.upstream->host_field());
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    const Field field = head.fields[i];
    if (field.kind != FieldKind::kOther || !IsForEngine(field.name)) continue;
    AppendField(&request_text_, field.name, field.value);
  }
  AppendHeadEnd(&request_text_);
  request_piece_ = request_text_;
  const std::size_t taken = connection_->transport().WriteSome({&request_piece_, 1});
  request_sent_ = taken == request_text_.size();
  if (request_sent_) return;
  request_piece_.remove_prefix(taken);
  connection_->transport().Write(
      request_piece_, [this, owner = owner_.KeepAlive(), attempt = attempt_](absl::Status status) {
        if (attempt == attempt_) request_sent_ = status.ok();
      });
}

void Relay::OnInput() {
  const std::shared_ptr<void> owner = owner_.KeepAlive();
  if (writing_) return;  // goes on when what was taken before is written
  if (!head_taken_) return TakeHead();
  TakeBody();
}

void Relay::TakeHead() {
  for (;;) {
    InputBuffer& input = connection_->input();
    const HeadResult result = parser_.Parse(input.bytes());
    if (result.state == HeadState::kError) {
      return Refuse(502, "sent a malformed answer: " + std::string(result.reason));
    }
    if (result.state == HeadState::kNeedMore) {
      if (!connection_->ended() && connection_->failure().ok()) return connection_->StartRead();
      Drop();
      return owner_.RelayFallsBack();
    }
    if (parser_.head().interim() && ++interim_heads_ > kMaxInterimHeads) {
      return Refuse(502, "sent " + std::to_string(interim_heads_) + " interim answers");
    }
    if (parser_.head().interim()) {
      input.Consume(result.size);
      parser_.Reset({});
      continue;
    }
    const Framing framing = parser_.head().framing;
    head_taken_ = true;
    keep_engine_ = parser_.head().keep_alive && framing.kind != BodyKind::kUntilClose;
    body_.Reset(framing);
    left_ = framing.length;
    editing_ =
        forward_.edit != nullptr && parser_.head().status == 200 && framing.kind != BodyKind::kNone;
    WriteAnswerHead();
    input.Consume(result.size);
    pieces_.clear();
    collected_.clear();
    return TakeBody();
  }
}

// Status and fields; the framing follows in Commit(), once it is known.
void Relay::WriteAnswerHead() {
  const ResponseHead& head = parser_.head();
  head_text_.clear();
  AppendStatusLine(&head_text_, head.status, ReasonPhrase(head.status));
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    const Field field = head.fields[i];
    if (field.kind != FieldKind::kOther || IsEnginesOwn(field.name)) continue;
    if (head.fields.NamedInConnection(field.name)) continue;
    AppendField(&head_text_, field.name, field.value);
  }
  head_text_ += forward_.common_fields.text();
}

void Relay::Commit() {
  committed_ = true;
  const ResponseHead& head = parser_.head();
  const bool keep = owner_.RelayCommits();
  TellAnswered(head.status);
  head_text_ += owner_.DateField();
  if (editing_) {
    AppendContentLength(&head_text_, edited_.size());
  } else if (body_.kind() == BodyKind::kNone) {
    if (head.status != 204 && head.status != 304) AppendContentLength(&head_text_, 0);
  } else if (body_.kind() == BodyKind::kLength) {
    AppendContentLength(&head_text_, left_);
  } else {
    head_text_ += "Transfer-Encoding: chunked\r\n";
  }
  if (!keep) head_text_ += "Connection: close\r\n";
  AppendHeadEnd(&head_text_);
  pieces_.push_back(head_text_);
}

void Relay::TakeBody() {
  if (editing_) return CollectForEdit();
  if (body_.kind() == BodyKind::kLength) return PassLength();
  if (body_.kind() != BodyKind::kNone) return PassDecoded();
  Commit();
  ended_ = true;
  WritePieces(0);
}

// Straight out of the buffer into which it was received.
void Relay::PassLength() {
  const std::string_view bytes = connection_->input().bytes();
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
  ended_ = left_ == count;
  if (!ended_ && (connection_->ended() || !connection_->failure().ok())) {
    return Break("closed the connection before its answer was whole");
  }
  if (!committed_) Commit();
  left_ -= count;
  if (count > 0) pieces_.push_back(bytes.substr(0, count));
  WritePieces(count);
}

void Relay::PassDecoded() {
  if (!decoded_) decoded_ = std::make_unique_for_overwrite<char[]>(kStreamBuffer);
  const std::span<char> room(decoded_.get(), kStreamBuffer);
  const std::size_t count = body_.Take(connection_->input(), room);
  if (connection_->ended()) body_.PeerEnded();
  if (body_.failed()) return Break("sent a malformed answer: " + std::string(body_.failure()));
  if (!connection_->failure().ok()) return Break("broke the connection within its answer");
  if (!committed_) Commit();
  chunk_text_.clear();
  if (count > 0) {
    AppendChunkStart(&chunk_text_, count);
    pieces_.insert(pieces_.end(),
                   {chunk_text_, std::string_view(decoded_.get(), count), kChunkEnd});
  }
  ended_ = body_.ended();
  if (ended_) pieces_.push_back(kLastChunk);
  WritePieces(0);
}

void Relay::CollectForEdit() {
  std::array<char, 16U << 10U> decoded;
  while (const std::size_t count = body_.Take(connection_->input(), decoded)) {
    collected_.append(decoded.data(), count);
    if (collected_.size() > kMaxEditedBody) break;
  }
  if (connection_->ended()) body_.PeerEnded();
  const bool broken = body_.failed() || !connection_->failure().ok();
  if (!broken && !body_.ended() && collected_.size() <= kMaxEditedBody)
    return connection_->StartRead();
  edited_.clear();
  if (broken || !body_.ended() || !forward_.edit->Append(collected_, &edited_)) {
    return Refuse(502, "sent an answer that cannot be read");
  }
  ended_ = true;
  Commit();
  pieces_.push_back(edited_);
  WritePieces(0);
}

void Relay::WritePieces(std::size_t taken) {
  in_flight_ = taken;
  std::size_t written = pieces_.empty() ? 0 : owner_.client().WriteSome(pieces_);
  std::size_t done = 0;
  while (done < pieces_.size() && written >= pieces_[done].size())
    written -= pieces_[done++].size();
  pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(done));
  if (pieces_.empty()) return OnWritten(absl::OkStatus());
  pieces_.front().remove_prefix(written);
  writing_ = true;
  owner_.RelayAwaits(false);
  owner_.client().WriteMany(
      pieces_, [this, owner = owner_.KeepAlive(), attempt = attempt_](absl::Status status) {
        if (attempt != attempt_) return;
        writing_ = false;
        pieces_.clear();
        OnWritten(status);
      });
}

void Relay::OnWritten(const absl::Status& status) {
  if (!status.ok()) return owner_.RelayBroke();
  connection_->input().Consume(std::exchange(in_flight_, 0));
  if (ended_) return Finish();
  const bool more =
      !connection_->input().empty() || connection_->ended() || !connection_->failure().ok();
  if (more) return TakeBody();
  owner_.RelayAwaits(true);
  connection_->StartRead();
}

std::size_t Relay::held() const {
  const std::size_t input = connection_ ? connection_->input().size() : 0;
  return input + (decoded_ ? kStreamBuffer : 0) + collected_.capacity() + edited_.capacity();
}

// A connection between two requests keeps no large buffers.
void Relay::Shrink() {
  decoded_.reset();
  if (collected_.capacity() > kFirstBuffer) collected_ = {};
  if (edited_.capacity() > kFirstBuffer) edited_ = {};
}

void Relay::TimeOut() {
  if (committed_) return owner_.RelayBroke();
  if (forward_.is_healthy == nullptr || !(*forward_.is_healthy)()) {
    Drop();
    return owner_.RelayFallsBack();
  }
  const auto waited = forward_.upstream->loop().clock().Now() - started_;
  if (waited < forward_.patience) return owner_.RelayAwaitsHead(waited);
  const auto patience = std::chrono::duration_cast<std::chrono::milliseconds>(forward_.patience);
  Refuse(504, "did not answer within " + std::to_string(patience.count()) + " ms");
}

// The answer cannot be ended. Whoever has nothing of it yet is told why.
void Relay::Break(const std::string& why) {
  if (committed_) return owner_.RelayBroke();
  Refuse(502, why);
}

void Relay::Refuse(int status, const std::string& why) {
  const std::string message = forward_.upstream->endpoint()->name() + " " + why;
  Drop();
  TellAnswered(status);
  owner_.RelayRefuses(status, message);
}

void Relay::TellAnswered(int status) {
  owner_.RelayAnswered(status, forward_.upstream->loop().clock().Now() - started_);
}

void Relay::Finish() {
  connection_->SetUser(nullptr);
  const bool clean = keep_engine_ && request_sent_ && connection_->input().empty() &&
                     !connection_->ended() && connection_->failure().ok();
  if (clean) {
    forward_.upstream->GiveBack(std::move(connection_));
  }
  Drop();
  Shrink();
  owner_.RelayFinished();
}

}  // namespace swarm::net
