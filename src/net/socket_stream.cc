#include "net/socket_stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <utility>

#include <boost/asio/error.hpp>

#include "base/check.h"
#include "net/bounds.h"
#include "net/reactor.h"
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

// Lives on while a write is under way or an event names it, so that callbacks come after the stream
// is gone.
class SocketStream::Core final : public Reactor::Watcher {
 public:
  Core(Loop& loop, Descriptor socket, Peer peer)
      : loop_(loop), socket_(std::move(socket)), peer_(std::move(peer)) {}

  bool is_open() const { return socket_.valid(); }
  int socket() const { return socket_.get(); }
  const Peer& peer() const { return peer_; }
  std::uint64_t written() const { return written_; }
  bool writing() const { return write_done_ != nullptr; }

  void StartRead(std::span<char> into, ResultCallback<std::size_t> done) {
    SWARM_CHECK(!read_done_, "one read at a time");
    std::optional<absl::StatusOr<std::size_t>> got;
    if (!is_open()) {
      got = ClosedHere("read from ");
    } else if (const absl::Status watch = Watch("read from "); !watch.ok()) {
      got = watch;
    } else if (readable_) {
      got = Receive(into);
    }
    if (!got) {
      read_into_ = into;
      read_done_ = std::move(done);
      return;
    }
    loop_.Post([done = std::move(done), got = *std::move(got)]() mutable { done(std::move(got)); });
  }

  void StartWrite(std::span<const std::string_view> pieces, Callback<absl::Status> done) {
    SWARM_CHECK(!writing(), "one write at a time");
    write_done_ = std::move(done);
    SetPieces(pieces);
    if (!is_open()) return FinishWrite(ClosedHere("write to "));
    Drain();
  }

  void StartWriteOf(std::string_view bytes, Callback<absl::Status> done) {
    single_ = bytes;
    StartWrite(std::span(&single_, 1), std::move(done));
  }

  std::size_t WriteSome(std::span<const std::string_view> pieces) {
    SWARM_CHECK(!writing(), "one write at a time");
    SetPieces(pieces);
    std::size_t all = 0;
    while (is_open() && writable_ && left() > 0) {
      const ssize_t sent = SendOnce();
      if (sent <= 0) {
        writable_ = errno != EAGAIN;
        break;
      }
      all += static_cast<std::size_t>(sent);
      Advance(static_cast<std::size_t>(sent));
    }
    return all;
  }

  void CloseWrite() {
    if (writing()) {
      close_after_write_ = true;
    } else if (is_open()) {
      shutdown(socket(), SHUT_WR);
    }
  }

  void Close() {
    if (!is_open()) return;
    Unwatch();
    socket_.Close();
    lost_ = nullptr;
    if (read_done_) {
      loop_.Post([done = std::exchange(read_done_, nullptr),
                  status = ClosedHere("read from ")]() mutable { done(std::move(status)); });
    }
    if (std::exchange(write_waits_, false)) FinishWrite(ClosedHere("write to "));
  }

  // True when nobody here waits for an event.
  void GiveUpEvents() {
    if (!read_done_ && !write_waits_) Unwatch();
  }

  // From the constructor of the stream: an event that is there already is told in the next turn.
  absl::Status Watch(std::string_view tried) {
    if (watched()) return absl::OkStatus();
    readable_ = writable_ = true;
    const int error = Reactor::Of(loop_).Add(socket(), *this);
    return error == 0 ? absl::OkStatus() : SocketError(error, std::string(tried) + peer_.address);
  }

  void OnReady(std::uint32_t events) override {
    constexpr std::uint32_t kOver = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    if ((events & kOver) != 0) over_ = true;
    if ((events & (EPOLLIN | kOver)) != 0) readable_ = true;
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) writable_ = true;
    if (read_done_ && readable_) {
      std::optional<absl::StatusOr<std::size_t>> got = Receive(read_into_);
      if (got) std::exchange(read_done_, nullptr)(*std::move(got));
    }
    if (write_waits_ && writable_) {
      write_waits_ = false;
      Drain();
    }
    // Both directions are over, or it was reset.
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
    TellLoss();
  }

  // The event may have come before, while nobody asked.
  void NotifyLoss(Callback<> lost) {
    lost_ = std::move(lost);
    if (!is_open()) return;
    Watch("watch ").IgnoreError();
    if (!hung_up_) return;
    loop_.Post([self = std::static_pointer_cast<Core>(shared_from_this())] { self->TellLoss(); });
  }

  void TellLoss() {
    if (hung_up_ && lost_) std::exchange(lost_, nullptr)();
  }

  void OnShutdown() override {
    const auto read = std::exchange(read_done_, nullptr);
    const auto write = std::exchange(write_done_, nullptr);
    const auto lost = std::exchange(lost_, nullptr);
    write_waits_ = false;
  }

 private:
  absl::Status ClosedHere(std::string_view tried) const {
    return Cancelled(std::string(tried) + peer_.address +
                     ": the connection was closed on this side");
  }

  void Unwatch() {
    if (watched()) Reactor::Of(loop_).Remove(*this);
  }

  // Nothing when there is nothing yet; an event will come. A read that was not filled has taken all
  // that was there, but for the end or the error behind it.
  std::optional<absl::StatusOr<std::size_t>> Receive(std::span<char> into) {
    for (;;) {
      const ssize_t got = recv(socket(), into.data(), into.size(), MSG_DONTWAIT);
      if (got >= 0) {
        const auto count = static_cast<std::size_t>(got);
        if (count == 0) over_ = true;
        readable_ = over_ || count == into.size();
        return count;
      }
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return SocketError(errno, "read from " + peer_.address);
      readable_ = false;
      return std::nullopt;
    }
  }

  std::size_t left() const { return pieces_.size() - next_piece_; }

  void SetPieces(std::span<const std::string_view> pieces) {
    pieces_ = pieces;
    next_piece_ = 0;
    sent_of_piece_ = 0;
    Advance(0);  // leading empty pieces
  }

  // Hands bytes to the kernel until it takes no more.
  void Drain() {
    while (left() > 0) {
      const ssize_t sent = writable_ ? SendOnce() : -1;
      if (sent >= 0) {
        Advance(static_cast<std::size_t>(sent));
      } else if (!writable_ || errno == EAGAIN) {
        writable_ = false;
        return AwaitRoom();
      } else if (errno != EINTR) {
        return FinishWrite(SocketError(errno, "write to " + peer_.address));
      }
    }
    FinishWrite(absl::OkStatus());
  }

  ssize_t SendOnce() {
    std::array<iovec, kMaxIoVectors> vectors;
    std::size_t count = 0;
    std::size_t skip = sent_of_piece_;
    for (std::size_t i = next_piece_; i < pieces_.size() && count < kMaxIoVectors; ++i) {
      const std::string_view piece = pieces_[i].substr(skip);
      skip = 0;
      vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    const ssize_t sent = sendmsg(socket(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) written_ += static_cast<std::uint64_t>(sent);
    return sent;
  }

  void Advance(std::size_t sent) {
    sent_of_piece_ += sent;
    while (next_piece_ < pieces_.size() && sent_of_piece_ >= pieces_[next_piece_].size()) {
      sent_of_piece_ -= pieces_[next_piece_].size();
      ++next_piece_;
    }
  }

  void AwaitRoom() {
    const bool was_watched = watched();
    const absl::Status watch = Watch("write to ");
    if (!watch.ok()) return FinishWrite(watch);
    // The first event of a new registration tells what there is.
    if (!was_watched) writable_ = false;
    write_waits_ = true;
  }

  // The callback never comes from inside the call, hence the post.
  void FinishWrite(absl::Status status) {
    auto self = std::static_pointer_cast<Core>(shared_from_this());
    loop_.Post([self = std::move(self), status = std::move(status)]() mutable {
      Callback<absl::Status> done = std::exchange(self->write_done_, nullptr);
      if (std::exchange(self->close_after_write_, false)) self->CloseWrite();
      if (done) done(std::move(status));
    });
  }

  Loop& loop_;
  Descriptor socket_;
  const Peer peer_;
  // What the events told and no call has found otherwise.
  bool readable_ = true;
  bool writable_ = true;
  bool hung_up_ = false;  // both directions are over, or it was reset
  bool over_ = false;     // the peer's end or an error is there or has been read

  std::span<char> read_into_;
  ResultCallback<std::size_t> read_done_;
  Callback<> lost_;

  bool write_waits_ = false;  // for room
  bool close_after_write_ = false;
  std::string_view single_;
  std::span<const std::string_view> pieces_;
  std::size_t next_piece_ = 0;
  std::size_t sent_of_piece_ = 0;
  std::uint64_t written_ = 0;
  Callback<absl::Status> write_done_;
};

// Watched from the start: what comes before the first Read is told then.
SocketStream::SocketStream(Loop& loop, Descriptor socket, Peer peer)
    : core_(std::make_shared<Core>(loop, std::move(socket), std::move(peer))) {
  TuneSocket(core_->socket());
}

SocketStream::~SocketStream() { core_->Close(); }

void SocketStream::Read(std::span<char> into, ResultCallback<std::size_t> done) {
  core_->StartRead(into, std::move(done));
}

void SocketStream::Write(std::string_view bytes, Callback<absl::Status> done) {
  core_->StartWriteOf(bytes, std::move(done));
}

void SocketStream::WriteMany(std::span<const std::string_view> pieces,
                             Callback<absl::Status> done) {
  core_->StartWrite(pieces, std::move(done));
}

std::size_t SocketStream::WriteSome(std::span<const std::string_view> pieces) {
  return core_->WriteSome(pieces);
}

void SocketStream::CloseWrite() { core_->CloseWrite(); }

void SocketStream::Abort() { core_->Close(); }

std::optional<int> SocketStream::NativeSocket() const {
  if (!core_->is_open()) return std::nullopt;
  core_->GiveUpEvents();
  return core_->socket();
}

void SocketStream::NotifyLoss(Callback<> lost) { core_->NotifyLoss(std::move(lost)); }

std::uint64_t SocketStream::written() const { return core_->written(); }

const Peer& SocketStream::peer() const { return core_->peer(); }

bool SocketStream::HasNews() {
  char byte = 0;
  const ssize_t got = recv(core_->socket(), &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EINTR);
}

}  // namespace swarm::net
