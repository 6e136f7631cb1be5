// Engines that cost little: one epoll loop that answers at once what a manager asks of engines with
// containers that are there from the start, and with those that clients create, so that a bench
// measures the manager.
//
//   engine ENGINES CONTAINERS_EACH
//
// The engines listen on 127.0.0.1, 127.0.0.2 ... 127.0.1.0 ... at one port, which is printed ("port
// N"). `POST /touch/ID` changes the health of one container and tells so by the engine's events;
// `POST /burst/N` does so N times, for the containers in turn, as fast as it can.

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine_documents.h"
#include "proxy_core/reactor.h"
#include "proxy_core/routing.h"

namespace bench {
namespace {

using proxy_core::Reactor;
using proxy_core::Watcher;

constexpr int kMaxEngines = 1'000;
constexpr std::size_t kIdDigits = 64;
constexpr std::size_t kMostRequest = 8 * 1024 * 1024;

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

struct Request {
  std::string_view method;
  std::string_view target;
  std::string_view body;
};

// All engines and their containers.
class Engines {
 public:
  Engines(int engines, int each)
      : containers_(static_cast<std::size_t>(engines)), listeners_(containers_.size()) {
    for (int index = 0; index < engines * each; ++index) Add(index / each);
    first_made_ = subjects_.size();
  }

  // The whole answer. Valid until the next call.
  const std::string& Handle(int engine, const Request& request) {
    std::string_view target = request.target;
    target.remove_prefix(std::min(VersionLength(target), target.size()));
    const std::string_view path = target.substr(0, target.find('?'));
    if (request.method == "POST" && path == "/containers/create") {
      return Create(engine, target, request.body);
    }
    if (request.method == "POST" && path.substr(0, 7) == "/touch/") return Touch(path.substr(7));
    if (request.method == "POST" && path.substr(0, 7) == "/burst/") return Burst(path.substr(7));
    if (path.substr(0, 12) == "/containers/" && path != "/containers/json") {
      return HandleContainer(request.method, path.substr(12));
    }
    if (path == "/_ping") return Keep(Answer("200 OK", "OK"));
    if (path == "/info") {
      const std::size_t count = containers_[static_cast<std::size_t>(engine)].size();
      return Keep(Answer("200 OK", Info(engine, static_cast<int>(count))));
    }
    if (path == "/version") return Keep(Answer("200 OK", Version()));
    if (path == "/images/json") return Keep(Answer("200 OK", Images()));
    if (path == "/containers/json") return Keep(Answer("200 OK", List(engine, target)));
    return Keep(Answer("404 Not Found", "{\"message\":\"page not found\"}\n"));
  }

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
    const auto found = subjects_.find(std::string(id));
    return found == subjects_.end() ? nullptr : &found->second;
  }

  Subject& Add(int engine) {
    Subject subject;
    subject.index = next_++;
    subject.id = proxy_core::ContainerId(subject.index);
    subject.engine = engine;
    containers_[static_cast<std::size_t>(engine)].insert(subject.id);
    const std::string id = subject.id;
    return subjects_.emplace(id, std::move(subject)).first->second;
  }

  const std::string& Create(int engine, std::string_view target, std::string_view body) {
    Subject& subject = Add(engine);
    subject.is_made = true;
    subject.is_running = false;
    const std::size_t name = target.find("name=");
    subject.name = name == std::string_view::npos
                       ? subject.id.substr(0, 12)
                       : std::string(target.substr(name + 5, target.find('&', name) - name - 5));
    subject.labels = ObjectAfter(body, "\"Labels\":");
    Tell(engine, Event(subject, "create"));
    return Keep(Answer("201 Created", "{\"Id\":\"" + subject.id + "\",\"Warnings\":[]}\n"));
  }

  // The object without inner objects behind the key; "{}" without one.
  static std::string ObjectAfter(std::string_view text, std::string_view key) {
    const std::size_t at = text.find(key);
    const std::size_t begin = at == std::string_view::npos ? at : text.find('{', at);
    const std::size_t end = begin == std::string_view::npos ? begin : text.find('}', begin);
    return end == std::string_view::npos ? "{}" : std::string(text.substr(begin, end + 1 - begin));
  }

  const std::string& HandleContainer(std::string_view method, std::string_view rest) {
    Subject* subject = Find(rest.substr(0, rest.find('/')));
    const std::string_view verb = rest.substr(std::min(rest.find('/'), rest.size()));
    if (subject == nullptr) {
      return Keep(Answer("404 Not Found", "{\"message\":\"No such container\"}\n"));
    }
    if (method == "POST" && verb == "/start") {
      subject->is_running = true;
      inspects_.erase(subject->id);
      Tell(subject->engine, Event(*subject, "start"));
      return no_content_;
    }
    if (method == "DELETE") {
      Remove(subject);
      return no_content_;
    }
    if (verb == "/json") {
      std::string& kept = inspects_[subject->id];
      if (kept.empty()) kept = Answer("200 OK", Inspect(*subject));
      return kept;
    }
    if (verb == "/changes") {
      if (changes_.empty()) changes_ = Answer("200 OK", Changes(Inspect(*subject).size()));
      return changes_;
    }
    return Keep(Answer("404 Not Found", "{\"message\":\"page not found\"}\n"));
  }

  void Remove(Subject* subject) {
    const int engine = subject->engine;
    const std::string died = Event(*subject, "die") + Event(*subject, "destroy");
    inspects_.erase(subject->id);
    containers_[static_cast<std::size_t>(engine)].erase(subject->id);
    const std::string id = subject->id;
    subjects_.erase(id);
    Tell(engine, died);
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
    for (const std::string& one : containers_[static_cast<std::size_t>(engine)]) {
      if (list.size() > 1) list += ',';
      list += ListRow(*Find(one));
    }
    return list + "]\n";
  }

  const std::string& Touch(std::string_view id) {
    Subject* subject = Find(id);
    if (subject == nullptr) return Keep(Answer("404 Not Found", "{}\n"));
    Change(*subject);
    return Keep(Answer("200 OK", "{}\n"));
  }

  const std::string& Burst(std::string_view count) {
    const int changes = std::atoi(std::string(count).c_str());
    for (int i = 0; i < changes; ++i) {
      Change(*Find(proxy_core::ContainerId(static_cast<std::uint64_t>(i) % first_made_)));
    }
    return Keep(Answer("200 OK", "{}\n"));
  }

  void Change(Subject& subject) {
    subject.is_healthy = !subject.is_healthy;
    inspects_.erase(subject.id);
    Tell(subject.engine, HealthEvent(subject));
  }

  void Tell(int engine, std::string_view event);

  std::unordered_map<std::string, Subject> subjects_;  // by id
  std::uint64_t next_ = 0;
  std::uint64_t first_made_ = 0;
  std::vector<std::unordered_set<std::string>> containers_;  // ids by engine
  std::unordered_map<std::string, std::string> inspects_;    // whole answers, made when asked for
  std::string changes_, answer_;
  const std::string no_content_ = "HTTP/1.1 204 No Content\r\nApi-Version: 1.41\r\n\r\n";
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
  void Take(std::string_view bytes) {
    if (!input_.empty()) bytes = input_.append(bytes);
    while (fd_ >= 0) {
      const std::size_t end = bytes.find("\r\n\r\n");
      if (end == std::string_view::npos) break;
      const std::string_view head = bytes.substr(0, end);
      const std::size_t whole = end + 4 + BodyLength(head);
      if (bytes.size() < whole) break;
      TakeRequest(head.substr(0, head.find("\r\n")), bytes.substr(end + 4, whole - end - 4));
      bytes.remove_prefix(whole);
    }
    if (bytes.size() > kMostRequest) return Close();
    input_ = std::string(bytes);
  }

  // Managers and loads send whole bodies with their length.
  static std::size_t BodyLength(std::string_view head) {
    for (const std::string_view field : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
      const std::size_t at = head.find(field);
      if (at == std::string_view::npos) continue;
      return static_cast<std::size_t>(
          std::atoll(std::string(head.substr(at + field.size(), 12)).c_str()));
    }
    return 0;
  }

  void TakeRequest(std::string_view line, std::string_view body) {
    const std::size_t begin = line.find(' ') + 1;
    const Request request{line.substr(0, begin - 1), line.substr(begin, line.rfind(' ') - begin),
                          body};
    if (request.method == "GET" && request.target.find("/events") != std::string_view::npos) {
      // Of the past it remembers nothing.
      if (request.target.find("until=") != std::string_view::npos)
        return Send(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n");
      engines_->Listen(engine_, this);
      return Send(
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
          "Transfer-Encoding: chunked\r\n\r\n");
    }
    Send(engines_->Handle(engine_, request));
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

void Engines::Tell(int engine, std::string_view event) {
  const std::set<Session*> listeners = listeners_[static_cast<std::size_t>(engine)];
  for (Session* session : listeners) session->SendChunk(event);
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
  if (engines < 1 || engines > bench::kMaxEngines || each < 1) {
    std::fprintf(stderr, "usage: %s ENGINES CONTAINERS_EACH (1 to %d engines)\n", argv[0],
                 bench::kMaxEngines);
    return 2;
  }
  return bench::Main(engines, each);
}
