#pragma once

// A minimal edge-triggered epoll loop: each descriptor is registered once for reading, writing and
// hang-up, so that no message costs an epoll_ctl or a read that finds nothing.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace proxy_core {

// Something that waits for a descriptor. Must outlive its registration and the batch of events in
// which it was closed; see Reactor::Bury.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void OnReady(std::uint32_t events) = 0;
};

class Reactor {
 public:
  static constexpr int kMaxEvents = 256;

  Reactor() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
  int fd() const { return epoll_; }

  void Add(int fd, Watcher* watcher) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = watcher;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) std::abort();
  }

  // Deletes the watcher once no event of this batch can name it.
  void Bury(Watcher* watcher) { graves_.push_back(watcher); }

  // Waits up to `timeout_ms` (-1: for ever) and handles one batch; its size.
  int RunOnce(int timeout_ms) {
    epoll_event events[kMaxEvents];
    const int count = epoll_wait(epoll_, events, kMaxEvents, timeout_ms);
    for (int i = 0; i < count; ++i) {
      static_cast<Watcher*>(events[i].data.ptr)->OnReady(events[i].events);
    }
    for (Watcher* watcher : graves_) delete watcher;
    graves_.clear();
    return count;
  }

 private:
  int epoll_;
  std::vector<Watcher*> graves_;
};

inline sockaddr_in Loopback(std::uint16_t port, std::uint32_t host = INADDR_LOOPBACK) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(host);
  address.sin_port = htons(port);
  return address;
}

inline void SetNoDelay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// A listening socket on a loopback port; 0 = a free one, which is written to `port`.
inline int Listen(std::uint16_t* port, std::uint32_t host = INADDR_LOOPBACK) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(*port, host);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 1024) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::perror("listen");
    std::exit(1);
  }
  *port = ntohs(address.sin_port);
  return fd;
}

// Starts to connect; the descriptor becomes writable when that is done.
inline int Connect(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(port);
  SetNoDelay(fd);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS) {
    std::perror("connect");
    std::exit(1);
  }
  return fd;
}

// Accepts all that wait and calls take(fd) for each.
template <typename Take>
class Acceptor final : public Watcher {
 public:
  Acceptor(int fd, Take take) : fd_(fd), take_(take) {}
  void OnReady(std::uint32_t) override {
    while (true) {
      const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      SetNoDelay(fd);
      take_(fd);
    }
  }

 private:
  int fd_;
  Take take_;
};

}  // namespace proxy_core
