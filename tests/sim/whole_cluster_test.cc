// What asks every engine of a cluster: events of the past, disk usage, prune, drain.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/sim/world.h"
#include "wire/json.h"

namespace swarm {
namespace {

constexpr std::size_t kMostBody = 1U << 20U;

Request MakeRequest(std::string method, std::string target, std::string body) {
  Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  if (!body.empty()) request.headers = {{"Content-Type", "application/json"}};
  request.body = std::move(body);
  return request;
}

// The whole body of the manager's answer.
Task<void> Ask(World* world, std::string method, std::string target, std::string body, std::string* answer) {
  Request request = MakeRequest(std::move(method), std::move(target), std::move(body));
  Reply reply = co_await world->api().Handle(std::move(request));
  *answer = reply.body;
  for (const auto& piece : reply.pieces) *answer += *piece;
  if (reply.body_stream) {
    Stream& stream = *reply.body_stream;
    const absl::StatusOr<std::string> rest = co_await ReadAll(stream, kMostBody);
    *answer += rest.ok() ? *rest : rest.status().ToString();
  }
}

// By somebody who knows nothing of the manager.
Task<void> MakeAt(World* world, std::string address, std::string name) {
  const std::unique_ptr<BackendClient> client = world->simulation().Client(address);
  BackendClient& engine = *client;
  Request request = MakeRequest("POST", "/v1.41/containers/create?name=" + name, R"({"Image":"busybox"})");
  CallOptions options;
  const absl::StatusOr<Reply> reply = co_await Call(engine, std::move(request), std::move(options));
  EXPECT_TRUE(reply.ok() && reply->status == 201)
      << name << ": " << (reply.ok() ? reply->body : reply.status().ToString());
  co_await SleepFor(std::chrono::seconds(1));
}

std::string Answer(World& world, std::string method, std::string target, std::string body = {}) {
  std::string answer;
  EXPECT_TRUE(world.Finish(Ask(&world, std::move(method), std::move(target), std::move(body), &answer)));
  return answer;
}

// "create a1@sim-0001" of each event of a container.
std::vector<std::string> Shown(const std::string& text) {
  std::vector<std::string> shown;
  std::size_t at = 0;
  while (at < text.size()) {
    JsonDocument document;
    const absl::StatusOr<std::size_t> end = document.ParseAt(text, at);
    if (!end.ok()) break;
    const JsonValue attributes = document.root().Find("Actor").Find("Attributes");
    if (document.root().Find("Type").Equals("container") || document.root().Find("Action").Equals("events_lost")) {
      shown.push_back(document.root().Find("Action").text() + " " + attributes.Find("name").text() + "@" +
                      attributes.Find("node.name").text());
    }
    at = *end;
  }
  return shown;
}

std::string Seconds(World& world) {
  return std::to_string(world.clock().Wall().time_since_epoch().count() / 1'000'000'000);
}

TEST(WholeCluster, EventsOfTheTimeBeforeTheManagerAreThoseOfTheEngines) {
  World world(2, 5);
  const std::vector<std::string> engines = world.simulation().addresses();
  const std::string begin = Seconds(world);
  ASSERT_TRUE(world.Finish(MakeAt(&world, engines[0], "a1")));
  ASSERT_TRUE(world.Finish(MakeAt(&world, engines[1], "b1")));
  ASSERT_TRUE(world.Finish(MakeAt(&world, engines[0], "c1")));
  ASSERT_TRUE(world.Start());
  ASSERT_TRUE(world.Finish(MakeAt(&world, engines[1], "d1")));
  ASSERT_TRUE(world.Finish(MakeAt(&world, engines[0], "e1")));
  const std::string target = "/v1.41/events?since=" + begin + "&until=" + Seconds(world);
  EXPECT_EQ(Shown(Answer(world, "GET", target)),
            (std::vector<std::string>{"create a1@sim-0001", "create b1@sim-0002", "create c1@sim-0001",
                                      "create d1@sim-0002", "create e1@sim-0001"}));
  // One that has forgotten, and one that has left, are not passed over in silence.
  world.simulation().engine(engines[0])->Restart();
  ASSERT_TRUE(world.Finish(MakeAt(&world, engines[0], "f1")));
  const std::vector<std::string> after = Shown(Answer(world, "GET", "/v1.41/events?since=" + begin + "&until=" + Seconds(world)));
  // Of the time before it was followed, and of the time that it was not.
  EXPECT_EQ(std::count(after.begin(), after.end(), "events_lost sim-0001@sim-0001"), 2);
  ASSERT_FALSE(after.empty());
  EXPECT_EQ(after.back(), "create f1@sim-0001");
}

TEST(WholeCluster, DiskUsageAndPruneAreThoseOfAllEngines) {
  World world(3, 6);
  ASSERT_TRUE(world.Start());
  for (const char* name : {"a1", "b1", "c1", "d1"}) {
    Answer(world, "POST", std::string("/v1.41/containers/create?name=") + name,
           R"({"Image":"busybox","Cmd":["sleep","3600"]})");
  }
  Answer(world, "POST", "/v1.41/containers/a1/start");
  JsonDocument document;
  const std::string usage = Answer(world, "GET", "/v1.41/system/df");
  ASSERT_TRUE(document.Parse(usage).ok()) << usage;
  EXPECT_EQ(document.root().Find("Containers").elements().size(), 4u);
  bool found = false;
  document.root().Find("Images").ForEachElement([&found](JsonValue image) {
    if (image.Find("RepoTags").raw() != R"(["busybox:latest"])") return;
    found = true;
    EXPECT_EQ(image.Find("Containers").integer(), 4);
    EXPECT_EQ(image.Find("Nodes").elements().size(), 3u);
  });
  EXPECT_TRUE(found) << usage;
  const std::string pruned = Answer(world, "POST", "/v1.41/containers/prune");
  ASSERT_TRUE(document.Parse(pruned).ok()) << pruned;
  EXPECT_EQ(document.root().Find("ContainersDeleted").elements().size(), 3u);
  const std::string left = Answer(world, "GET", "/v1.41/containers/json?all=1");
  ASSERT_TRUE(document.Parse(left).ok()) << left;
  ASSERT_EQ(document.root().elements().size(), 1u);
}

TEST(WholeCluster, ADrainedNodeIsEmptyOfWhatRunsAndGetsNothing) {
  World world(2, 7);
  ASSERT_TRUE(world.Start());
  const std::string body = R"({"Image":"busybox","Cmd":["sleep","3600"]})";
  for (const char* name : {"a1", "b1", "c1", "d1"}) {
    Answer(world, "POST", std::string("/v1.41/containers/create?name=") + name, body);
    Answer(world, "POST", std::string("/v1.41/containers/") + name + "/start");
  }
  JsonDocument document;
  const std::string report = Answer(world, "POST", "/swarmd/v1/nodes/sim-0001/drain?t=0");
  ASSERT_TRUE(document.Parse(report).ok()) << report;
  EXPECT_EQ(document.root().Find("Stopped").integer(), 2) << report;
  EXPECT_EQ(document.root().Find("Failed").integer(), 0) << report;
  EXPECT_EQ(document.root().Find("Node").Find("Containers").Find("Running").integer(), 0) << report;
  for (const char* name : {"e1", "f1"}) {
    const std::string made = Answer(world, "POST", std::string("/v1.41/containers/create?name=") + name, body);
    const std::string shown = Answer(world, "GET", std::string("/v1.41/containers/") + name + "/json");
    EXPECT_NE(shown.find("sim-0002"), std::string::npos) << made;
  }
}

}  // namespace
}  // namespace swarm
