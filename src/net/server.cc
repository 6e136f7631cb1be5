#include "net/server.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <unordered_map>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/log.h"
#include "net/bounds.h"
#include "net/exhaustion_log.h"
#include "net/server_connection.h"
#include "net/socket_stream.h"
#include "net/tls.h"
#include "swarmlib/status.h"

namespace swarm::net {

struct Server::Core final : ServerSeam, std::enable_shared_from_this<Server::Core> {
  Core(Loop& on, ServerOptions server_options, Handler request_handler)
      : home(on), options(std::move(server_options)), answer(std::move(request_handler)) {
    if (options.room) return;
    ConnectionRoom::Options own;
    own.clock = &home.clock();
    own.log = home.log();
    options.room = std::make_shared<ConnectionRoom>(std::move(own));
  }

  Loop& loop() override { return home; }
  const Handler& handler() override { return answer; }
  const ForwardRule& forward_rule() override { return options.forward; }
  void Forwarded(std::string_view route, int status, Duration took) override {
    if (options.forwarded) options.forwarded(route, status, took);
  }
  bool LivesForClient(std::string_view method, std::string_view target) override {
    return !options.lives_for_client || options.lives_for_client(method, target);
  }
  const ServerMemory& memory() override { return options.memory; }
  bool stopping() override { return stopped; }
  void RequestStarted() override { ++running; }
  void RequestEnded() override { --running; }
  void Forget(ServerConnection* connection) override;
  std::string_view DateField() override;

  void Take(Descriptor descriptor, bool secured);
  void Add(std::unique_ptr<Transport> transport, std::unique_ptr<ConnectionRoom::Slot> slot);

  Loop& home;
  ServerOptions options;
  Handler answer;
  bool stopped = false;
  std::size_t running = 0;
  std::vector<std::shared_ptr<Acceptor>> acceptors;
  std::unordered_map<ServerConnection*, std::shared_ptr<ServerConnection>> connections;
  std::time_t date_second = -1;
  std::string date_field;
};

// Takes connections of one listening socket in batches.
class Server::Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(std::weak_ptr<Core> core, Loop& loop, Listener listener)
      : core_(std::move(core)),
        loop_(loop),
        address_(std::move(listener.address)),
        unix_(address_.starts_with("unix://")),
        file_(std::move(listener.file)),
        socket_(loop.context(), listener.socket.Release()) {}

  const std::string& address() const { return address_; }

  void Wait() {
    if (waiting_ || !socket_.is_open()) return;
    waiting_ = true;
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                         self->waiting_ = false;
                         if (!error) self->AcceptBatch();
                       });
  }

  void Close(ConnectionRoom& room) {
    boost::system::error_code ignored;
    socket_.close(ignored);
    file_.reset();
    room.StopWaiting(this);
  }

 private:
  bool MayAccept(ConnectionRoom& room) {
    return room.MayAccept(this, [&loop = loop_, weak = weak_from_this()] {
      loop.Post([weak] {
        if (const auto self = weak.lock()) self->Wait();
      });
    });
  }

  void AcceptBatch() {
    const std::shared_ptr<Core> core = core_.lock();
    if (!core || core->stopped) return;
    for (std::size_t i = 0; i < kAcceptBatch; ++i) {
      if (!MayAccept(*core->options.room)) return;  // goes on when there is room
      Descriptor taken(
          accept4(socket_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      const int error = errno;
      if (taken.valid()) {
        core->Take(std::move(taken), !unix_);
      } else if (IsExhaustion(error) && IsAsked(socket_.native_handle())) {
        exhaustion_.Tell(loop_, address_);
        const bool makes_room = error == EMFILE && core->options.room->CloseOneIdle();
        loop_.After(makes_room ? kMadeRoomPause : kAcceptPause,
                    [self = shared_from_this()] { self->Wait(); });
        return;
      } else if (error != ECONNABORTED && error != EINTR) {
        break;
      }
    }
    Wait();
  }

  const std::weak_ptr<Core> core_;
  Loop& loop_;
  const std::string address_;
  const bool unix_;
  std::shared_ptr<void> file_;
  boost::asio::posix::stream_descriptor socket_;
  bool waiting_ = false;
  ExhaustionLog exhaustion_;
};

void Server::Core::Take(Descriptor descriptor, bool secured) {
  std::unique_ptr<ConnectionRoom::Slot> slot =
      options.room->Enter(ClientOf(descriptor.get()), home);
  if (!slot) return;
  Peer peer;
  peer.address =
      options.name_peer ? options.name_peer(descriptor.get()) : PeerAddress(descriptor.get());
  if (!options.tls || !secured) {
    auto stream = std::make_unique<SocketStream>(home, std::move(descriptor), std::move(peer));
    return Add(std::move(stream), std::move(slot));
  }
  AcceptTls(home, options.tls, std::move(descriptor), std::move(peer),
            [weak = weak_from_this(),
             slot = std::move(slot)](absl::StatusOr<std::unique_ptr<Transport>> secured) mutable {
              const auto core = weak.lock();
              if (!core) return;
              if (secured.ok()) return core->Add(*std::move(secured), std::move(slot));
              const bool left = absl::IsCancelled(secured.status());
              Log(core->home.log(), left ? LogLevel::kDebug : LogLevel::kInfo,
                  left ? "a TLS client closed before its handshake" : "a TLS client was refused",
                  {{"reason", std::string(MessageOf(secured.status()))}});
            });
}

void Server::Core::Add(std::unique_ptr<Transport> transport,
                       std::unique_ptr<ConnectionRoom::Slot> slot) {
  if (stopped) return;
  auto connection =
      std::make_shared<ServerConnection>(shared_from_this(), std::move(transport), std::move(slot));
  connections.emplace(connection.get(), connection);
  connection->Start();
}

void Server::Core::Forget(ServerConnection* connection) { connections.erase(connection); }

std::string_view Server::Core::DateField() {
  const std::time_t now = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(home.clock().Wall()));
  if (now != date_second) {
    date_second = now;
    std::tm parts{};
    gmtime_r(&now, &parts);
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n",
                  kDays[parts.tm_wday], parts.tm_mday, kMonths[parts.tm_mon], parts.tm_year + 1900,
                  parts.tm_hour, parts.tm_min, parts.tm_sec);
    date_field = text.data();
  }
  return date_field;
}

Server::Server(Loop& loop, ServerOptions options, Handler handler)
    : core_(std::make_shared<Core>(loop, std::move(options), std::move(handler))) {}

Server::~Server() {
  StopAccepting();
  const auto open = core_->connections;  // closing one takes it out
  for (const auto& [pointer, connection] : open) connection->Close();
}

absl::Status Server::Listen(std::string_view address) {
  absl::StatusOr<std::vector<Listener>> listeners = BindListeners(address, 1);
  if (!listeners.ok()) return listeners.status();
  Adopt(std::move(listeners->front()));
  return absl::OkStatus();
}

void Server::Adopt(Listener listener) {
  auto acceptor = std::make_shared<Acceptor>(core_, core_->home, std::move(listener));
  acceptor->Wait();
  core_->acceptors.push_back(std::move(acceptor));
}

std::vector<std::string> Server::addresses() const {
  std::vector<std::string> bound;
  for (const auto& acceptor : core_->acceptors) bound.push_back(acceptor->address());
  return bound;
}

void Server::StopAccepting() {
  core_->stopped = true;
  for (const auto& acceptor : core_->acceptors) acceptor->Close(*core_->options.room);
  const auto open = core_->connections;
  for (const auto& [pointer, connection] : open) connection->StopWhenIdle();
}

std::size_t Server::active() const { return core_->running; }

std::size_t Server::connections() const { return core_->connections.size(); }

}  // namespace swarm::net
