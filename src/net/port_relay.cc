#include "net/port_relay.h"

#include <sys/socket.h>

#include <cerrno>
#include <set>
#include <string>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/log.h"
#include "net/bounds.h"
#include "net/connector.h"
#include "net/exhaustion_log.h"
#include "net/socket_stream.h"
#include "net/tunnel.h"
#include "swarmlib/status.h"

namespace swarm::net {

struct PortRelay::Core : std::enable_shared_from_this<PortRelay::Core> {
  Core(Loop& on, Address to, std::shared_ptr<RelayBudget> shared)
      : loop(on), endpoint(std::make_shared<Endpoint>()), budget(std::move(shared)) {
    endpoint->address = std::move(to);
  }

  void Take(Descriptor taken);
  void Join(std::unique_ptr<Stream> client, absl::StatusOr<std::unique_ptr<Transport>> upstream);

  Loop& loop;
  const std::shared_ptr<Endpoint> endpoint;
  const std::shared_ptr<RelayBudget> budget;
  bool closed = false;
  std::vector<std::shared_ptr<Acceptor>> acceptors;
  std::set<std::shared_ptr<Tunnel>> tunnels;
};

class PortRelay::Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(std::weak_ptr<Core> core, Loop& loop, Listener listener)
      : core_(std::move(core)),
        loop_(loop),
        address_(std::move(listener.address)),
        socket_(loop.context(), listener.socket.Release()) {}

  void Wait() {
    if (!socket_.is_open()) return;
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                         if (!error) self->AcceptBatch();
                       });
  }

  void Close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  void AcceptBatch() {
    const std::shared_ptr<Core> core = core_.lock();
    if (!core || core->closed) return;
    for (std::size_t i = 0; i < kAcceptBatch; ++i) {
      if (core->budget->open >= core->budget->most) return Pause();
      Descriptor taken(
          accept4(socket_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      const int error = errno;
      if (taken.valid()) {
        core->Take(std::move(taken));
      } else if (IsExhaustion(error) && IsAsked(socket_.native_handle())) {
        exhaustion_.Tell(loop_, address_);
        return Pause();
      } else if (error != ECONNABORTED && error != EINTR) {
        break;
      }
    }
    Wait();
  }

  void Pause() {
    loop_.After(kAcceptPause, [self = shared_from_this()] { self->Wait(); });
  }

  const std::weak_ptr<Core> core_;
  Loop& loop_;
  const std::string address_;
  boost::asio::posix::stream_descriptor socket_;
  ExhaustionLog exhaustion_;
};

void PortRelay::Core::Take(Descriptor taken) {
  ++budget->open;
  Peer peer;
  peer.address = PeerAddress(taken.get());
  auto client = std::make_unique<SocketStream>(loop, std::move(taken), std::move(peer));
  Connect(loop, endpoint,
          [core = shared_from_this(), client = std::move(client)](
              absl::StatusOr<std::unique_ptr<Transport>> upstream) mutable {
            core->Join(std::move(client), std::move(upstream));
          });
}

void PortRelay::Core::Join(std::unique_ptr<Stream> client,
                           absl::StatusOr<std::unique_ptr<Transport>> upstream) {
  if (closed || !upstream.ok()) {
    --budget->open;
    if (closed) return;
    Log(loop.log(), LogLevel::kDebug, "a relayed connection did not reach its container",
        {{"target", endpoint->name()}, {"reason", std::string(MessageOf(upstream.status()))}});
    return;
  }
  Tunnel::Ends ends;
  ends.client = std::move(client);
  ends.upstream = *std::move(upstream);
  const auto place = std::make_shared<std::weak_ptr<Tunnel>>();
  auto tunnel = std::make_shared<Tunnel>(loop, std::move(ends), [core = shared_from_this(), place] {
    --core->budget->open;
    if (const std::shared_ptr<Tunnel> ended = place->lock()) core->tunnels.erase(ended);
  });
  *place = tunnel;
  tunnels.insert(tunnel);
  tunnel->Start();
}

PortRelay::PortRelay(Loop& loop, std::vector<Listener> listeners, Address target,
                     std::shared_ptr<RelayBudget> budget)
    : core_(std::make_shared<Core>(loop, std::move(target), std::move(budget))) {
  for (Listener& listener : listeners) {
    core_->acceptors.push_back(std::make_shared<Acceptor>(core_, loop, std::move(listener)));
    core_->acceptors.back()->Wait();
  }
}

PortRelay::~PortRelay() {
  core_->closed = true;
  for (const auto& acceptor : core_->acceptors) acceptor->Close();
  // Taken out, for a tunnel holds the core: what the loop has no time left to end would keep both.
  const auto open = std::exchange(core_->tunnels, {});
  for (const std::shared_ptr<Tunnel>& tunnel : open) tunnel->Abort();
}

const Address& PortRelay::target() const { return core_->endpoint->address; }

}  // namespace swarm::net
