#include "net/connector.h"

#include <sys/socket.h>

#include <chrono>
#include <utility>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>

#include "net/bounds.h"
#include "net/descriptor.h"
#include "net/socket_stream.h"
#include "net/tls.h"
#include "swarmlib/status.h"

namespace swarm::net {
namespace {

using boost::asio::generic::stream_protocol;
using boost::asio::ip::tcp;

class Connector : public std::enable_shared_from_this<Connector> {
 public:
  Connector(Loop& loop, std::shared_ptr<const Endpoint> endpoint,
            ResultCallback<std::unique_ptr<Transport>> done)
      : loop_(loop),
        endpoint_(std::move(endpoint)),
        resolver_(loop.context()),
        socket_(loop.context()),
        done_(std::move(done)) {}

  void Start() {
    // It holds the attempt, whatever becomes of the look-up.
    timer_ = loop_.After(kConnectDeadline, [self = shared_from_this()] { self->TimeOut(); });
    const Address& address = endpoint_->address;
    if (address.is_unix()) {
      addresses_.emplace_back(boost::asio::local::stream_protocol::endpoint(address.path));
      return TryNext();
    }
    if (IsNumericHost(address.host)) {
      const auto numeric = boost::asio::ip::make_address(address.host);
      addresses_.emplace_back(tcp::endpoint(numeric, address.port));
      return TryNext();
    }
    if (endpoint_->resolve) return ResolveElsewhere();
    resolver_.async_resolve(
        address.host, std::to_string(address.port), tcp::resolver::numeric_service,
        [self = shared_from_this()](const boost::system::error_code& error,
                                    const tcp::resolver::results_type& results) {
          if (!self->done_) return;
          if (error) return self->Fail("its name was not resolved: " + error.message());
          for (const auto& entry : results) {
            if (self->addresses_.size() == kMaxResolvedAddresses) break;
            self->addresses_.emplace_back(entry.endpoint());
          }
          self->TryNext();
        });
  }

 private:
  void ResolveElsewhere() {
    endpoint_->resolve(
        endpoint_->address.host,
        [weak = weak_from_this(), loop = &loop_](absl::StatusOr<std::vector<std::string>> found) {
          loop->Post([weak, found = std::move(found)] {
            const auto self = weak.lock();
            if (self && self->done_) self->Resolved(found);
          });
        });
  }

  void Resolved(const absl::StatusOr<std::vector<std::string>>& found) {
    if (!found.ok()) return Fail(std::string(MessageOf(found.status())));
    for (const std::string& text : *found) {
      boost::system::error_code not_numeric;
      const auto numeric = boost::asio::ip::make_address(text, not_numeric);
      if (not_numeric) continue;
      if (addresses_.size() == kMaxResolvedAddresses) break;
      addresses_.emplace_back(tcp::endpoint(numeric, endpoint_->address.port));
    }
    TryNext();
  }

  void TryNext() {
    if (next_ == addresses_.size()) return Fail(last_error_);
    const stream_protocol::endpoint& address = addresses_[next_++];
    boost::system::error_code error;
    socket_.close(error);
    Descriptor fresh(
        ::socket(address.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fresh.valid()) {
      error.assign(errno, boost::system::system_category());
      return FailHere(error.message());
    }
    socket_.assign(address.protocol(), fresh.get(), error);
    if (error) return FailHere(error.message());
    fresh.Release();
    socket_.async_connect(address,
                          [self = shared_from_this()](const boost::system::error_code& failed) {
                            if (!self->done_) return;
                            if (!failed) return self->Connected();
                            self->last_error_ = failed.message();
                            self->TryNext();
                          });
  }

  void Connected() {
    Peer peer;
    peer.address = endpoint_->name();
    boost::system::error_code error;
    Descriptor connected(socket_.release(error));
    if (error) return FailHere(error.message());
    auto done = Finish();
    if (endpoint_->tls && !endpoint_->address.is_unix()) {
      return ConnectTls(loop_, endpoint_->tls, std::move(connected), std::move(peer),
                        endpoint_->address.host, std::move(done));
    }
    done(std::make_unique<SocketStream>(loop_, std::move(connected), std::move(peer)));
  }

  ResultCallback<std::unique_ptr<Transport>> Finish() {
    loop_.Cancel(timer_);
    return std::exchange(done_, nullptr);
  }

  void TimeOut() {
    boost::system::error_code ignored;
    resolver_.cancel();
    socket_.close(ignored);
    Fail(
        "no answer within " +
        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(kConnectDeadline).count()) +
        " s");
  }

  void Fail(const std::string& why) {
    FailWith(Unavailable("cannot connect to " + endpoint_->name() + ": " + why));
  }

  // No word against the engine.
  void FailHere(const std::string& why) {
    FailWith(ResourceExhausted("cannot connect to " + endpoint_->name() +
                               ": no socket on this side: " + why));
  }

  // Posted, since the start of an attempt may fail inside Connect().
  void FailWith(absl::Status status) {
    boost::asio::post(loop_.context(), [done = Finish(), status = std::move(status)]() mutable {
      done(std::move(status));
    });
  }

  Loop& loop_;
  const std::shared_ptr<const Endpoint> endpoint_;
  tcp::resolver resolver_;
  stream_protocol::socket socket_;
  ResultCallback<std::unique_ptr<Transport>> done_;
  std::vector<stream_protocol::endpoint> addresses_;
  std::size_t next_ = 0;
  std::string last_error_ = "its name has no address";
  Loop::TimerId timer_ = 0;
};

}  // namespace

std::string Endpoint::HostField() const { return address.is_unix() ? "docker" : address.text(); }

void Connect(Loop& loop, std::shared_ptr<const Endpoint> endpoint,
             ResultCallback<std::unique_ptr<Transport>> done) {
  std::make_shared<Connector>(loop, std::move(endpoint), std::move(done))->Start();
}

}  // namespace swarm::net
