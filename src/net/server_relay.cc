// The forwarding half of ServerConnection.

#include <utility>

#include "net/bounds.h"
#include "net/server_connection.h"

namespace swarm::net {

// The head stays in input_ until the engine's answer is there, so that the handler can still have
// it.
bool ServerConnection::BeginRelay(const RequestHead& head, std::size_t head_size) {
  const ForwardRule& rule = server_->forward_rule();
  if (!rule || std::exchange(relay_failed_, false)) return false;
  if (head.method != "GET" || head.framing.kind != BodyKind::kNone || !head.upgrade.empty() ||
      head.minor_version == 0 || MemoryIsUsedUp()) {
    return false;
  }
  if (!relay_) relay_ = std::make_unique<Relay>(*this);
  if (!rule(head, &relay_->forward()) || !relay_->Start(head)) return false;
  relayed_head_ = head_size;
  if (!slot_->BeginRequest()) makes_room_ = true;
  keep_alive_ = head.keep_alive && !makes_room_;
  ++request_;
  body_.Reset({});
  state_ = State::kRelaying;
  counted_ = true;
  server_->RequestStarted();
  SetDeadline(kRelayDeadline);
  client_ended_ ? WatchForLoss() : StartRead();
  return true;
}

bool ServerConnection::RelayCommits() {
  ClearDeadline();
  input_.Consume(std::exchange(relayed_head_, 0));
  parser_.Reset();
  keep_alive_ = keep_alive_ && !server_->stopping() && !(client_ended_ && input_.empty());
  return keep_alive_;
}

void ServerConnection::RelayAnswered(int status, Duration took) {
  server_->Forwarded(relay_->forward().route, status, took);
}

void ServerConnection::RelayAwaits(bool engine) {
  if (engine) {
    if (awaits_client_) ClientTook();
    held_.Release();
    SetDeadline(kRelayPause);
  } else {
    if (awaits_client_) ClientTook();  // of the piece before
    held_.Set(relay_->held());
    AwaitClient();
  }
}

void ServerConnection::RelayAwaitsHead(Duration waited) {
  // A client that ended its side may be gone.
  if (client_ended_ && waited >= kRelayPause) return Close();
  SetDeadline(kRelayDeadline);
}

void ServerConnection::RelayFinished() {
  if (awaits_client_) ClientTook();
  held_.Release();
  counted_ = false;
  server_->RequestEnded();
  if (!keep_alive_) return Linger();
  NextRequest();
}

void ServerConnection::RelayFallsBack() {
  counted_ = false;
  server_->RequestEnded();
  relay_failed_ = true;
  relayed_head_ = 0;
  state_ = State::kHead;
  parser_.Reset();
  ParseHead();
}

void ServerConnection::RelayRefuses(int status, std::string_view message) {
  is_head_method_ = is_http10_ = wants_upgrade_ = expects_continue_ = false;
  RelayCommits();
  state_ = State::kHandling;
  OnReply(request_, ErrorReply(status, message));
}

}  // namespace swarm::net
