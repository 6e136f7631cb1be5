#include "net/socket_stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "base/check.h"
#include "net/bounds.h"
#include "swarmlib/status.h"

namespace swarm::net {

absl::Status SocketError(const boost::system::error_code& error, std::string_view tried) {
  std::string message(tried);
  if (error == boost::asio::error::operation_aborted) {
    return Cancelled(message.append(": the connection was closed on this side"));
  }
  return HttpError(502, message.append(": ").append(error.message()));
}

absl::Status SocketError(int error_number, std::string_view tried) {
  return SocketError(boost::system::error_code(error_number, boost::system::system_category()),
                     tried);
}

std::string PeerAddress(int socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return "unknown";
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    const auto* address = reinterpret_cast<const sockaddr_in*>(&storage);
    inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size());
    return std::string(text.data()) + ":" + std::to_string(ntohs(address->sin_port));
  }
  if (storage.ss_family == AF_INET6) {
    const auto* address = reinterpret_cast<const sockaddr_in6*>(&storage);
    inet_ntop(AF_INET6, &address->sin6_addr, text.data(), text.size());
    return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(address->sin6_port));
  }
  return "unix";
}

void TuneSocket(int socket) {
  const auto set = [socket](int level, int name, int value) {
    setsockopt(socket, level, name, &value, sizeof value);
  };
  int domain = 0;
  socklen_t size = sizeof domain;
  if (getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain == AF_UNIX) return;
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleSeconds);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveIntervalSeconds);
  set(IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
}

// Lives on while operations are under way, so that their callbacks come after the stream is gone.
struct SocketStream::Core : std::enable_shared_from_this<SocketStream::Core> {
  Core(Socket open_socket, Peer whose) : socket(std::move(open_socket)), peer(std::move(whose)) {}

  void StartWrite(Callback<absl::Status> done) {
    SWARM_CHECK(!write_done, "one write at a time");
    write_done = std::move(done);
    if (socket.is_open()) {
      Drain();
    } else {
      FinishWrite(
          Cancelled("write to " + peer.address + ": the connection was closed on this side"));
    }
  }

  // Hands bytes to the kernel until it takes no more.
  void Drain() {
    while (left() > 0) {
      const ssize_t sent = SendOnce();
      if (sent >= 0) {
        Advance(static_cast<std::size_t>(sent));
      } else if (errno == EAGAIN) {
        AwaitRoom();
        return;
      } else if (errno != EINTR) {
        FinishWrite(SocketError(errno, "write to " + peer.address));
        return;
      }
    }
    FinishWrite(absl::OkStatus());
  }

  std::size_t left() const { return pieces.size() - next_piece; }

  ssize_t SendOnce() {
    std::array<iovec, kMaxIoVectors> vectors;
    std::size_t count = 0;
    std::size_t skip = sent_of_piece;
    for (std::size_t i = next_piece; i < pieces.size() && count < kMaxIoVectors; ++i) {
      const std::string_view piece = pieces[i].substr(skip);
      skip = 0;
      vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    return sendmsg(socket.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  void Advance(std::size_t sent) {
    sent_of_piece += sent;
    while (next_piece < pieces.size() && sent_of_piece >= pieces[next_piece].size()) {
      sent_of_piece -= pieces[next_piece].size();
      ++next_piece;
    }
  }

  void AwaitRoom() {
    socket.async_wait(Socket::wait_write,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        if (error) {
                          self->FinishWrite(SocketError(error, "write to " + self->peer.address));
                        } else {
                          self->Drain();
                        }
                      });
  }

  // The callback never comes from inside the call, hence the post.
  void FinishWrite(absl::Status status) {
    boost::asio::post(socket.get_executor(),
                      [self = shared_from_this(), status = std::move(status)]() mutable {
                        Callback<absl::Status> done = std::exchange(self->write_done, nullptr);
                        if (self->close_after_write) self->Shutdown();
                        done(std::move(status));
                      });
  }

  void Shutdown() {
    boost::system::error_code ignored;
    socket.shutdown(Socket::shutdown_send, ignored);
  }

  void Close() {
    boost::system::error_code ignored;
    socket.close(ignored);
  }

  Socket socket;
  const Peer peer;
  bool close_after_write = false;
  std::span<const std::string_view> pieces;
  std::string_view single;
  std::size_t next_piece = 0;
  std::size_t sent_of_piece = 0;
  Callback<absl::Status> write_done;
};

SocketStream::SocketStream(Socket socket, Peer peer)
    : core_(std::make_shared<Core>(std::move(socket), std::move(peer))) {
  TuneSocket(core_->socket.native_handle());
}

SocketStream::~SocketStream() { core_->Close(); }

void SocketStream::Read(std::span<char> into, ResultCallback<std::size_t> done) {
  core_->socket.async_read_some(
      boost::asio::buffer(into.data(), into.size()),
      [core = core_, done = std::move(done)](const boost::system::error_code& error,
                                             std::size_t count) mutable {
        if (!error) return done(count);
        if (error == boost::asio::error::eof) return done(std::size_t{0});
        done(SocketError(error, "read from " + core->peer.address));
      });
}

void SocketStream::Write(std::string_view bytes, Callback<absl::Status> done) {
  core_->single = bytes;
  WriteMany(std::span(&core_->single, 1), std::move(done));
}

void SocketStream::WriteMany(std::span<const std::string_view> pieces,
                             Callback<absl::Status> done) {
  core_->pieces = pieces;
  core_->next_piece = 0;
  core_->sent_of_piece = 0;
  core_->Advance(0);  // leading empty pieces
  core_->StartWrite(std::move(done));
}

std::size_t SocketStream::WriteSome(std::span<const std::string_view> pieces) {
  SWARM_CHECK(!core_->write_done, "one write at a time");
  core_->pieces = pieces;
  core_->next_piece = 0;
  core_->sent_of_piece = 0;
  core_->Advance(0);
  std::size_t all = 0;
  while (core_->left() > 0) {
    const ssize_t sent = core_->SendOnce();
    if (sent <= 0) break;
    all += static_cast<std::size_t>(sent);
    core_->Advance(static_cast<std::size_t>(sent));
  }
  return all;
}

void SocketStream::CloseWrite() {
  if (core_->write_done) {
    core_->close_after_write = true;
  } else {
    core_->Shutdown();
  }
}

void SocketStream::Abort() { core_->Close(); }

std::optional<int> SocketStream::NativeSocket() const {
  if (!core_->socket.is_open()) return std::nullopt;
  return const_cast<Core&>(*core_).socket.native_handle();
}

const Peer& SocketStream::peer() const { return core_->peer; }

bool SocketStream::HasNews() {
  char byte = 0;
  const ssize_t got =
      recv(core_->socket.native_handle(), &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EINTR);
}

}  // namespace swarm::net
