// Loop 2: own head parser, Asio coroutines.

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_head.h"
#include "net/http_head_writer.h"
#include "routing.h"

namespace proxy_core {
namespace {

namespace asio = boost::asio;
using swarm::net::BodyKind;
using swarm::net::HeadResult;
using swarm::net::HeadState;
using Executor = asio::io_context::executor_type;  // known, so that nothing is erased or counted
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
template <typename T>
using Task = asio::awaitable<T, Executor>;
constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> kUse;

constexpr std::size_t kBufferSize = 16 * 1024;

struct Engine {
  explicit Engine(Executor executor) : socket(executor) {}
  Socket socket;
  std::string buffer = std::string(kBufferSize, '\0');
};

struct Loop {
  asio::io_context context{1};
  Routes routes;
  std::uint16_t upstream_port = 0;
  std::vector<std::unique_ptr<Engine>> idle;
};

Task<std::unique_ptr<Engine>> TakeEngine(Loop* loop) {
  if (!loop->idle.empty()) {
    std::unique_ptr<Engine> engine = std::move(loop->idle.back());
    loop->idle.pop_back();
    co_return engine;
  }
  auto engine = std::make_unique<Engine>(loop->context.get_executor());
  const asio::ip::tcp::endpoint endpoint(asio::ip::address_v4::loopback(), loop->upstream_port);
  auto [error] = co_await engine->socket.async_connect(endpoint, kUse);
  if (error) co_return nullptr;
  engine->socket.set_option(asio::ip::tcp::no_delay(true));
  co_return engine;
}

// Copies one answer from the engine to the client. True if both connections may be used again.
Task<bool> RelayAnswer(Engine* engine, Socket* client, std::string* head) {
  swarm::net::ResponseHeadParser parser;
  std::size_t size = 0;
  HeadResult result;
  while (result.state == HeadState::kNeedMore && size < kBufferSize) {
    const auto space = asio::buffer(engine->buffer.data() + size, kBufferSize - size);
    auto [error, got] = co_await engine->socket.async_read_some(space, kUse);
    if (error) co_return false;
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
  const std::array<asio::const_buffer, 2> parts = {
      asio::buffer(*head), asio::buffer(engine->buffer.data() + result.size, here)};
  auto [write_error, written] = co_await asio::async_write(*client, parts, kUse);
  if (write_error) co_return false;
  while (left > 0) {
    const auto space = asio::buffer(engine->buffer.data(), kBufferSize);
    auto [error, got] = co_await engine->socket.async_read_some(space, kUse);
    if (error || got > left) co_return false;
    left -= got;
    const auto piece = asio::buffer(engine->buffer.data(), got);
    auto [piece_error, piece_size] = co_await asio::async_write(*client, piece, kUse);
    if (piece_error) co_return false;
  }
  co_return response.keep_alive;
}

Task<void> Serve(Loop* loop, Socket client) {
  std::string buffer(kBufferSize, '\0');
  std::string head;
  std::size_t size = 0;
  swarm::net::RequestHeadParser parser;
  while (true) {
    parser.Reset();
    HeadResult result;
    if (size > 0) result = parser.Parse({buffer.data(), size});
    while (result.state == HeadState::kNeedMore && size < kBufferSize) {
      const auto space = asio::buffer(buffer.data() + size, kBufferSize - size);
      auto [error, got] = co_await client.async_read_some(space, kUse);
      if (error) co_return;
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
    std::unique_ptr<Engine> engine = co_await TakeEngine(loop);
    if (engine == nullptr) co_return;
    const auto whole = asio::buffer(head);
    auto [error, written] = co_await asio::async_write(engine->socket, whole, kUse);
    if (error) co_return;
    const bool reusable = co_await RelayAnswer(engine.get(), &client, &head);
    if (!reusable) co_return;
    loop->idle.push_back(std::move(engine));
    if (!request.keep_alive) co_return;
    buffer.erase(0, result.size);
    buffer.resize(kBufferSize);
    size -= result.size;
  }
}

Task<void> Accept(Loop* loop, Acceptor acceptor) {
  while (true) {
    Socket client(loop->context.get_executor());
    auto [error] = co_await acceptor.async_accept(client, kUse);
    if (error) co_return;
    client.set_option(asio::ip::tcp::no_delay(true));
    asio::co_spawn(loop->context.get_executor(), Serve(loop, std::move(client)), asio::detached);
  }
}

int Main(int argc, char** argv) {
  Loop loop;
  loop.upstream_port = UpstreamPort(argc, argv);
  Acceptor acceptor(loop.context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  AnnouncePort(acceptor.local_endpoint().port());
  asio::co_spawn(loop.context.get_executor(), Accept(&loop, std::move(acceptor)), asio::detached);
  loop.context.run();
  return 0;
}

}  // namespace
}  // namespace proxy_core

int main(int argc, char** argv) { return proxy_core::Main(argc, argv); }
