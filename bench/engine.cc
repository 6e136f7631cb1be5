// Engines that cost little: one epoll loop that answers what a manager asks of engines with
// containers that are there from the start, so that a bench measures the manager.
//
//   engine ENGINES CONTAINERS_EACH
//
// The engines listen on 127.0.0.1, 127.0.0.2 ... at one port, which is printed ("port N").
// `POST /touch/ID` changes the health of one container and tells so by the engine's events.

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine_documents.h"
#include "proxy_core/reactor.h"
#include "proxy_core/routing.h"

namespace bench {
namespace {

using proxy_core::Reactor;
using proxy_core::Watcher;

constexpr int kMostEngines = 250;
constexpr std::size_t kIdDigits = 64;
constexpr std::size_t kMostHead = 64 * 1024;

std::string Answer(std::string_view status, std::string_view body) {
  std::string text = "HTTP/1.1 ";
  text.append(status).append(
      "\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n"
      "Docker-Experimental: false\r\nOstype: linux\r\n"
      "Server: Docker/20.10.24 (linux)\r\n"
      "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: ");
  return text.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
}

class Session;

// All engines and their containers.
class Engines {
 public:
  Engines(int engines, int each) : each_(each), listeners_(static_cast<std::size_t>(engines)) {
    for (int index = 0; index < engines * each; ++index) {
      Subject& subject = subjects_.emplace_back();
      subject.index = static_cast<std::uint64_t>(index);
      subject.id = proxy_core::ContainerId(subject.index);
      by_id_.emplace(subject.id, static_cast<std::size_t>(index));
    }
    inspects_.resize(subjects_.size());
  }

  // The whole answer. Valid until the next call.
  const std::string& Handle(int engine, std::string_view target) {
    target.remove_prefix(std::min(VersionLength(target), target.size()));
    const std::string_view path = target.substr(0, target.find('?'));
    if (path.substr(0, 12) == "/containers/" && path != "/containers/json") {
      return HandleContainer(path.substr(12));
    }
    if (path == "/_ping") return Keep(Answer("200 OK", "OK"));
    if (path == "/info") return Keep(Answer("200 OK", Info(engine, each_)));
    if (path == "/version") return Keep(Answer("200 OK", Version()));
    if (path == "/images/json") return Keep(Answer("200 OK", Images()));
    if (path == "/containers/json") return Keep(Answer("200 OK", List(engine, target)));
    return Keep(Answer("404 Not Found", "{\"message\":\"page not found\"}\n"));
  }

  // `target` is /touch/ID. The event goes to the listeners of the container's engine.
  const std::string& Touch(std::string_view target);

  void Listen(int engine, Session* session) {
    listeners_[static_cast<std::size_t>(engine)].insert(session);
  }
  void Forget(int engine, Session* session) {
    listeners_[static_cast<std::size_t>(engine)].erase(session);
  }

 private:
  static std::size_t VersionLength(std::string_view target) {
    return target.substr(0, 2) == "/v" && target.substr(0, 8) != "/version" ? target.find('/', 1)
                                                                            : 0;
  }

  const std::string& Keep(std::string answer) {
    answer_ = std::move(answer);
    return answer_;
  }

  Subject* Find(std::string_view id) {
    const auto found = by_id_.find(std::string(id));
    return found == by_id_.end() ? nullptr : &subjects_[found->second];
  }

  const std::string& HandleContainer(std::string_view rest) {
    const Subject* subject = Find(rest.substr(0, rest.find('/')));
    const std::string_view verb = rest.substr(std::min(rest.find('/'), rest.size()));
    if (subject != nullptr && verb == "/json") {
      std::string& kept = inspects_[subject->index];
      if (kept.empty()) kept = Answer("200 OK", Inspect(*subject));
      return kept;
    }
    if (subject != nullptr && verb == "/changes") {
      if (changes_.empty()) changes_ = Answer("200 OK", Changes(Inspect(*subject).size()));
      return changes_;
    }
    return Keep(Answer("404 Not Found", "{\"message\":\"No such container\"}\n"));
  }

  // All containers of the engine, or the one whose id stands in the query.
  std::string List(int engine, std::string_view target) {
    const std::size_t id = target.find("%22id%22");
    std::string list = "[";
    if (id != std::string_view::npos) {
      const std::size_t begin =
          target.find_first_of("0123456789abcdef", target.find("%22", id + 8) + 3);
      if (const Subject* subject = Find(target.substr(begin, kIdDigits))) list += ListRow(*subject);
      return list + "]\n";
    }
    const std::size_t first = static_cast<std::size_t>(engine * each_);
    for (std::size_t i = first; i < first + static_cast<std::size_t>(each_); ++i) {
      if (i > first) list += ',';
      list += ListRow(subjects_[i]);
    }
    return list + "]\n";
  }

  const int each_;
  std::vector<Subject> subjects_;
  std::unordered_map<std::string, std::size_t> by_id_;
  std::vector<std::string> inspects_;  // whole answers, made when they are asked for first
  std::string changes_, answer_;
  std::vector<std::set<Session*>> listeners_;
};

// One connection to one engine.
class Session final : public Watcher {
 public:
  Session(Reactor* reactor, int fd, Engines* engines, int engine)
      : reactor_(reactor), fd_(fd), engines_(engines), engine_(engine) {}

  void OnReady(std::uint32_t events) override {
    if ((events & EPOLLOUT) != 0 && !unsent_.empty()) {
      std::string rest;
      rest.swap(unsent_);
      Send(rest);
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) == 0) return;
    char buffer[16 * 1024];
    while (fd_ >= 0) {
      const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) return Close();
      Take(std::string_view(buffer, static_cast<std::size_t>(got)));
      if (got < static_cast<ssize_t>(sizeof buffer) && (events & EPOLLRDHUP) == 0) return;
    }
  }

  void Send(std::string_view bytes) {
    std::size_t done = 0;
    if (unsent_.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) return Close();
      if (sent > 0) done = static_cast<std::size_t>(sent);
    }
    unsent_.append(bytes.substr(done));
  }

  void SendChunk(std::string_view bytes) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    Send(std::string(size).append(bytes).append("\r\n"));
  }

 private:
  // Requests have no bodies: one answer for each end of a head.
  void Take(std::string_view bytes) {
    if (!input_.empty()) bytes = input_.append(bytes);
    while (fd_ >= 0) {
      const std::size_t end = bytes.find("\r\n\r\n");
      if (end == std::string_view::npos) break;
      TakeHead(bytes.substr(0, bytes.find("\r\n")));
      bytes.remove_prefix(end + 4);
    }
    if (bytes.size() > kMostHead) return Close();
    input_ = std::string(bytes);
  }

  void TakeHead(std::string_view line) {
    const std::size_t begin = line.find(' ') + 1;
    const std::string_view target = line.substr(begin, line.rfind(' ') - begin);
    const bool is_post = line.substr(0, 5) == "POST ";
    if (!is_post && target.find("/events") != std::string_view::npos) {
      engines_->Listen(engine_, this);
      return Send(
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
          "Transfer-Encoding: chunked\r\n\r\n");
    }
    Send(is_post ? engines_->Touch(target) : engines_->Handle(engine_, target));
  }

  void Close() {
    if (fd_ < 0) return;
    engines_->Forget(engine_, this);
    close(fd_);
    fd_ = -1;
    reactor_->Bury(this);
  }

  Reactor* reactor_;
  int fd_;
  Engines* engines_;
  const int engine_;
  std::string input_;
  std::string unsent_;
};

const std::string& Engines::Touch(std::string_view target) {
  Subject* subject =
      Find(target.substr(std::min<std::size_t>(target.rfind('/') + 1, target.size())));
  if (subject == nullptr) return Keep(Answer("404 Not Found", "{}\n"));
  subject->is_healthy = !subject->is_healthy;
  inspects_[subject->index].clear();
  const std::string event = HealthEvent(*subject);
  const std::set<Session*> listeners =
      listeners_[subject->index / static_cast<std::uint64_t>(each_)];
  for (Session* session : listeners) session->SendChunk(event);
  return Keep(Answer("200 OK", "{}\n"));
}

int Main(int engine_count, int each) {
  Reactor reactor;
  Engines engines(engine_count, each);
  std::uint16_t port = 0;
  for (int engine = 0; engine < engine_count; ++engine) {
    const auto host = static_cast<std::uint32_t>(INADDR_LOOPBACK + engine);
    const int listener = proxy_core::Listen(&port, host);
    const auto take = [&reactor, &engines, engine](int fd) {
      reactor.Add(fd, new Session(&reactor, fd, &engines, engine));
    };
    reactor.Add(listener, new proxy_core::Acceptor(listener, take));
  }
  proxy_core::AnnouncePort(port);
  while (true) reactor.RunOnce(-1);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const int engines = argc == 3 ? std::atoi(argv[1]) : 0;
  const int each = argc == 3 ? std::atoi(argv[2]) : 0;
  if (engines < 1 || engines > bench::kMostEngines || each < 1) {
    std::fprintf(stderr, "usage: %s ENGINES CONTAINERS_EACH (1 to %d engines)\n", argv[0],
                 bench::kMostEngines);
    return 2;
  }
  return bench::Main(engines, each);
}
