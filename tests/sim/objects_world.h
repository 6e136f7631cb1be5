// Requests to a simulated cluster, one after the other, and their answers as JSON.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/sim/world.h"
#include "wire/json.h"

namespace swarm {

struct Answer {
  int status = 0;
  std::string body;
  Headers headers;
};

inline Task<void> AskInto(Api* api, std::string method, std::string target, std::string body,
                          Answer* into) {
  Request request;
  request.method = std::move(method);
  request.target = "/v1.41" + target;
  if (!body.empty()) request.headers = {{"Content-Type", "application/json"}};
  request.body = std::move(body);
  request.peer.address = "in-process";
  Reply reply = co_await api->Handle(std::move(request));
  into->status = reply.status;
  into->headers = reply.headers;
  into->body = reply.body;
  for (const auto& piece : reply.pieces) into->body += *piece;
  if (reply.body_stream) {
    constexpr std::size_t kMostBody = 1U << 20U;
    Stream& stream = *reply.body_stream;
    const absl::StatusOr<std::string> rest = co_await ReadAll(stream, kMostBody);
    if (rest.ok()) into->body += *rest;
  }
}

class ObjectsTest : public ::testing::Test {
 protected:
  explicit ObjectsTest(int engines = 3) : world_(engines, 7) { EXPECT_TRUE(world_.Start()); }

  Answer Ask(std::string method, std::string target, std::string body = {}) {
    Answer answer;
    EXPECT_TRUE(world_.Finish(
        AskInto(api_, std::move(method), std::move(target), std::move(body), &answer)));
    return answer;
  }

  // Another manager over the same engines, that was not there when they were changed.
  void Restart() {
    ApiOptions options;
    options.clock = &world_.clock();
    options.seed = 8;
    next_ = std::make_unique<Api>(world_.cluster(), std::move(options));
    api_ = next_.get();
  }

  // Straight at one engine, by its place.
  Answer AskEngine(std::size_t at, std::string method, std::string target, std::string body = {}) {
    Answer answer;
    world_.loop().Post([&] {
      Request request;
      request.method = method;
      request.target = "/v1.41" + target;
      request.body = body;
      const Reply reply = world_.simulation().engine_at(at)->Handle(request);
      answer.status = reply.status;
      answer.body = reply.body;
    });
    EXPECT_TRUE(world_.RunUntil([&answer] { return answer.status != 0; }));
    return answer;
  }

  std::string NameOf(std::size_t at) { return world_.simulation().engine_at(at)->name(); }

  // The node of a container; empty when there is none.
  std::string NodeOf(const std::string& container) {
    const auto entry = world_.cluster().FindContainer(container);
    return entry.ok() ? (*entry)->node->name : std::string();
  }

  // How many engines answer 200 to the path.
  int Holders(const std::string& path) {
    int count = 0;
    for (std::size_t at = 0; world_.simulation().engine_at(at); ++at) {
      if (AskEngine(at, "GET", path).status == 200) ++count;
    }
    return count;
  }

  // The names in an answer's list, in order.
  static std::vector<std::string> Names(const Answer& answer, const char* list = nullptr) {
    JsonDocument document;
    std::vector<std::string> names;
    if (!document.Parse(answer.body).ok()) return names;
    const JsonValue rows = list == nullptr ? document.root() : document.root().Find(list);
    rows.ForEachElement([&](JsonValue row) { names.push_back(row.Find("Name").text()); });
    return names;
  }

  static bool Has(const std::vector<std::string>& names, const std::string& name) {
    return std::count(names.begin(), names.end(), name) == 1;
  }

  static std::string Run(const std::string& host_config, const std::string& more = {}) {
    return R"({"Image":"busybox","Cmd":["sleep","600"],"HostConfig":{)" + host_config + "}" + more +
           "}";
  }

  Answer Create(const std::string& name, const std::string& body) {
    return Ask("POST", "/containers/create?name=" + name, body);
  }

  World world_;
  std::unique_ptr<Api> next_;
  Api* api_ = &world_.api();
};

}  // namespace swarm
