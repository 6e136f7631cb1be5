// Loop 1: Beast's messages, Asio coroutines: the plain way.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/src.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "routing.h"

namespace proxy_core {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
template <typename T>
using Task = asio::awaitable<T, Executor>;
constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> kUse;

struct Engine {
  explicit Engine(Executor executor) : socket(executor) {}
  Socket socket;
  beast::flat_buffer buffer;
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

Task<void> Serve(Loop* loop, Socket client) {
  beast::flat_buffer buffer;
  std::string target;
  while (true) {
    http::request<http::string_body> request;
    auto [read_error, read] = co_await http::async_read(client, buffer, request, kUse);
    if (read_error) co_return;
    const bool client_keeps = request.keep_alive();
    target.clear();
    const std::string_view asked(request.target().data(), request.target().size());
    if (!loop->routes.Rewrite(asked, &target)) co_return;
    request.target(target);
    request.set(http::field::host, "engine");
    request.erase(http::field::connection);
    std::unique_ptr<Engine> engine = co_await TakeEngine(loop);
    if (engine == nullptr) co_return;
    auto [ask_error, sent] = co_await http::async_write(engine->socket, request, kUse);
    if (ask_error) co_return;
    http::response<http::string_body> response;
    auto [answer_error, got] =
        co_await http::async_read(engine->socket, engine->buffer, response, kUse);
    if (answer_error) co_return;
    const bool engine_keeps = response.keep_alive();
    response.erase(http::field::connection);
    auto [write_error, written] = co_await http::async_write(client, response, kUse);
    if (write_error || !engine_keeps) co_return;
    loop->idle.push_back(std::move(engine));
    if (!client_keeps) co_return;
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
