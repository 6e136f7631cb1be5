// An Api over a FakeCluster on a loop in virtual time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "api/api.h"
#include "async/await.h"
#include "async/loop.h"
#include "base/text.h"
#include "unit/api/fake_cluster.h"

namespace swarm::testing {

inline std::string FullId(char digit) { return std::string(64, digit); }

class ApiTest : public ::testing::Test {
 protected:
  ApiTest() : loop_(clock_, nullptr) {
    options_.clock = &clock_;
    options_.id = "MANAGER";
    options_.host_name = "manager1";
    options_.version = "0.1.0";
    MakeApi();
  }

  // Anew, with what a test has changed in the options.
  void MakeApi() { api_ = std::make_unique<Api>(cluster_, options_); }

  // Two healthy engines with one running container each, and a stopped one.
  void AddUsual() {
    cluster_.AddNode("n1", "1.41", "1.12");
    cluster_.AddNode("n2", "1.45", "1.24");
    AddContainer("n1", 'a', "web", ContainerState::kRunning, 100);
    AddContainer("n2", 'b', "db", ContainerState::kRunning, 200);
    AddContainer("n2", 'c', "old", ContainerState::kExited, 50);
  }

  void AddContainer(const std::string& node, char digit, const std::string& name,
                    ContainerState state, int created,
                    const std::function<void(Container&)>& change = nullptr) {
    auto entry = std::make_shared<ContainerEntry>();
    entry->node = cluster_.FindNode(node);
    entry->container.id = FullId(digit);
    entry->container.node = entry->node->address;
    entry->container.names = {name};
    entry->container.state = state;
    entry->container.created = WallTime(std::chrono::seconds(created));
    entry->container.image = "busybox";
    if (change) change(entry->container);
    entry->row.head =
        "{\"Id\":\"" + entry->container.id + "\",\"Names\":[\"/" + name + "\"],\"Status\":";
    entry->row.tail = "}";
    cluster_.containers.push_back(entry);
    ++cluster_.generation_number;
  }

  void AddImage(const std::string& node, const std::string& id, std::vector<std::string> tags,
                int created = 1, Labels labels = {}) {
    auto entry = std::make_shared<ImageEntry>();
    entry->image.id = "sha256:" + id;
    entry->image.repo_tags = std::move(tags);
    entry->image.created = WallTime(std::chrono::seconds(created));
    entry->image.labels = std::move(labels);
    entry->node = cluster_.FindNode(node)->address;
    entry->row = "{\"Id\":\"sha256:" + id + "\",\"RepoTags\":null,\"Containers\":-1}";
    cluster_.images.push_back(entry);
  }

  static Request MakeRequest(std::string method, std::string target, std::string body = {}) {
    Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    return request;
  }

  // Runs what is ready, without moving time.
  void Settle() { loop_.RunReady(); }

  static Task<void> Run(Api& api, Request request, std::shared_ptr<std::optional<Reply>> into) {
    Reply reply = co_await api.Handle(std::move(request));
    into->emplace(std::move(reply));
  }

  // The reply, or a failure and status 0 when there is none without time passing.
  Reply Send(Request request) {
    auto into = std::make_shared<std::optional<Reply>>();
    loop_.Spawn(Run(*api_, std::move(request), into));
    Settle();
    if (!into->has_value()) {
      ADD_FAILURE() << "no reply";
      Reply none;
      none.status = 0;
      return none;
    }
    return std::move(**into);
  }

  Reply Send(std::string method, std::string target, std::string body = {}) {
    return Send(MakeRequest(std::move(method), std::move(target), std::move(body)));
  }

  struct Collected {
    std::string text;
    bool ended = false;
    absl::Status status;
  };

  static Task<void> Collect(Stream& stream, std::shared_ptr<Collected> into) {
    std::string buffer(1024, '\0');
    for (;;) {
      const std::span<char> room(buffer.data(), buffer.size());
      const absl::StatusOr<std::size_t> got = co_await Read(stream, room);
      if (!got.ok()) into->status = got.status();
      if (!got.ok() || *got == 0) break;
      into->text.append(buffer.data(), *got);
    }
    into->ended = true;
  }

  // Reads the stream from now on; what came is seen after Settle().
  std::shared_ptr<Collected> Follow(Stream& stream) {
    auto into = std::make_shared<Collected>();
    loop_.Spawn(Collect(stream, into));
    Settle();
    return into;
  }

  // The whole body, however it comes.
  std::string BodyOf(Reply& reply) {
    std::string body = reply.body;
    for (const auto& piece : reply.pieces) body += *piece;
    if (reply.body_stream) {
      const std::shared_ptr<Collected> rest = Follow(*reply.body_stream);
      EXPECT_TRUE(rest->ended) << "the body has no end";
      body += rest->text;
    }
    return body;
  }

  void Step(Duration by) {
    clock_.Advance(by);
    Settle();
  }

  // Lets time pass, timer by timer.
  void Pass(Duration time) {
    const TimePoint end = clock_.Now() + time;
    while (clock_.Now() < end && loop_.StepTime(clock_)) Settle();
  }

  ManualClock clock_;
  ApiOptions options_;
  FakeCluster cluster_;
  Loop loop_;
  std::unique_ptr<Api> api_;
};

inline std::string HeaderOf(const Reply& reply, std::string_view name) {
  const std::string* value = FindHeader(reply.headers, name);
  return value == nullptr ? "(none)" : *value;
}

}  // namespace swarm::testing
