#include "net/exchange.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "net/bounds.h"
#include "net/http_scan.h"
#include "net/response_body.h"
#include "swarmlib/status.h"

namespace swarm::net {
namespace {

// Longer waits are none.
constexpr Duration kForEver = std::chrono::hours(24 * 365);

bool IsPlain(const Request& request) {
  const auto all = [](std::string_view text, ByteClass wanted) {
    return !text.empty() &&
           SkipClass(text.data(), text.data() + text.size(), wanted) == text.data() + text.size();
  };
  return all(request.method, kTokenByte) && all(request.target, kTargetByte) &&
         request.target.front() == '/';
}

}  // namespace

Exchange::Exchange(std::shared_ptr<Client> client, Kind kind, Request request, CallOptions options,
                   ResultCallback<Reply> done)
    : loop_(client->loop()),
      client_(client),
      endpoint_(client->endpoint()),
      kind_(kind),
      request_(std::move(request)),
      options_(std::move(options)),
      done_(std::move(done)) {}

Exchange::~Exchange() = default;

void Exchange::Start() {
  if (options_.timeout < kForEver) {
    timer_ = loop_.After(options_.timeout, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->timer_ = 0;
      const auto waited =
          std::chrono::duration_cast<std::chrono::milliseconds>(self->options_.timeout);
      self->Fail(DeadlineExceeded(self->Name() + " did not answer within " +
                                  std::to_string(waited.count()) + " ms"));
    });
  }
  if (options_.stop.stop_possible()) {
    // Asked from any thread; acted on here.
    stop_callback_.emplace(options_.stop, [weak = weak_from_this(), &loop = loop_] {
      loop.Post([weak] {
        if (const auto self = weak.lock()) self->Fail(Cancelled("the request was given up"));
      });
    });
  }
  if (!IsPlain(request_)) {
    loop_.Post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) {
        self->Fail(InvalidArgument(
            "the request's method or target holds characters that HTTP does not allow"));
      }
    });
    return;
  }
  if (options_.stop.stop_requested()) return;  // the callback is on its way
  Acquire();
}

void Exchange::Acquire() {
  const std::shared_ptr<Client> client = client_.lock();
  SWARM_CHECK(client != nullptr, "an exchange is started by its client");
  if (auto idle = client->TakeIdle()) {
    reused_ = true;
    return UseConnection(std::move(idle));
  }
  ConnectAnew();
}

void Exchange::ConnectAnew() {
  reused_ = false;
  Connect(loop_, endpoint_,
          [weak = weak_from_this()](absl::StatusOr<std::unique_ptr<Transport>> transport) {
            const auto self = weak.lock();
            if (!self || !self->done_) return;
            if (!transport.ok()) return self->Fail(transport.status());
            self->UseConnection(std::make_unique<ClientConnection>(*std::move(transport)));
          });
}

void Exchange::UseConnection(std::unique_ptr<ClientConnection> connection) {
  connection_ = std::move(connection);
  ++attempt_;
  connection_->SetUser(this);
  Send();
  parser_.Reset({.head_method = request_.method == "HEAD", .upgrade = asks_upgrade_});
}

void Exchange::OnInput() {
  // The connection may be given back or dropped below, with it the last owner of this.
  const std::shared_ptr<Exchange> self = shared_from_this();
  if (!head_taken_) return TakeHead();
  if (kind_ == Kind::kCall) return Collect();
  DeliverBody();
}

void Exchange::TakeHead() {
  for (;;) {
    InputBuffer& input = connection_->input();
    if (input.empty() && (connection_->ended() || !connection_->failure().ok())) return NoAnswer();
    const HeadResult result = parser_.Parse(input.bytes());
    if (result.state == HeadState::kError) {
      const char first = input.bytes().front();
      const bool is_tls = first == '\x15' || first == '\x16';
      return Fail(HttpError(
          502, Name() + (is_tls ? " answers in TLS; connect to it with --tls or --tlsverify"
                                : " sent a malformed answer: " + std::string(result.reason))));
    }
    if (result.state == HeadState::kNeedMore) {
      if (connection_->ended() || !connection_->failure().ok()) return NoAnswer();
      return connection_->StartRead();
    }
    if (!parser_.head().interim()) return OnHead(parser_.head(), result.size);
    if (++interim_heads_ > kMaxInterimHeads) {
      return Fail(HttpError(502, Name() + " sent too many interim answers"));
    }
    input.Consume(result.size);
    parser_.Reset({.head_method = request_.method == "HEAD", .upgrade = asks_upgrade_});
  }
}

// A kept connection may have been closed by the engine while the request was on its way.
void Exchange::NoAnswer() {
  const bool repeatable =
      (request_.method == "GET" || request_.method == "HEAD") && !request_.body_stream;
  if (reused_ && !retried_ && repeatable && connection_->input().empty() && interim_heads_ == 0) {
    retried_ = true;
    connection_.reset();
    return ConnectAnew();
  }
  if (!connection_->failure().ok()) {
    return Fail(HttpError(502, Name() + " broke the connection before its answer: " +
                                   std::string(MessageOf(connection_->failure()))));
  }
  Fail(HttpError(502, Name() + " closed the connection before its answer was whole"));
}

void Exchange::OnHead(const ResponseHead& head, std::size_t head_size) {
  head_taken_ = true;
  keep_alive_ = head.keep_alive;
  reply_.status = head.status;
  reply_.headers.reserve(head.fields.size());
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    const Field field = head.fields[i];
    if (field.kind != FieldKind::kOther || head.fields.NamedInConnection(field.name)) continue;
    reply_.headers.emplace_back(field.name, field.value);
  }
  const Framing framing = head.framing;
  const bool raw_stream =
      kind_ == Kind::kUpgrade && head.status == 200 && framing.kind == BodyKind::kUntilClose;
  if (head.status == 101) reply_.headers.emplace_back("Upgrade", head.upgrade);
  if (request_.method == "HEAD") {
    reply_.body_length = head.content_length;
  } else if (framing.kind == BodyKind::kLength) {
    reply_.body_length = framing.length;
  } else if (framing.kind == BodyKind::kNone) {
    reply_.body_length = 0;
  }
  const bool is_tunnel = head.status == 101 || raw_stream;
  connection_->input().Consume(head_size);
  if (is_tunnel) {
    reply_.body_length.reset();
    tunnel_waits_ = true;
    if (request_sent_ && !writing_) HandOverTunnel();
    return;
  }
  body_.Reset(framing);
  if (kind_ == Kind::kCall) {
    if (framing.kind == BodyKind::kLength && framing.length > options_.max_body) {
      return Fail(HttpError(502, Name() + " sent an answer of " + std::to_string(framing.length) +
                                     " bytes; at most " + std::to_string(options_.max_body) +
                                     " are taken"));
    }
    if (framing.kind == BodyKind::kLength) reply_.body.reserve(framing.length);
    return Collect();
  }
  // A client that has nothing of the answer yet is told what is wrong with it.
  if (framing.kind == BodyKind::kChunked) {
    const std::string_view fault = FaultOfFirstChunk(connection_->input().bytes());
    if (!fault.empty())
      return Fail(HttpError(502, Name() + " sent a malformed answer: " + std::string(fault)));
  }
  reply_.body_stream = std::make_unique<ResponseBody>(shared_from_this());
  MaybeReuse();
  Deliver(std::move(reply_));
}

void Exchange::HandOverTunnel() {
  tunnel_waits_ = false;
  reply_.tunnel_head = connection_->input().bytes();
  connection_->SetUser(nullptr);
  reply_.tunnel = connection_->Release();
  connection_.reset();
  Deliver(std::move(reply_));
}

absl::Status Exchange::BodyFailure() const {
  if (!connection_) return Cancelled(Name() + ": the connection is closed");
  if (!connection_->failure().ok()) {
    return HttpError(502, Name() + " broke the connection within its answer: " +
                              std::string(MessageOf(connection_->failure())));
  }
  return HttpError(502, Name() + " sent a malformed answer: " + std::string(body_.failure()));
}

void Exchange::Collect() {
  std::array<char, 16U << 10U> decoded;
  while (const std::size_t count = body_.Take(connection_->input(), decoded)) {
    if (reply_.body.size() + count > options_.max_body) {
      return Fail(HttpError(502, Name() + " sent an answer of more than " +
                                     std::to_string(options_.max_body) + " bytes"));
    }
    reply_.body.append(decoded.data(), count);
  }
  if (connection_->ended()) body_.PeerEnded();
  if (body_.ended()) {
    if (request_.method != "HEAD") reply_.body_length.reset();
    MaybeReuse();
    return Deliver(std::move(reply_));
  }
  if (body_.failed() || !connection_->failure().ok()) return Fail(BodyFailure());
  connection_->StartRead();
}

void Exchange::ReadBody(std::span<char> into, ResultCallback<std::size_t> done) {
  SWARM_CHECK(!body_done_, "one read at a time");
  body_into_ = into;
  body_done_ = std::move(done);
  DeliverBody();
}

void Exchange::DeliverBody() {
  if (!body_done_) return;
  if (body_.ended()) return FinishBodyRead(std::size_t{0});
  if (!connection_) return FinishBodyRead(BodyFailure());
  const std::size_t count = body_.Take(connection_->input(), body_into_);
  if (count == 0 && connection_->ended()) body_.PeerEnded();
  if (body_.ended()) MaybeReuse();
  if (count > 0 || body_.ended()) return FinishBodyRead(count);
  if (body_.failed() || !connection_->failure().ok()) return FinishBodyRead(BodyFailure());
  connection_->StartRead();
}

// Posted: a callback never comes from inside the call that was given it.
void Exchange::FinishBodyRead(absl::StatusOr<std::size_t> result) {
  loop_.Post([done = std::exchange(body_done_, nullptr), result = std::move(result)]() mutable {
    done(std::move(result));
  });
}

void Exchange::DropBody() {
  if (body_done_) FinishBodyRead(Cancelled("the reading of the answer was given up"));
  if (connection_) connection_.reset();
  request_.body_stream.reset();
}

// Bytes behind the answer, or an answer before the request was out, make a connection unfit: what
// comes next on it might be taken for the answer to somebody else's request.
void Exchange::MaybeReuse() {
  if (!body_.ended() || !connection_) return;
  const bool clean = keep_alive_ && request_sent_ && body_.kind() != BodyKind::kUntilClose &&
                     connection_->input().empty() && !connection_->ended() &&
                     connection_->failure().ok();
  connection_->SetUser(nullptr);
  const std::shared_ptr<Client> client = client_.lock();
  if (clean && client) {
    client->GiveBack(std::move(connection_));
  }
  connection_.reset();
  if (!writing_) request_.body_stream.reset();
}

void Exchange::Fail(absl::Status status) {
  if (!done_) return;
  connection_.reset();
  Deliver(std::move(status));
}

void Exchange::Deliver(absl::StatusOr<Reply> reply) {
  if (timer_ != 0) loop_.Cancel(std::exchange(timer_, 0));
  stop_callback_.reset();
  const std::shared_ptr<Exchange> self = shared_from_this();
  if (const auto client = client_.lock()) client->Forget(this);
  ResultCallback<Reply> done = std::exchange(done_, nullptr);
  done(std::move(reply));
}

}  // namespace swarm::net
