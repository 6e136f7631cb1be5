// Loops in threads, raw sockets and bounded waits for the tests of the transport.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "async/loop.h"
#include "net/address.h"
#include "net/descriptor.h"
#include "net/server.h"
#include "net/socket_stream.h"

namespace swarm::net {

constexpr std::chrono::seconds kTestDeadline(20);

// Waits for a condition, bounded.
inline bool WaitUntil(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kTestDeadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// A loop on its own thread, in real time.
class LoopThread {
 public:
  LoopThread() : loop(SystemClock(), nullptr), thread_([this] { loop.Run(); }) {}
  ~LoopThread() {
    loop.Stop();
    thread_.join();
  }
  // Runs `work` on the loop and waits for its result.
  template <typename Work>
  auto On(Work work) {
    std::promise<decltype(work())> done;
    auto result = done.get_future();
    loop.Post([&done, &work] {
      if constexpr (std::is_void_v<decltype(work())>) {
        work();
        done.set_value();
      } else {
        done.set_value(work());
      }
    });
    return result.get();
  }

  Loop loop;

 private:
  std::thread thread_;
};

// A blocking socket with bounded waits, so that tests see each byte.
class RawSocket {
 public:
  RawSocket() = default;
  explicit RawSocket(int descriptor) : socket_(descriptor) {}

  // Of an IPv4 client, `from` is its own address.
  static RawSocket Connect(std::string_view address, const char* from = nullptr) {
    const auto parsed = ParseAddress(address);
    EXPECT_TRUE(parsed.ok());
    if (parsed->is_unix()) {
      RawSocket raw(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_un name{};
      name.sun_family = AF_UNIX;
      std::memcpy(name.sun_path, parsed->path.data(), parsed->path.size());
      EXPECT_EQ(connect(raw.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
      return raw;
    }
    RawSocket raw(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(parsed->port);
    inet_pton(AF_INET, parsed->host.c_str(), &name.sin_addr);
    if (from != nullptr) {
      sockaddr_in own{};
      own.sin_family = AF_INET;
      inet_pton(AF_INET, from, &own.sin_addr);
      EXPECT_EQ(bind(raw.get(), reinterpret_cast<sockaddr*>(&own), sizeof own), 0);
    }
    EXPECT_EQ(connect(raw.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    return raw;
  }

  int get() const { return socket_.get(); }

  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void CloseWrite() { shutdown(get(), SHUT_WR); }
  void Close() { socket_.Close(); }
  // Closes by a reset.
  void Reset() {
    const linger now{1, 0};
    setsockopt(get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    Close();
  }

  // What is there, or one receive; empty at the end, "<error>" or "<timeout>" otherwise.
  std::string ReceiveSome(std::chrono::milliseconds wait = kTestDeadline) {
    return pending_.empty() ? Receive(wait) : std::exchange(pending_, {});
  }

  // Until `marker` is there; what came so far if the peer ends or time runs out.
  std::string ReceiveUntil(std::string_view marker) {
    while (pending_.find(marker) == std::string::npos) {
      const std::string more = Receive();
      if (more.empty() || more == "<timeout>" || more == "<error>")
        return std::exchange(pending_, {}) + more;
      pending_ += more;
    }
    const std::size_t end = pending_.find(marker) + marker.size();
    std::string got = pending_.substr(0, end);
    pending_.erase(0, end);
    return got;
  }

  std::string ReceiveExactly(std::size_t count) {
    while (pending_.size() < count) {
      const std::string more = Receive();
      if (more.empty() || more == "<timeout>" || more == "<error>")
        return std::exchange(pending_, {}) + more;
      pending_ += more;
    }
    std::string got = pending_.substr(0, count);
    pending_.erase(0, count);
    return got;
  }

  // Until the peer ends its side.
  std::string ReceiveAll() {
    std::string all = std::exchange(pending_, {});
    for (;;) {
      const std::string more = Receive();
      if (more.empty()) return all;
      all += more;
      if (more == "<timeout>" || more == "<error>") return all;
    }
  }

 private:
  std::string Receive(std::chrono::milliseconds wait = kTestDeadline) {
    pollfd ready{get(), POLLIN, 0};
    if (poll(&ready, 1, static_cast<int>(wait.count())) <= 0) return "<timeout>";
    char buffer[65536];
    const ssize_t got = recv(get(), buffer, sizeof buffer, 0);
    if (got < 0) return "<error>";
    return std::string(buffer, static_cast<std::size_t>(got));
  }

  Descriptor socket_;
  std::string pending_;
};

// A listening socket on a free port of loopback, accepted by hand.
class RawListener {
 public:
  RawListener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    EXPECT_EQ(listen(socket_.get(), 64), 0);
    socklen_t size = sizeof name;
    getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&name), &size);
    port_ = ntohs(name.sin_port);
  }
  std::string address() const { return "tcp://127.0.0.1:" + std::to_string(port_); }
  int get() const { return socket_.get(); }
  RawSocket Accept() {
    pollfd ready{socket_.get(), POLLIN, 0};
    if (poll(&ready, 1, std::chrono::milliseconds(kTestDeadline).count()) <= 0) return {};
    return RawSocket(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  bool HasNewConnection(std::chrono::milliseconds wait) {
    pollfd ready{socket_.get(), POLLIN, 0};
    return poll(&ready, 1, static_cast<int>(wait.count())) > 0;
  }
  void Close() { socket_.Close(); }

 private:
  Descriptor socket_;
  int port_ = 0;
};

// A server on a loop of its own.
class ServerThread {
 public:
  explicit ServerThread(Handler handler, ServerOptions options = {},
                        std::string_view address = "tcp://127.0.0.1:0") {
    thread_.On([&] {
      server_ = std::make_unique<Server>(thread_.loop, std::move(options), std::move(handler));
      const absl::Status status = server_->Listen(address);
      EXPECT_TRUE(status.ok()) << status;
      if (status.ok()) address_ = server_->addresses().front();
    });
  }
  ~ServerThread() {
    thread_.On([this] { server_.reset(); });
  }

  const std::string& address() const { return address_; }
  RawSocket Connect() const { return RawSocket::Connect(address_); }
  std::size_t active() {
    return thread_.On([this] { return server_->active(); });
  }
  std::size_t connections() {
    return thread_.On([this] { return server_->connections(); });
  }
  Server& server() { return *server_; }
  LoopThread& thread() { return thread_; }
  Loop& loop() { return thread_.loop; }

 private:
  LoopThread thread_;
  std::unique_ptr<Server> server_;
  std::string address_;
};

// Reads one answer with a Content-Length: head and body together.
inline std::string ReceiveAnswer(RawSocket& socket) {
  std::string head = socket.ReceiveUntil("\r\n\r\n");
  const std::size_t at = head.find("Content-Length: ");
  if (at == std::string::npos) return head;
  return head + socket.ReceiveExactly(std::stoul(head.substr(at + 16)));
}

inline int StatusOf(const std::string& answer) {
  return answer.size() > 12 && answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3))
                                                               : -1;
}

}  // namespace swarm::net
