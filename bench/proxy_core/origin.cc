// The engine of the experiment: answers every request with the same inspect document.

#include <string>
#include <string_view>

#include "reactor.h"
#include "routing.h"

namespace proxy_core {
namespace {

constexpr std::size_t kBodySize = 1928;

std::string MakeAnswer() {
  std::string body = R"({"Id":")" + ContainerId(0) + R"(","Name":"/web","Config":{"Env":[)";
  while (body.size() + 64 < kBodySize) body += R"("SOME_VARIABLE=of the container",)";
  body += R"(""]},"Pad":")";
  body.append(kBodySize - body.size() - 2, 'x').append("\"}");
  return "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n"
         "Docker-Experimental: false\r\nOstype: linux\r\n"
         "Server: Docker/20.10.24+dfsg1 (linux)\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

class Session final : public Watcher {
 public:
  Session(Reactor* reactor, int fd, const std::string* answer)
      : reactor_(reactor), fd_(fd), answer_(answer) {}

  void OnReady(std::uint32_t events) override {
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0 || fd_ < 0) return;
    char buffer[16 * 1024];
    const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return Close();
    // Requests have no body here and come whole: one answer for each end of a head.
    const std::string_view bytes(buffer, static_cast<std::size_t>(got));
    for (std::size_t at = bytes.find("\r\n\r\n"); at != std::string_view::npos;
         at = bytes.find("\r\n\r\n", at + 4)) {
      const ssize_t sent = send(fd_, answer_->data(), answer_->size(), MSG_NOSIGNAL);
      if (sent != static_cast<ssize_t>(answer_->size())) return Close();
    }
  }

 private:
  void Close() {
    close(fd_);
    fd_ = -1;
    reactor_->Bury(this);
  }

  Reactor* reactor_;
  int fd_;
  const std::string* answer_;
};

int Main() {
  Reactor reactor;
  const std::string answer = MakeAnswer();
  std::uint16_t port = 0;
  const int listener = Listen(&port);
  const auto take = [&](int fd) { reactor.Add(fd, new Session(&reactor, fd, &answer)); };
  Acceptor acceptor(listener, take);
  reactor.Add(listener, &acceptor);
  AnnouncePort(port);
  while (true) reactor.RunOnce(-1);
}

}  // namespace
}  // namespace proxy_core

int main() { return proxy_core::Main(); }
