// The floor: an epoll relay that reads nothing into the bytes. One upstream connection a client,
// two reads and two writes a request; what a proxy costs beyond this is its own thinking.

#include <string>

#include "reactor.h"
#include "routing.h"

namespace proxy_core {
namespace {

constexpr std::size_t kBufferSize = 64 * 1024;
char g_buffer[kBufferSize];  // one loop, one buffer: always warm in the cache

class End final : public Watcher {
 public:
  End(Reactor* reactor, int fd) : reactor_(reactor), fd_(fd) {}
  void set_peer(End* peer) { peer_ = peer; }

  void OnReady(std::uint32_t events) override {
    if (fd_ < 0) return;
    if ((events & EPOLLOUT) != 0 && !unsent_.empty()) Flush();
    if (fd_ < 0 || (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) == 0) return;
    while (true) {
      const ssize_t got = recv(fd_, g_buffer, kBufferSize, 0);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) return CloseBoth();
      peer_->Send(g_buffer, static_cast<std::size_t>(got));
      if (fd_ < 0 || got < static_cast<ssize_t>(kBufferSize)) break;
    }
    if (fd_ >= 0 && (events & EPOLLRDHUP) != 0) CloseBoth();
  }

 private:
  void Send(const char* data, std::size_t size) {
    std::size_t done = 0;
    if (unsent_.empty()) {
      const ssize_t sent = send(fd_, data, size, MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != ENOTCONN) return CloseBoth();
      if (sent > 0) done = static_cast<std::size_t>(sent);
    }
    unsent_.append(data + done, size - done);
  }

  void Flush() {
    std::string pending;
    pending.swap(unsent_);
    Send(pending.data(), pending.size());
  }

  void CloseBoth() {
    for (End* end : {this, peer_}) {
      close(end->fd_);
      end->fd_ = -1;
      reactor_->Bury(end);
    }
  }

  Reactor* reactor_;
  int fd_;
  End* peer_ = nullptr;
  std::string unsent_;
};

int Main(int argc, char** argv) {
  const std::uint16_t upstream = UpstreamPort(argc, argv);
  Reactor reactor;
  std::uint16_t port = 0;
  const int listener = Listen(&port);
  const auto take = [&](int fd) {
    const int engine_fd = Connect(upstream);
    auto* client = new End(&reactor, fd);
    auto* engine = new End(&reactor, engine_fd);
    client->set_peer(engine);
    engine->set_peer(client);
    reactor.Add(engine_fd, engine);
    reactor.Add(fd, client);
  };
  Acceptor acceptor(listener, take);
  reactor.Add(listener, &acceptor);
  AnnouncePort(port);
  while (true) reactor.RunOnce(-1);
}

}  // namespace
}  // namespace proxy_core

int main(int argc, char** argv) { return proxy_core::Main(argc, argv); }
