#include "net/client.h"

#include <utility>

#include "net/bounds.h"
#include "net/exchange.h"
#include "swarmlib/status.h"

namespace swarm::net {

Client::Client(Loop& loop, std::shared_ptr<const Endpoint> endpoint)
    : loop_(loop), endpoint_(std::move(endpoint)), host_field_(endpoint_->HostField()) {}

Client::~Client() { Close(); }

void Client::Close() {
  closed_ = true;
  if (sweep_ != 0) loop_.Cancel(std::exchange(sweep_, 0));
  idle_.clear();
  const auto running = std::exchange(running_, {});
  for (const auto& [pointer, exchange] : running) {
    loop_.Post(
        [exchange = exchange] { exchange->Fail(Cancelled("the client of the engine is closed")); });
  }
}

void Client::Call(Request request, CallOptions options, ResultCallback<Reply> done) {
  Run(std::make_shared<Exchange>(shared_from_this(), Exchange::Kind::kCall, std::move(request),
                                 std::move(options), std::move(done)));
}

void Client::Open(Request request, CallOptions options, ResultCallback<Reply> done) {
  Run(std::make_shared<Exchange>(shared_from_this(), Exchange::Kind::kOpen, std::move(request),
                                 std::move(options), std::move(done)));
}

void Client::Upgrade(Request request, CallOptions options, ResultCallback<Reply> done) {
  Run(std::make_shared<Exchange>(shared_from_this(), Exchange::Kind::kUpgrade, std::move(request),
                                 std::move(options), std::move(done)));
}

void Client::Run(std::shared_ptr<Exchange> exchange) {
  running_.emplace(exchange.get(), exchange);
  exchange->Start();
}

std::unique_ptr<ClientConnection> Client::TakeIdle() {
  while (std::unique_ptr<ClientConnection> connection = TakeQuiet()) {
    if (connection->IsSilent()) return connection;
  }
  return nullptr;
}

std::unique_ptr<ClientConnection> Client::TakeQuiet() {
  while (!idle_.empty()) {
    std::unique_ptr<ClientConnection> connection = std::move(idle_.back().connection);
    idle_.pop_back();
    if (connection->IsReusable()) return connection;
  }
  return nullptr;
}

void Client::GiveBack(std::unique_ptr<ClientConnection> connection) {
  if (closed_) return;
  connection->input().Shrink();
  // The read that waits for the next answer also notices an engine that closes or speaks out of
  // turn.
  connection->StartRead();
  idle_.push_back({std::move(connection), loop_.clock().Now()});
  if (idle_.size() > kMaxPooled) idle_.pop_front();
  if (sweep_ == 0) Sweep();
}

void Client::Sweep() {
  sweep_ = 0;
  const TimePoint oldest = loop_.clock().Now() - kPoolIdleDeadline;
  while (!idle_.empty() && idle_.front().since <= oldest) idle_.pop_front();
  if (idle_.empty()) return;
  sweep_ = loop_.After(idle_.front().since - oldest, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Sweep();
  });
}

}  // namespace swarm::net
