// Loop 3b: own head parser, callbacks on Asio sockets, to see what Asio's reactor costs by itself.
// Default: async_read_some, which tries to read before it waits. --wait: async_wait, then one
// read. Writes are tried directly in both.

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_head.h"
#include "net/http_head_writer.h"
#include "routing.h"

namespace proxy_core {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using swarm::net::BodyKind;
using swarm::net::HeadResult;
using swarm::net::HeadState;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

constexpr std::size_t kBufferSize = 16 * 1024;

struct Engine;
struct Loop {
  asio::io_context context{1};
  Routes routes;
  std::uint16_t upstream_port = 0;
  bool wait = false;
  std::vector<std::unique_ptr<Engine>> idle;
  swarm::net::RequestHeadParser request_parser;
  swarm::net::ResponseHeadParser response_parser;
  std::string head;
};

// A socket, and what was read and not yet used.
struct Side {
  explicit Side(Socket&& taken) : socket(std::move(taken)) {}
  Socket socket;
  std::size_t size = 0;
  char buffer[kBufferSize];

  std::string_view bytes() const { return {buffer, size}; }
  void Drop(std::size_t count) {
    size -= count;
    if (size > 0) std::memmove(buffer, buffer + count, size);
  }

  // Calls done(error) once more bytes are in the buffer.
  template <typename Done>
  void Read(bool wait, Done done) {
    if (!wait) {
      socket.async_read_some(asio::buffer(buffer + size, kBufferSize - size),
                             [this, done](error_code error, std::size_t got) {
                               size += got;
                               done(error);
                             });
      return;
    }
    socket.async_wait(Socket::wait_read, [this, done](error_code error) {
      if (!error) size += socket.read_some(asio::buffer(buffer + size, kBufferSize - size), error);
      if (error == asio::error::would_block) return Read(true, done);
      done(error);
    });
  }

  // Calls done(error) once both parts are sent: at once if the socket takes them.
  template <typename Done>
  void Write(std::string_view first, std::string_view second, Done done) {
    const std::array<asio::const_buffer, 2> parts = {asio::buffer(first.data(), first.size()),
                                                     asio::buffer(second.data(), second.size())};
    error_code error;
    const std::size_t sent = socket.write_some(parts, error);
    if (error && error != asio::error::would_block) return done(error);
    if (sent == first.size() + second.size()) return done(error_code());
    auto rest = std::make_shared<std::string>(std::string(first) + std::string(second));
    const auto unsent = asio::buffer(rest->data() + sent, rest->size() - sent);
    asio::async_write(socket, unsent, [rest, done](error_code e, std::size_t) { done(e); });
  }
};

struct Engine : Side {
  using Side::Side;
};

// One client connection; deletes itself when it is over.
class Client {
 public:
  Client(Loop* loop, Socket&& socket) : loop_(loop), side_(std::move(socket)) {
    side_.socket.non_blocking(true);
  }
  void ReadRequest() {
    side_.Read(loop_->wait, [this](error_code error) { error ? Close() : OnRequest(); });
  }

 private:
  void Close() { delete this; }

  void OnRequest() {
    loop_->request_parser.Reset();
    const HeadResult result = loop_->request_parser.Parse(side_.bytes());
    if (result.state == HeadState::kNeedMore && side_.size < kBufferSize) return ReadRequest();
    if (result.state != HeadState::kDone) return Close();
    const swarm::net::RequestHead& request = loop_->request_parser.head();
    if (request.framing.kind != BodyKind::kNone) return Close();
    std::string& head = loop_->head;
    head.assign(request.method).push_back(' ');
    if (!loop_->routes.Rewrite(request.target, &head)) return Close();
    head.append(" HTTP/1.1\r\nHost: engine\r\n");
    swarm::net::AppendEndToEndFields(&head, request.fields);
    swarm::net::AppendHeadEnd(&head);
    keep_alive_ = request.keep_alive;
    side_.Drop(result.size);
    if (!loop_->idle.empty()) {
      engine_ = std::move(loop_->idle.back());
      loop_->idle.pop_back();
      return Ask(head);
    }
    engine_ = std::make_unique<Engine>(Socket(loop_->context.get_executor()));
    const asio::ip::tcp::endpoint endpoint(asio::ip::address_v4::loopback(), loop_->upstream_port);
    engine_->socket.async_connect(endpoint, [this, kept = head](error_code error) {
      if (error) return Close();
      engine_->socket.set_option(asio::ip::tcp::no_delay(true));
      engine_->socket.non_blocking(true);
      Ask(kept);
    });
  }

  void Ask(std::string_view head) {
    head_done_ = false;
    engine_->Write(head, {}, [this](error_code error) { error ? Close() : ReadAnswer(); });
  }

  void ReadAnswer() {
    engine_->Read(loop_->wait, [this](error_code error) { error ? Close() : OnAnswer(); });
  }

  void OnAnswer() {
    std::string_view head;
    std::string_view bytes = engine_->bytes();
    if (!head_done_) {
      loop_->response_parser.Reset({});
      const HeadResult result = loop_->response_parser.Parse(bytes);
      if (result.state == HeadState::kNeedMore && bytes.size() < kBufferSize) return ReadAnswer();
      if (result.state != HeadState::kDone) return Close();
      const swarm::net::ResponseHead& response = loop_->response_parser.head();
      if (response.framing.kind > BodyKind::kLength) return Close();
      head_done_ = true;
      engine_keeps_ = response.keep_alive;
      left_ = response.framing.length;
      std::string& out = loop_->head;
      out.clear();
      swarm::net::AppendStatusLine(&out, response.status, response.reason);
      swarm::net::AppendEndToEndFields(&out, response.fields);
      swarm::net::AppendContentLength(&out, left_);
      swarm::net::AppendHeadEnd(&out);
      head = out;
      bytes.remove_prefix(result.size);
    }
    if (bytes.size() > left_) return Close();
    left_ -= bytes.size();
    side_.Write(head, bytes, [this](error_code error) { error ? Close() : OnSent(); });
  }

  void OnSent() {
    engine_->size = 0;
    if (left_ > 0) return ReadAnswer();
    if (engine_keeps_) loop_->idle.push_back(std::move(engine_));
    engine_.reset();
    if (!keep_alive_) return Close();
    side_.size > 0 ? OnRequest() : ReadRequest();
  }

  Loop* loop_;
  Side side_;
  std::unique_ptr<Engine> engine_;
  bool keep_alive_ = false;
  bool engine_keeps_ = false;
  bool head_done_ = false;
  std::uint64_t left_ = 0;
};

void Accept(Loop* loop, Acceptor* acceptor) {
  acceptor->async_accept([loop, acceptor](error_code error, Socket socket) {
    if (error) return;
    socket.set_option(asio::ip::tcp::no_delay(true));
    (new Client(loop, std::move(socket)))->ReadRequest();
    Accept(loop, acceptor);
  });
}

int Main(int argc, char** argv) {
  Loop loop;
  loop.upstream_port = UpstreamPort(argc, argv);
  loop.wait = argc > 2 && std::strcmp(argv[2], "--wait") == 0;
  Acceptor acceptor(loop.context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  AnnouncePort(acceptor.local_endpoint().port());
  Accept(&loop, &acceptor);
  loop.context.run();
  return 0;
}

}  // namespace
}  // namespace proxy_core

int main(int argc, char** argv) { return proxy_core::Main(argc, argv); }
