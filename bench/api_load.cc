// A load of whole container lives: create, start, remove, again and again on kept connections.
//
//   api_load PORT CONNECTIONS SECONDS [create]
//
// With `create` the lives are creates alone, and what they make stays.
//
// Prints one JSON object: lives, failed, seconds, and for each operation p50 and p99 in
// microseconds from the request to the whole answer.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy_core/reactor.h"

namespace bench {
namespace {

using proxy_core::Reactor;
using proxy_core::Watcher;
using Clock = std::chrono::steady_clock;

enum Operation { kCreate, kStart, kRemove, kOperations };
constexpr std::array<const char*, kOperations> kNames = {"create", "start", "remove"};
constexpr std::array<std::string_view, kOperations> kExpected = {"201", "204", "204"};
constexpr std::string_view kBody =
    R"({"Image":"nginx:latest","Cmd":["nginx","-g","daemon off;"],"Env":["LOG_LEVEL=info"],)"
    R"("Labels":{"com.example.project":"shop","com.example.service":"frontend"},)"
    R"("HostConfig":{"Memory":4194304,"CpuShares":0,"RestartPolicy":{"Name":"always"}}})";

struct Results {
  std::array<std::vector<double>, kOperations> micros;
  std::size_t lives = 0;
  std::size_t failed = 0;
  bool is_over = false;
  Operation last = kRemove;  // of a life
};

// One connection, one container at a time.
class Client final : public Watcher {
 public:
  Client(int fd, int number, Results* results) : fd_(fd), number_(number), results_(results) {}

  bool is_done() const { return is_done_; }

  void OnReady(std::uint32_t events) override {
    if (!has_begun_ && (events & EPOLLOUT) != 0) {
      has_begun_ = true;
      Ask(kCreate);
    }
    char buffer[16 * 1024];
    while (!is_done_) {
      const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) return Fail("the connection ended");
      answer_.append(buffer, static_cast<std::size_t>(got));
      if (IsWhole()) TakeAnswer();
    }
  }

 private:
  void Ask(Operation operation) {
    operation_ = operation;
    std::string text;
    const std::string name = "load-" + std::to_string(number_) + "-" + std::to_string(count_);
    if (operation == kCreate) {
      text.append("POST /v1.41/containers/create?name=").append(name);
      Finish(text, kBody);
    } else if (operation == kStart) {
      text.append("POST /v1.41/containers/").append(id_).append("/start");
      Finish(text, "");
    } else {
      text.append("DELETE /v1.41/containers/").append(id_).append("?force=1");
      Finish(text, "");
    }
    began_ = Clock::now();
    // A request is far smaller than the socket's buffer, which is empty.
    if (send(fd_, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
      Fail("a request could not be sent whole");
    }
  }

  static void Finish(std::string& text, std::string_view body) {
    text.append(" HTTP/1.1\r\nHost: docker\r\nUser-Agent: Docker-Client/20.10.24 (linux)\r\n");
    if (!body.empty()) text.append("Content-Type: application/json\r\n");
    text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
    text.append(body);
  }

  bool IsWhole() const {
    const std::size_t end = answer_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const std::string_view head = std::string_view(answer_).substr(0, end);
    if (head.find("chunked") != std::string_view::npos) return answer_.ends_with("0\r\n\r\n");
    for (const std::string_view field : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
      const std::size_t at = head.find(field);
      if (at == std::string_view::npos) continue;
      const long length = std::atol(std::string(head.substr(at + field.size(), 12)).c_str());
      return answer_.size() >= end + 4 + static_cast<std::size_t>(length);
    }
    return true;
  }

  void TakeAnswer() {
    const std::chrono::duration<double, std::micro> took = Clock::now() - began_;
    if (answer_.substr(9, 3) != kExpected[operation_]) return Fail(answer_);
    results_->micros[operation_].push_back(took.count());
    if (operation_ == kCreate) {
      const std::size_t id = answer_.find("\"Id\":\"");
      if (id == std::string::npos) return Fail(answer_);
      id_ = answer_.substr(id + 6, 64);
    }
    answer_.clear();
    if (operation_ != results_->last) return Ask(operation_ == kCreate ? kStart : kRemove);
    ++results_->lives;
    ++count_;
    if (results_->is_over) {
      is_done_ = true;
    } else {
      Ask(kCreate);
    }
  }

  void Fail(std::string_view why) {
    std::fprintf(stderr, "%s: %.*s\n", kNames[operation_], static_cast<int>(why.size()),
                 why.data());
    ++results_->failed;
    is_done_ = true;
  }

  const int fd_;
  const int number_;
  Results* const results_;
  Operation operation_ = kCreate;
  bool has_begun_ = false;
  bool is_done_ = false;
  int count_ = 0;
  std::string id_;
  std::string answer_;
  Clock::time_point began_;
};

double Percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

int Main(std::uint16_t port, int connections, double seconds, Operation last) {
  Reactor reactor;
  Results results;
  results.last = last;
  std::vector<std::unique_ptr<Client>> clients;
  for (int number = 0; number < connections; ++number) {
    const int fd = proxy_core::Connect(port);
    clients.push_back(std::make_unique<Client>(fd, number, &results));
    reactor.Add(fd, clients.back().get());
  }
  const Clock::time_point began = Clock::now();
  const Clock::time_point end =
      began + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  const Clock::time_point bound = end + std::chrono::seconds(30);
  const auto is_done = [](const std::unique_ptr<Client>& client) { return client->is_done(); };
  while (!std::all_of(clients.begin(), clients.end(), is_done)) {
    reactor.RunOnce(100);
    results.is_over = Clock::now() >= end;
    if (Clock::now() >= bound) {
      std::fprintf(stderr, "an answer did not come within 30 s\n");
      ++results.failed;
      break;
    }
  }
  const std::chrono::duration<double> took = Clock::now() - began;
  std::printf("{\"lives\":%zu,\"failed\":%zu,\"seconds\":%.3f", results.lives, results.failed,
              took.count());
  for (int operation = 0; operation < kOperations; ++operation) {
    std::vector<double>& values = results.micros[static_cast<std::size_t>(operation)];
    const double median = Percentile(values, 0.5);
    std::printf(",\"%s\":{\"p50_us\":%.1f,\"p99_us\":%.1f}", kNames[operation], median,
                Percentile(values, 0.99));
  }
  std::printf("}\n");
  return results.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const bool creates_only = argc == 5 && std::string_view(argv[4]) == "create";
  const bool is_whole = argc == 4 || creates_only;
  const int port = is_whole ? std::atoi(argv[1]) : 0;
  const int connections = is_whole ? std::atoi(argv[2]) : 0;
  const double seconds = is_whole ? std::atof(argv[3]) : 0;
  if (port < 1 || port > 65535 || connections < 1 || connections > 1000 || seconds <= 0) {
    std::fprintf(stderr, "usage: %s PORT CONNECTIONS SECONDS [create]\n", argv[0]);
    return 2;
  }
  const bench::Operation last = creates_only ? bench::kCreate : bench::kRemove;
  return bench::Main(static_cast<std::uint16_t>(port), connections, seconds, last);
}
