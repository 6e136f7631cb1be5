// Loop 3: own head parser, callbacks on the own epoll loop. With --embedded the loop's epoll
// descriptor is watched by an Asio io_context that runs the thread, as in a server whose other
// requests are coroutines.

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_head.h"
#include "net/http_head_writer.h"
#include "reactor.h"
#include "reactor_in_asio.h"
#include "routing.h"

namespace proxy_core {
namespace {

using swarm::net::BodyKind;
using swarm::net::HeadResult;
using swarm::net::HeadState;

constexpr std::size_t kBufferSize = 64 * 1024;
// Free bytes before what is read: a new head that is longer than the old one still fits right
// before the body, so that one plain send takes both.
constexpr std::size_t kHeadroom = 1024;

class Client;
class Upstream;

// What the connections of one loop share. Idle connections hold no buffer: bytes are read into
// the loop's one and kept by a connection only when a message is incomplete.
struct Loop {
  Reactor reactor;
  Routes routes;
  std::uint16_t upstream_port = 0;
  std::vector<Upstream*> idle;
  swarm::net::RequestHeadParser request_parser;
  swarm::net::ResponseHeadParser response_parser;
  std::string head;  // written anew for each message; keeps its capacity
  char memory[kHeadroom + kBufferSize];
  char* buffer() { return memory + kHeadroom; }
};

class Connection : public Watcher {
 public:
  Connection(Loop* loop, int fd) : loop_(loop), fd_(fd) {}

  // Sends; keeps what the socket does not take. False if it is gone.
  bool Send(std::string_view bytes) {
    std::size_t done = 0;
    if (unsent_.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != ENOTCONN) return false;
      if (sent > 0) done = static_cast<std::size_t>(sent);
    }
    if (done < bytes.size()) unsent_.append(bytes.substr(done));
    return true;
  }

  void OnReady(std::uint32_t events) override {
    if (fd_ < 0) return;
    if ((events & EPOLLOUT) != 0 && !unsent_.empty()) {
      std::string pending;
      pending.swap(unsent_);
      if (!Send(pending)) return OnGone();
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) == 0) return;
    while (fd_ >= 0) {
      const ssize_t got = recv(fd_, loop_->buffer(), kBufferSize, 0);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) return OnGone();
      OnBytes({loop_->buffer(), static_cast<std::size_t>(got)});
      // A short read emptied the socket: the next edge tells when there is more.
      if (got < static_cast<ssize_t>(kBufferSize)) break;
    }
    if (fd_ >= 0 && (events & EPOLLRDHUP) != 0) OnGone();
  }

 protected:
  virtual void OnBytes(std::string_view bytes) = 0;
  virtual void OnGone() = 0;

  void Shut() {
    if (fd_ < 0) return;
    close(fd_);
    fd_ = -1;
    loop_->reactor.Bury(this);
  }

  Loop* loop_;
  int fd_;
  std::string received_;  // start of an incomplete message
  std::string unsent_;
};

class Client final : public Connection {
 public:
  using Connection::Connection;
  void OnAnswerBytes(std::string_view bytes) {
    if (!Send(bytes)) OnGone();
  }
  void OnAnswerDone(bool keep_alive);
  void OnUpstreamGone() {
    upstream_ = nullptr;
    Refuse(502, "the engine closed the connection");
  }

 private:
  void OnBytes(std::string_view bytes) override;
  void OnGone() override;
  void Serve();
  void Refuse(int status, std::string_view reason);

  Upstream* upstream_ = nullptr;  // set while a request is under way
  bool keep_alive_ = true;
};

class Upstream final : public Connection {
 public:
  using Connection::Connection;

  static Upstream* Take(Loop* loop, Client* client) {
    Upstream* upstream = nullptr;
    if (loop->idle.empty()) {
      const int fd = Connect(loop->upstream_port);
      upstream = new Upstream(loop, fd);
      loop->reactor.Add(fd, upstream);
    } else {
      upstream = loop->idle.back();
      loop->idle.pop_back();
    }
    upstream->client_ = client;
    upstream->head_done_ = false;
    return upstream;
  }

  void Abandon() {
    client_ = nullptr;
    Shut();
  }

 private:
  void OnBytes(std::string_view bytes) override;
  void OnGone() override;

  Client* client_ = nullptr;
  bool head_done_ = false;
  bool keep_alive_ = false;
  std::uint64_t body_left_ = 0;
};

void Client::OnBytes(std::string_view bytes) {
  if (upstream_ != nullptr || !received_.empty()) {
    received_.append(bytes);
    if (upstream_ == nullptr) Serve();
    return;
  }
  swarm::net::RequestHeadParser& parser = loop_->request_parser;
  parser.Reset();
  const HeadResult result = parser.Parse(bytes);
  if (result.state == HeadState::kError) return Refuse(result.status, result.reason);
  if (result.state == HeadState::kNeedMore) {
    received_.assign(bytes);
    return;
  }
  const swarm::net::RequestHead& request = parser.head();
  if (request.framing.kind != BodyKind::kNone) return Refuse(501, "bodies are not measured");
  std::string& head = loop_->head;
  head.assign(request.method).push_back(' ');
  if (!loop_->routes.Rewrite(request.target, &head)) return Refuse(404, "no such container");
  head.append(" HTTP/1.1\r\nHost: engine\r\n");
  swarm::net::AppendEndToEndFields(&head, request.fields);
  swarm::net::AppendHeadEnd(&head);
  keep_alive_ = request.keep_alive;
  if (bytes.size() > result.size) received_.assign(bytes.substr(result.size));
  upstream_ = Upstream::Take(loop_, this);
  if (!upstream_->Send(head)) OnGone();
}

void Client::Serve() {
  std::string bytes;
  bytes.swap(received_);
  if (!bytes.empty()) OnBytes(bytes);
}

void Client::OnAnswerDone(bool keep_alive) {
  upstream_ = nullptr;
  if (!keep_alive || !keep_alive_) return OnGone();
  if (!received_.empty()) Serve();
}

void Client::Refuse(int status, std::string_view reason) {
  loop_->head.clear();
  swarm::net::AppendStatusLine(&loop_->head, status, reason);
  loop_->head.append("Connection: close\r\nContent-Length: 0\r\n\r\n");
  Send(loop_->head);
  OnGone();
}

void Client::OnGone() {
  if (upstream_ != nullptr) upstream_->Abandon();
  upstream_ = nullptr;
  Shut();
}

void Upstream::OnBytes(std::string_view bytes) {
  if (client_ == nullptr) return OnGone();  // unasked bytes poison the connection
  std::size_t head_size = 0;
  if (!head_done_) {
    if (!received_.empty()) bytes = received_.append(bytes);
    swarm::net::ResponseHeadParser& parser = loop_->response_parser;
    parser.Reset({});
    const HeadResult result = parser.Parse(bytes);
    if (result.state == HeadState::kError) return OnGone();
    if (result.state == HeadState::kNeedMore) {
      if (received_.empty()) received_.assign(bytes);
      return;
    }
    const swarm::net::ResponseHead& response = parser.head();
    if (response.framing.kind > BodyKind::kLength) return OnGone();
    head_done_ = true;
    keep_alive_ = response.keep_alive;
    body_left_ = response.framing.length;
    std::string& head = loop_->head;
    head.clear();
    swarm::net::AppendStatusLine(&head, response.status, response.reason);
    swarm::net::AppendEndToEndFields(&head, response.fields);
    swarm::net::AppendContentLength(&head, body_left_);
    swarm::net::AppendHeadEnd(&head);
    bytes.remove_prefix(result.size);
    head_size = head.size();
    if (received_.empty() && head_size <= kHeadroom + result.size) {
      char* const begin = loop_->buffer() + result.size - head_size;
      std::memcpy(begin, head.data(), head_size);
      bytes = {begin, head_size + bytes.size()};
    } else {
      head.append(bytes);
      bytes = head;
    }
  }
  const std::size_t body_size = bytes.size() - head_size;
  if (body_size > body_left_) return OnGone();
  body_left_ -= body_size;
  client_->OnAnswerBytes(bytes);
  received_.clear();
  if (client_ == nullptr || body_left_ > 0) return;
  Client* const client = client_;
  client_ = nullptr;
  if (keep_alive_) {
    loop_->idle.push_back(this);
  } else {
    Shut();
  }
  client->OnAnswerDone(true);
}

void Upstream::OnGone() {
  std::erase(loop_->idle, this);
  Client* const client = client_;
  client_ = nullptr;
  Shut();
  if (client != nullptr) client->OnUpstreamGone();
}

int Main(int argc, char** argv) {
  auto* const loop = new Loop;
  loop->upstream_port = UpstreamPort(argc, argv);
  std::uint16_t port = 0;
  const int listener = Listen(&port);
  const auto take = [loop](int fd) { loop->reactor.Add(fd, new Client(loop, fd)); };
  Acceptor acceptor(listener, take);
  loop->reactor.Add(listener, &acceptor);
  AnnouncePort(port);
  if (argc > 2 && std::strcmp(argv[2], "--embedded") == 0) {
    ReactorInAsio(&loop->reactor).Run();
    return 0;
  }
  while (true) loop->reactor.RunOnce(-1);
}

}  // namespace
}  // namespace proxy_core

int main(int argc, char** argv) { return proxy_core::Main(argc, argv); }
