// Loop 2b: own head parser, Asio coroutines that wait on the own epoll loop instead of on Asio
// sockets: what a coroutine server gains when only its sockets change.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "net/http_head.h"
#include "net/http_head_writer.h"
#include "reactor.h"
#include "reactor_in_asio.h"
#include "routing.h"

namespace proxy_core {
namespace {

namespace asio = boost::asio;
using swarm::net::BodyKind;
using swarm::net::HeadResult;
using swarm::net::HeadState;
using Executor = asio::io_context::executor_type;  // known, so that nothing is erased or counted
template <typename T>
using Task = asio::awaitable<T, Executor>;
constexpr asio::use_awaitable_t<Executor> kUse;

constexpr std::size_t kBufferSize = 16 * 1024;

using Waiter = absl::AnyInvocable<void()>;

// Completes when somebody calls what it stored in `waiter`.
auto Wait(Waiter* waiter, asio::use_awaitable_t<Executor> token) {
  return asio::async_initiate<asio::use_awaitable_t<Executor>, void()>(
      [waiter](auto handler) { *waiter = std::move(handler); }, token);
}

// A socket whose readiness is remembered between edges, so that nothing is read in vain.
class Socket final : public Watcher {
 public:
  Socket(Reactor* reactor, int fd) : reactor_(reactor), fd_(fd) {}
  // To be called once, when the address is final.
  void Register() { reactor_->Add(fd_, this); }
  // The watcher outlives its owner by the rest of the batch.
  struct Bury {
    void operator()(Socket* socket) const {
      close(socket->fd_);
      socket->fd_ = -1;
      socket->reader_ = nullptr;
      socket->writer_ = nullptr;
      socket->reactor_->Bury(socket);
    }
  };

  void OnReady(std::uint32_t events) override {
    if (fd_ < 0) return;
    const std::uint32_t ends = EPOLLHUP | EPOLLERR | EPOLLRDHUP;
    if ((events & ends) != 0) ended_ = true;
    if ((events & (EPOLLOUT | ends)) != 0) Wake(&writable_, &writer_);
    if ((events & (EPOLLIN | ends)) != 0) Wake(&readable_, &reader_);
  }

  // Reads what is there, waiting for it if need be; 0 at the end or on an error.
  Task<std::size_t> Read(char* to, std::size_t size) {
    while (true) {
      if (!readable_) co_await Wait(&reader_, kUse);
      const ssize_t got = recv(fd_, to, size, 0);
      if (got < static_cast<ssize_t>(size) && !ended_) readable_ = false;
      if (got >= 0) co_return static_cast<std::size_t>(got);
      if (errno != EAGAIN || ended_) co_return 0;
    }
  }

  // Sends all; false on an error.
  Task<bool> Write(std::string_view bytes) {
    while (true) {
      if (!writable_) co_await Wait(&writer_, kUse);
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent == static_cast<ssize_t>(bytes.size())) co_return true;
      if (sent < 0 && (errno != EAGAIN || ended_)) co_return false;
      writable_ = false;
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

 private:
  static void Wake(bool* ready, Waiter* waiter) {
    *ready = true;
    if (!*waiter) return;
    Waiter resume = std::move(*waiter);
    *waiter = nullptr;
    resume();
  }

  Reactor* reactor_;
  int fd_;
  bool readable_ = false;
  bool writable_ = false;
  bool ended_ = false;
  Waiter reader_;
  Waiter writer_;
};
using SocketPtr = std::unique_ptr<Socket, Socket::Bury>;

SocketPtr MakeSocket(Reactor* reactor, int fd) {
  SocketPtr socket(new Socket(reactor, fd));
  socket->Register();
  return socket;
}

struct Engine {
  SocketPtr socket;
  std::string buffer = std::string(kBufferSize, '\0');
};

struct Loop {
  Reactor reactor;
  Routes routes;
  std::uint16_t upstream_port = 0;
  std::vector<std::unique_ptr<Engine>> idle;
};

std::unique_ptr<Engine> TakeEngine(Loop* loop) {
  auto engine = std::make_unique<Engine>();
  if (loop->idle.empty()) {
    engine->socket = MakeSocket(&loop->reactor, Connect(loop->upstream_port));
  } else {
    engine = std::move(loop->idle.back());
    loop->idle.pop_back();
  }
  return engine;
}

// Copies one answer from the engine to the client. True if both connections may be used again.
Task<bool> RelayAnswer(Engine* engine, Socket* client, std::string* head) {
  swarm::net::ResponseHeadParser parser;
  std::size_t size = 0;
  HeadResult result;
  while (result.state == HeadState::kNeedMore && size < kBufferSize) {
    const std::size_t got =
        co_await engine->socket->Read(engine->buffer.data() + size, kBufferSize - size);
    if (got == 0) co_return false;
    size += got;
    result = parser.Parse({engine->buffer.data(), size});
  }
  if (result.state != HeadState::kDone) co_return false;
  const swarm::net::ResponseHead& response = parser.head();
  if (response.framing.kind > BodyKind::kLength) co_return false;
  head->clear();
  swarm::net::AppendStatusLine(head, response.status, response.reason);
  swarm::net::AppendEndToEndFields(head, response.fields);
  swarm::net::AppendContentLength(head, response.framing.length);
  swarm::net::AppendHeadEnd(head);
  std::uint64_t left = response.framing.length;
  const std::size_t here = size - result.size;
  if (here > left) co_return false;
  left -= here;
  head->append(engine->buffer, result.size, here);
  const std::string_view whole = *head;
  if (!co_await client->Write(whole)) co_return false;
  while (left > 0) {
    const std::size_t got = co_await engine->socket->Read(engine->buffer.data(), kBufferSize);
    if (got == 0 || got > left) co_return false;
    left -= got;
    const std::string_view piece(engine->buffer.data(), got);
    if (!co_await client->Write(piece)) co_return false;
  }
  co_return response.keep_alive;
}

Task<void> Serve(Loop* loop, SocketPtr client) {
  std::string buffer(kBufferSize, '\0');
  std::string head;
  std::size_t size = 0;
  swarm::net::RequestHeadParser parser;
  while (true) {
    parser.Reset();
    HeadResult result;
    if (size > 0) result = parser.Parse({buffer.data(), size});
    while (result.state == HeadState::kNeedMore && size < kBufferSize) {
      const std::size_t got = co_await client->Read(buffer.data() + size, kBufferSize - size);
      if (got == 0) co_return;
      size += got;
      result = parser.Parse({buffer.data(), size});
    }
    if (result.state != HeadState::kDone) co_return;
    const swarm::net::RequestHead& request = parser.head();
    if (request.framing.kind != BodyKind::kNone) co_return;
    head.assign(request.method).push_back(' ');
    if (!loop->routes.Rewrite(request.target, &head)) co_return;
    head.append(" HTTP/1.1\r\nHost: engine\r\n");
    swarm::net::AppendEndToEndFields(&head, request.fields);
    swarm::net::AppendHeadEnd(&head);
    std::unique_ptr<Engine> engine = TakeEngine(loop);
    const std::string_view whole = head;
    if (!co_await engine->socket->Write(whole)) co_return;
    const bool reusable = co_await RelayAnswer(engine.get(), client.get(), &head);
    if (!reusable) co_return;
    loop->idle.push_back(std::move(engine));
    if (!request.keep_alive) co_return;
    buffer.erase(0, result.size);
    buffer.resize(kBufferSize);
    size -= result.size;
  }
}

int Main(int argc, char** argv) {
  auto* const loop = new Loop;
  loop->upstream_port = UpstreamPort(argc, argv);
  ReactorInAsio driver(&loop->reactor);
  std::uint16_t port = 0;
  const int listener = Listen(&port);
  const auto take = [&](int fd) {
    SocketPtr client = MakeSocket(&loop->reactor, fd);
    asio::co_spawn(driver.executor(), Serve(loop, std::move(client)), asio::detached);
  };
  Acceptor acceptor(listener, take);
  loop->reactor.Add(listener, &acceptor);
  AnnouncePort(port);
  driver.Run();
  return 0;
}

}  // namespace
}  // namespace proxy_core

int main(int argc, char** argv) { return proxy_core::Main(argc, argv); }
