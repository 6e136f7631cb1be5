#include "net/server_connection.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/json_text.h"
#include "base/log.h"
#include "net/bounds.h"
#include "net/request_body.h"
#include "swarmlib/status.h"
#include "swarmlib/wiped.h"

namespace swarm::net {
Reply ErrorReply(int status, std::string_view message) {
  Reply reply;
  reply.status = status;
  reply.headers.emplace_back("Content-Type", "application/json");
  reply.body = "{\"message\":";
  AppendJsonString(reply.body, message);
  reply.body += "}\n";
  return reply;
}

ServerConnection::ServerConnection(std::shared_ptr<ServerSeam> server,
                                   std::unique_ptr<Transport> transport,
                                   std::unique_ptr<ConnectionRoom::Slot> slot)
    : server_(std::move(server)),
      transport_(std::move(transport)),
      slot_(std::move(slot)),
      held_(server_->memory().budget) {
  if (server_->memory().budget) server_->memory().budget->AddConnections(1);
}

ServerConnection::~ServerConnection() {
  if (server_->memory().budget) server_->memory().budget->AddConnections(-1);
}

void ServerConnection::Start() {
  slot_->Attach(weak_from_this());
  slot_->AwaitRequest();
  SetDeadline(kIdleDeadline);
  StartRead();
}

void ServerConnection::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  const std::shared_ptr<ServerConnection> self = shared_from_this();
  if (std::exchange(counted_, false)) {
    stop_.request_stop();
    server_->RequestEnded();
  }
  if (body_done_) FinishBodyRead(Cancelled("the connection to the client is closed"));
  if (timer_ != 0) loop().Cancel(std::exchange(timer_, 0));
  if (tunnel_) std::exchange(tunnel_, nullptr)->Abort();
  if (relay_) relay_->Drop();
  ReleaseMemory();
  transport_.reset();
  slot_.reset();  // a handler may hold this object for longer
  if (reply_.body_stream) reply_.body_stream->Abort();
  server_->Forget(this);
}

void ServerConnection::StopWhenIdle() {
  if (state_ == State::kHead) return Close();
  keep_alive_ = false;
}

void ServerConnection::CloseIfIdle() {
  if (state_ == State::kHead) Close();
}

void ServerConnection::StartRead() {
  if (reading_ || client_ended_ || !transport_) return;
  const bool in_body = !body_.ended() && state_ != State::kHead;
  // What comes behind a request that the handler answers waits in the kernel, but for a little.
  const bool holds_head = state_ == State::kHead || state_ == State::kRelaying || wants_upgrade_;
  if (!in_body && input_.empty()) input_.Shrink();
  const std::span<char> room =
      input_.Room(in_body ? kStreamBuffer : (holds_head ? kMaxHeadBytes : kMaxPipelined));
  if (room.empty()) return;
  reading_ = true;
  transport_->Read(room, [self = shared_from_this()](absl::StatusOr<std::size_t> got) {
    self->OnRead(std::move(got));
  });
}

void ServerConnection::OnRead(absl::StatusOr<std::size_t> got) {
  reading_ = false;
  if (state_ == State::kClosed) return;
  if (state_ == State::kTunnel) {
    if (!got.ok()) return Close();
    input_.Filled(*got);
    return tunnel_->FromClient(input_.bytes());
  }
  if (!got.ok()) return Close();
  if (*got == 0) {
    client_ended_ = true;
    return OnEnd();
  }
  input_.Filled(*got);
  Advance();
}

void ServerConnection::OnEnd() {
  switch (state_) {
    case State::kHead:
    case State::kDraining:
    case State::kLingering: return Close();
    case State::kRelaying: return WatchForLoss();
    case State::kHandling:
    case State::kReplying:
      if (body_.ended()) return HearEnd();
      body_.PeerEnded();
      DeliverBody();
      return ClientGone();
    case State::kTunnel:
    case State::kClosed: return;
  }
}

// For more of the request, or to notice a client that goes away.
void ServerConnection::ReadOn() { client_ended_ ? OnEnd() : StartRead(); }

// The client ended its side behind its whole request. Before a tunnel that is news for the tunnel.
void ServerConnection::HearEnd() {
  if (!wants_upgrade_ && server_->LivesForClient(method_, target_)) return ClientGone();
  WatchForLoss();
}

// The client may still read: only a connection that breaks, or a write that fails, says that it is
// gone.
void ServerConnection::WatchForLoss() {
  transport_->NotifyLoss([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Close();
  });
}

void ServerConnection::ClientGone() {
  keep_alive_ = false;
  client_gone_ = true;
  const std::shared_ptr<ServerConnection> self = shared_from_this();
  stop_.request_stop();
  if (state_ == State::kReplying && reply_.body_stream) Close();
}

void ServerConnection::Advance() {
  switch (state_) {
    case State::kHead: return ParseHead();
    case State::kRelaying: return StartRead();
    case State::kHandling:
    case State::kReplying:
      if (body_done_) return DeliverBody();
      if (body_.ended()) StartRead();
      return;
    case State::kDraining: return Drain();
    case State::kLingering:
      lingered_ += input_.size();
      input_.Consume(input_.size());
      if (lingered_ > kMaxDrained) return Close();
      return StartRead();
    case State::kTunnel:
    case State::kClosed: return;
  }
}

void ServerConnection::ParseHead() {
  if (input_.empty()) {
    slot_->AwaitRequest();
    return StartRead();
  }
  const HeadResult result = parser_.Parse(input_.bytes());
  switch (result.state) {
    case HeadState::kNeedMore:
      if (client_ended_) return Close();
      slot_->AwaitRequest();
      if (!std::exchange(head_started_, true)) SetDeadline(kHeadDeadline);
      return StartRead();
    case HeadState::kError:
      Log(loop().log(), LogLevel::kDebug, "refused a malformed request",
          {{"client", transport_->peer().address}, {"reason", std::string(result.reason)}});
      slot_->BeginRequest();
      // The bytes behind it mean nothing.
      input_.Consume(input_.size());
      ++request_;
      keep_alive_ = is_head_method_ = wants_upgrade_ = expects_continue_ = false;
      is_http10_ = false;
      body_.Reset({});
      state_ = State::kHandling;
      return OnReply(request_, ErrorReply(result.status, result.reason));
    case HeadState::kDone: break;
  }
  head_started_ = false;
  if (BeginRelay(parser_.head(), result.size)) return;
  ClearDeadline();
  BeginRequest(parser_.head(), result.size);
}

void ServerConnection::BeginRequest(const RequestHead& head, std::size_t head_size) {
  Request request;
  request.method = head.method;
  request.target = head.target;
  request.headers.reserve(head.fields.size());
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    const Field field = head.fields[i];
    if (field.kind != FieldKind::kOther || head.fields.NamedInConnection(field.name)) continue;
    request.headers.emplace_back(field.name, field.value);
  }
  wants_upgrade_ = request.wants_upgrade = !head.upgrade.empty();
  if (wants_upgrade_) request.headers.emplace_back("Upgrade", head.upgrade);
  request.peer = transport_->peer();
  if (!slot_->BeginRequest()) makes_room_ = true;
  keep_alive_ = head.keep_alive && !makes_room_ && !server_->stopping();
  client_gone_ = false;
  method_ = head.method;
  target_ = head.target;
  is_head_method_ = head.method == "HEAD";
  may_refuse_ = is_head_method_ || head.method == "GET";
  is_http10_ = head.minor_version == 0;
  expects_continue_ = head.expect_continue;
  body_.Reset(head.framing);
  drained_ = 0;
  ++request_;
  if (head.framing.kind == BodyKind::kLength) request.body_length = head.framing.length;
  input_.Consume(head_size);
  parser_.Reset();
  if (!body_.ended())
    request.body_stream = std::make_unique<RequestBody>(shared_from_this(), request_);
  stop_ = std::stop_source();
  request.stop = stop_.get_token();
  state_ = State::kHandling;
  counted_ = true;
  server_->RequestStarted();
  if (body_.ended()) ReadOn();
  if (MemoryIsUsedUp() && !TellsHealth(target_)) {
    server_->memory().budget->TellRefused();
    return OnReply(request_, BusyReply());
  }
  server_->handler()(std::move(request), ReplyCallback(shared_from_this(), request_));
}

void ServerConnection::ReadBody(std::uint64_t request, std::span<char> into,
                                ResultCallback<std::size_t> done) {
  SWARM_CHECK(!body_done_, "one read at a time");
  if (request != request_ || state_ == State::kClosed) {
    return loop().Post([done = std::move(done)]() mutable {
      done(Cancelled("the request is over; its body cannot be read any more"));
    });
  }
  body_into_ = into;
  body_done_ = std::move(done);
  if (expects_continue_ && !writing_ && state_ == State::kHandling) {
    expects_continue_ = false;
    writing_ = true;
    transport_->Write("HTTP/1.1 100 Continue\r\n\r\n",
                      [self = shared_from_this()](absl::Status status) {
                        self->writing_ = false;
                        if (self->state_ == State::kClosed) return;
                        if (!status.ok()) return self->Close();
                        if (std::exchange(self->reply_waits_, false)) self->StartReply();
                      });
  }
  DeliverBody();
  if (body_done_ && !awaits_client_) SetDeadline(kBodyPause);
}

void ServerConnection::DeliverBody() {
  if (!body_done_) return;
  const std::size_t count = body_.Take(input_, body_into_);
  if (count > 0) {
    FinishBodyRead(count);
    if (!body_.ended()) return;
  } else if (body_.failed()) {
    keep_alive_ = false;
    return FinishBodyRead(InvalidArgument("the request's body: " + std::string(body_.failure())));
  } else if (body_.ended()) {
    FinishBodyRead(std::size_t{0});
  }
  ReadOn();
}

// Posted: a callback never comes from inside the call that was given it.
void ServerConnection::FinishBodyRead(absl::StatusOr<std::size_t> result) {
  if (!awaits_client_) ClearDeadline();
  loop().Post([done = std::exchange(body_done_, nullptr), result = std::move(result)]() mutable {
    done(std::move(result));
  });
}

void ServerConnection::DropBody(std::uint64_t request) {
  if (request != request_ || !body_done_) return;
  FinishBodyRead(Cancelled("the reading of the request's body was given up"));
}

// Small rests are read so that the connection can be used again.
void ServerConnection::Drain() {
  char discarded[4096];
  while (const std::size_t count = body_.Take(input_, discarded)) drained_ += count;
  Wipe(discarded, sizeof discarded);  // maybe a password
  if (body_.ended()) return NextRequest();
  if (body_.failed() || drained_ > kMaxDrained) return Linger();
  if (client_ended_) return Close();
  StartRead();
}

void ServerConnection::NextRequest() {
  state_ = State::kHead;
  if (server_->stopping()) return Linger();
  if (client_ended_ && input_.empty()) return Close();
  SetDeadline(kIdleDeadline);
  ParseHead();
}

// A close with unread bytes would reset the connection and take our answer with it.
void ServerConnection::Linger() {
  if (client_ended_) return Close();
  state_ = State::kLingering;
  lingered_ = 0;
  input_.Consume(input_.size());
  transport_->CloseWrite();
  SetDeadline(kLingerDeadline);
  StartRead();
}

void ServerConnection::OnReply(std::uint64_t request, absl::StatusOr<Reply> reply) {
  if (request != request_ || state_ != State::kHandling) return;
  if (reply.ok()) {
    reply_ = *std::move(reply);
  } else {
    const int status = HttpStatusOf(reply.status());
    reply_ = ErrorReply(status < 400 ? 500 : status, MessageOf(reply.status()));
  }
  state_ = State::kReplying;
  if (writing_) {
    reply_waits_ = true;
  } else {
    StartReply();
  }
}

void ServerConnection::SetDeadline(Duration from_now) {
  deadline_ = loop().clock().Now() + from_now;
  ArmTimer();
}

void ServerConnection::ArmTimer() {
  if (timer_ != 0 && timer_due_ <= deadline_) return;
  if (timer_ != 0) loop().Cancel(timer_);
  timer_due_ = deadline_;
  timer_ = loop().After(deadline_ - loop().clock().Now(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->OnTimer();
  });
}

void ServerConnection::OnTimer() {
  timer_ = 0;
  if (deadline_ == TimePoint::max()) return;
  if (loop().clock().Now() < deadline_) return ArmTimer();
  if (awaits_client_) return WriteTimedOut();
  if (state_ == State::kRelaying) return relay_->TimeOut();
  if (body_done_) {
    Log(loop().log(), LogLevel::kInfo, "the body of a request did not come in time",
        {{"client", transport_->peer().address}});
  }
  if (state_ == State::kHead && !input_.empty()) {
    Log(loop().log(), LogLevel::kDebug, "a request head did not come in time",
        {{"client", transport_->peer().address}});
  }
  Close();
}

}  // namespace swarm::net
