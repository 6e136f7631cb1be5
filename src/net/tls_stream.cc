#include "net/tls_stream.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "net/address.h"
#include "net/bounds.h"
#include "net/reactor.h"
#include "net/socket_bio.h"
#include "net/socket_stream.h"
#include "swarmlib/status.h"
#include "swarmlib/wiped.h"

namespace swarm::net {
namespace {

constexpr std::size_t kRecord = 16U << 10U;  // of TLS; small pieces are gathered into one

}  // namespace

// Lives on while the handshake is under way or an event names it. The session does non-blocking I/O
// by itself; the reactor only says when to try again.
class TlsStream::Core final : public Reactor::Watcher {
 public:
  Core(Loop& on, std::shared_ptr<SslContext> with, Role as, Descriptor open_socket, Peer whose,
       std::string named)
      : loop(on),
        context(std::move(with)),
        role(as),
        socket(std::move(open_socket)),
        peer(std::move(whose)),
        host(std::move(named)),
        ssl(context->NewSession()) {}

  bool Prepare() {
    if (!ssl) return false;
    BIO* const bio = NewSocketBio(socket.get());
    if (bio == nullptr) return false;
    SSL_set_bio(ssl.get(), bio, bio);
    if (role == Role::kServer) {
      SSL_set_accept_state(ssl.get());
      return true;
    }
    SSL_set_connect_state(ssl.get());
    context->Resume(peer.address, ssl.get());
    // As Go has it: a common name is no host's name.
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (IsNumericHost(host)) {
      return !context->verify() ||
             X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str()) == 1;
    }
    if (host.empty()) return true;
    SSL_set_tlsext_host_name(ssl.get(), host.c_str());
    return !context->verify() || SSL_set1_host(ssl.get(), host.c_str()) == 1;
  }

  bool is_open() const { return socket.valid(); }

  // Tries all that is under way, in the order in which one may unblock the other.
  void Progress() {
    if (!is_open())
      return Drop(Cancelled("the connection to " + peer.address + " was closed on this side"));
    // An event comes for what the socket had not: both are asked of it to the last byte.
    const auto wait_for = [](int code) {
      return code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE;
    };
    if (!refused.ok()) {
      DropInput();
    } else if (handshake_done) {
      const int code = TryHandshake();
      if (code != SSL_ERROR_NONE && !wait_for(code)) return FailHandshake(code);
    } else {
      if (write_done) {
        const int code = TryWrite();
        if (code != SSL_ERROR_NONE && !wait_for(code)) return Drop(Error(code, "write to "));
      }
      if (close_wanted && !write_done) wait_for(TryClose());
      if (read_done) {
        const int code = TryRead();
        if (code != SSL_ERROR_NONE && !wait_for(code)) FinishRead(Error(code, "read from "));
      }
    }
  }

  void OnReady(std::uint32_t events) override {
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) over = true;
    if (handshake_done || write_done || close_wanted || read_done) Progress();
    TellLoss();
  }

  // An end of the peer's socket alone says nothing: a proxy may pass a half-close on with it.
  void TellLoss() {
    if (over && lost) loop.Post(std::exchange(lost, nullptr));
  }

  void OnShutdown() override {
    const auto handshake = std::exchange(handshake_done, nullptr);
    const auto write = std::exchange(write_done, nullptr);
    const auto read = std::exchange(read_done, nullptr);
    const auto told = std::exchange(lost, nullptr);
    starting.reset();
  }

  int TryHandshake() {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_do_handshake(ssl.get());
    if (result != 1) return SSL_get_error(ssl.get(), result);
    const Handle<X509, X509_free> certificate(SSL_get1_peer_certificate(ssl.get()));
    if (certificate && (role == Role::kClient || context->verify())) {
      std::array<char, 256> name{};
      if (X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName,
                                    name.data(), name.size()) > 0) {
        peer.common_name = name.data();
      }
    }
    FinishHandshake(absl::OkStatus());
    return SSL_ERROR_NONE;
  }

  int TryRead() {
    ERR_clear_error();
    errno = 0;
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl.get(), read_into.data(), read_into.size(), &count);
    if (result == 1) {
      FinishRead(count);
      return SSL_ERROR_NONE;
    }
    const int code = SSL_get_error(ssl.get(), result);
    if (code != SSL_ERROR_ZERO_RETURN) return code;
    FinishRead(std::size_t{0});
    return SSL_ERROR_NONE;
  }

  int TryWrite() {
    while (NextRecord()) {
      ERR_clear_error();
      errno = 0;
      std::size_t count = 0;
      const int result = SSL_write_ex(ssl.get(), record.data(), record.size(), &count);
      if (result != 1) return SSL_get_error(ssl.get(), result);
      record.remove_prefix(count);
    }
    FinishWrite(absl::OkStatus());
    return SSL_ERROR_NONE;
  }

  // Sets `record` to the bytes to write next: a piece itself when it is large, else several small
  // ones together.
  bool NextRecord() {
    if (!record.empty()) return true;
    while (next_piece < pieces.size() && pieces[next_piece].empty()) ++next_piece;
    if (next_piece == pieces.size()) return false;
    const bool alone = pieces[next_piece].size() >= kRecord || next_piece + 1 == pieces.size();
    if (alone) {
      record = pieces[next_piece++];
      return true;
    }
    ForgetGathered();
    while (next_piece < pieces.size() && gathered.size() + pieces[next_piece].size() <= kRecord) {
      gathered += pieces[next_piece++];
    }
    record = gathered;
    return true;
  }

  // It may hold credentials, and waits for the next write.
  void ForgetGathered() {
    Wipe(gathered.data(), gathered.size());
    gathered.clear();
  }

  int TryClose() {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_shutdown(ssl.get());
    const int code = result < 0 ? SSL_get_error(ssl.get(), result) : SSL_ERROR_NONE;
    close_wanted = code == SSL_ERROR_WANT_WRITE;
    return code == SSL_ERROR_WANT_WRITE ? code : SSL_ERROR_NONE;
  }

  absl::Status Error(int code, std::string_view tried) {
    const bool is_server = role == Role::kServer;
    return HttpError(502, std::string(tried) + peer.address + ": " +
                              ExplainTls(ssl.get(), code, is_server, host));
  }

  void FailHandshake(int code) {
    const int reason = ERR_GET_REASON(ERR_peek_last_error());
    const bool plain_http = reason == SSL_R_HTTP_REQUEST;
    const bool went_away = (code == SSL_ERROR_SYSCALL && ERR_peek_last_error() == 0) ||
                           reason == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    const bool is_server = role == Role::kServer;
    const std::string why = ExplainTls(ssl.get(), code, is_server, host);
    if (plain_http) {
      static constexpr std::string_view kAnswer =
          "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
          "This port speaks TLS; use https or the client's --tls flags.\n";
      send(socket.get(), kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (is_server && went_away) {
      FinishHandshake(Cancelled("client " + peer.address + ": " + why));
      return Close();
    }
    if (is_server) return Linger(InvalidArgument("client " + peer.address + ": " + why));
    FinishHandshake(Unavailable("cannot connect to " + peer.address + ": " + why));
    Close();
  }

  // A client of TLS 1.3 sends its first request before it can know that it is refused. Closing on
  // that would reset the connection, and the client might never read why.
  void Linger(absl::Status why) {
    refused = std::move(why);
    loop.Cancel(timer);
    timer = loop.After(kLingerDeadline, [this] { EndLinger(); });
    shutdown(socket.get(), SHUT_WR);
    DropInput();
  }

  void DropInput() {
    std::array<char, kFirstBuffer> unwanted{};
    while (dropped <= kMaxDrained) {
      const ssize_t got = recv(socket.get(), unwanted.data(), unwanted.size(), MSG_DONTWAIT);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) break;
      dropped += static_cast<std::size_t>(got);
    }
    EndLinger();
  }

  void EndLinger() {
    const std::shared_ptr<Core> self = starting;
    FinishHandshake(refused);
    Close();
  }

  void TimeOut() {
    timer = 0;
    if (!handshake_done) return;
    const std::string text = peer.address + ": no TLS handshake within 10 s";
    FinishHandshake(role == Role::kServer ? DeadlineExceeded("client " + text)
                                          : Unavailable("cannot connect to " + text));
    Close();
  }

  // All callbacks are posted: they never come from inside the call that was given them.
  void FinishHandshake(absl::Status status) {
    if (timer != 0) loop.Cancel(std::exchange(timer, 0));
    auto done = std::exchange(handshake_done, nullptr);
    auto self = std::exchange(starting, nullptr);
    if (!status.ok()) {
      return loop.Post([self = std::move(self), done = std::move(done),
                        status = std::move(status)]() mutable { done(std::move(status)); });
    }
    secured = true;
    Post(std::move(done),
         absl::StatusOr<std::unique_ptr<Transport>>(std::make_unique<TlsStream>(std::move(self))));
  }
  void FinishRead(absl::StatusOr<std::size_t> result) {
    Post(std::exchange(read_done, nullptr), std::move(result));
  }
  void FinishWrite(absl::Status status) {
    ForgetGathered();
    Post(std::exchange(write_done, nullptr), std::move(status));
  }

  template <typename Done, typename Result>
  void Post(Done done, Result result) {
    loop.Post([done = std::move(done), result = std::move(result)]() mutable {
      done(std::move(result));
    });
  }

  void Drop(const absl::Status& status) {
    if (handshake_done) FinishHandshake(status);
    if (write_done) FinishWrite(status);
    if (read_done) FinishRead(status);
  }

  void Close() {
    if (std::exchange(secured, false)) KeepSession();
    if (watched()) Reactor::Of(loop).Remove(*this);
    socket.Close();
    lost = nullptr;
    Drop(Cancelled("the connection to " + peer.address + " was closed on this side"));
  }

  void KeepSession() {
    // Else OpenSSL would take the session for a broken one and never resume it.
    SSL_set_shutdown(ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    if (role != Role::kClient) return;
    Handle<SSL_SESSION, SSL_SESSION_free> session(SSL_get1_session(ssl.get()));
    if (session && SSL_SESSION_is_resumable(session.get()) == 1) {
      context->KeepSession(peer.address, session.release());
    }
  }

  Loop& loop;
  const std::shared_ptr<SslContext> context;
  const Role role;
  Descriptor socket;
  Peer peer;
  const std::string host;
  const SslHandle ssl;
  std::shared_ptr<Core> starting;  // itself, until the handshake is over
  absl::Status refused;            // why the client is; its input is dropped until it has read that
  std::size_t dropped = 0;
  bool close_wanted = false;
  Loop::TimerId timer = 0;
  bool secured = false;
  ResultCallback<std::unique_ptr<Transport>> handshake_done;
  std::span<char> read_into;
  ResultCallback<std::size_t> read_done;
  bool over = false;  // both directions of the socket have ended, or it broke
  Callback<> lost;
  std::string_view single;
  std::span<const std::string_view> pieces;
  std::size_t next_piece = 0;
  WipedString gathered;
  std::string_view record;
  Callback<absl::Status> write_done;
};

void TlsStream::Start(Loop& loop, std::shared_ptr<SslContext> context, Role role, Descriptor socket,
                      Peer peer, std::string host,
                      ResultCallback<std::unique_ptr<Transport>> done) {
  TuneSocket(socket.get());
  const auto core = std::make_shared<Core>(loop, std::move(context), role, std::move(socket),
                                           std::move(peer), std::move(host));
  core->handshake_done = std::move(done);
  core->timer = loop.After(kHandshakeDeadline, [weak = std::weak_ptr<Core>(core)] {
    if (const auto waiting = weak.lock()) waiting->TimeOut();
  });
  core->starting = core;
  if (!core->Prepare() || Reactor::Of(loop).Add(core->socket.get(), *core) != 0) {
    core->FinishHandshake(Internal("no TLS session for " + core->peer.address + " could be made"));
    return core->Close();
  }
  core->Progress();
}

TlsStream::TlsStream(std::shared_ptr<Core> core) : core_(std::move(core)) {}

TlsStream::~TlsStream() { core_->Close(); }

void TlsStream::Read(std::span<char> into, ResultCallback<std::size_t> done) {
  SWARM_CHECK(!core_->read_done, "one read at a time");
  core_->read_into = into;
  core_->read_done = std::move(done);
  core_->Progress();
}

void TlsStream::Write(std::string_view bytes, Callback<absl::Status> done) {
  core_->single = bytes;
  WriteMany(std::span(&core_->single, 1), std::move(done));
}

void TlsStream::WriteMany(std::span<const std::string_view> pieces, Callback<absl::Status> done) {
  SWARM_CHECK(!core_->write_done, "one write at a time");
  core_->pieces = pieces;
  core_->next_piece = 0;
  core_->write_done = std::move(done);
  core_->Progress();
}

void TlsStream::CloseWrite() {
  core_->close_wanted = true;
  if (core_->is_open()) core_->Progress();
}

void TlsStream::Abort() { core_->Close(); }

void TlsStream::NotifyLoss(Callback<> lost) {
  core_->lost = std::move(lost);
  core_->TellLoss();
}

std::uint64_t TlsStream::written() const {
  return BIO_number_written(SSL_get_wbio(core_->ssl.get()));
}

const Peer& TlsStream::peer() const { return core_->peer; }

bool TlsStream::HasNews() {
  char byte = 0;
  const ssize_t got = recv(core_->socket.get(), &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EINTR) || SSL_has_pending(core_->ssl.get()) == 1;
}

void AcceptTls(Loop& loop, std::shared_ptr<TlsContext> context, Descriptor socket, Peer peer,
               ResultCallback<std::unique_ptr<Transport>> done) {
  TlsStream::Start(loop, std::static_pointer_cast<SslContext>(std::move(context)),
                   TlsStream::Role::kServer, std::move(socket), std::move(peer), "",
                   std::move(done));
}

void ConnectTls(Loop& loop, std::shared_ptr<TlsContext> context, Descriptor socket, Peer peer,
                std::string_view host, ResultCallback<std::unique_ptr<Transport>> done) {
  TlsStream::Start(loop, std::static_pointer_cast<SslContext>(std::move(context)),
                   TlsStream::Role::kClient, std::move(socket), std::move(peer), std::string(host),
                   std::move(done));
}

}  // namespace swarm::net
