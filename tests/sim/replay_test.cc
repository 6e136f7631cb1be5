// The first end-to-end test: a whole cluster from one seed, run twice and compared byte for byte.
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "sim/faults.h"
#include "tests/sim/world.h"

namespace swarm {
namespace {

constexpr std::size_t kMostBody = 1U << 20U;

Request MakeRequest(std::string method, std::string target, std::string body) {
  Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  if (!body.empty()) request.headers = {{"Content-Type", "application/json"}};
  request.body = std::move(body);
  request.peer.address = "in-process";
  return request;
}

// Sends one request and returns the whole body; everything goes into the transcript.
Task<std::string> Ask(World* world, std::string method, std::string target, std::string body) {
  Request request = MakeRequest(method, target, std::move(body));
  Reply reply = co_await world->api().Handle(std::move(request));
  std::string answer = reply.body;
  for (const auto& piece : reply.pieces) answer += *piece;
  if (reply.body_stream) {
    Stream& stream = *reply.body_stream;
    const absl::StatusOr<std::string> rest = co_await ReadAll(stream, kMostBody);
    answer += rest.ok() ? *rest : rest.status().ToString();
  }
  world->Note(method + " " + target + " -> " + std::to_string(reply.status) + " " + answer);
  co_return answer;
}

std::string CreateBody(const std::string& constraint, int port) {
  return R"({"Image":"busybox","Cmd":["sleep","30"],"Env":["constraint:)" + constraint +
         R"("],"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":")" + std::to_string(port) + R"("}]}}})";
}

Task<void> Scenario(World* world) {
  const std::string names[] = {"a1", "b2", "c3", "d4"};
  for (const std::string& name : names) {
    const std::string target = "/v1.41/containers/create?name=" + name;
    const std::string body = CreateBody("zone==external", 8080);
    co_await Ask(world, "POST", target, body);
    const std::string start = "/v1.41/containers/" + name + "/start";
    co_await Ask(world, "POST", start, "");
  }
  co_await Ask(world, "GET", "/v1.41/containers/json?all=1", "");
  co_await Ask(world, "POST", "/v1.41/containers/a1/rename?name=z9", "");
  co_await Ask(world, "POST", "/v1.41/containers/z9/wait", "");
  co_await Ask(world, "GET", "/v1.41/containers/json?all=1", "");
  co_await Ask(world, "DELETE", "/v1.41/containers/z9?force=1", "");
  const std::string body = CreateBody("zone==internal", 9090);
  co_await Ask(world, "POST", "/v1.41/containers/create?name=late", body);
  co_await Ask(world, "GET", "/v1.41/info", "");
}

std::string RunOnce(std::uint64_t seed) {
  World world(5, seed);
  EXPECT_TRUE(world.Start());
  const auto lost = Fault{Fault::Kind::kLostAnswer};
  world.simulation().engine(world.simulation().addresses()[2])->faults().OnPath("POST /containers/create", lost);
  world.simulation().engine(world.simulation().addresses()[1])->faults().Always({Fault::Kind::kSilence});
  EXPECT_TRUE(world.Finish(Scenario(&world)));
  world.simulation().engine(world.simulation().addresses()[1])->faults().Heal();
  EXPECT_TRUE(world.RunUntil([&world] {
    for (const NodePointer& node : world.cluster().Nodes()) {
      if (node->state != NodeState::kHealthy) return false;
    }
    return true;
  }));
  for (const ContainerPointer& entry : world.cluster().Containers()) {
    world.Note(entry->container.id + " " + entry->container.names.front() + " on " + entry->node->name);
  }
  return world.transcript();
}

TEST(Replay, OneSeedGivesOneHistoryByteForByte) {
  const std::string first = RunOnce(7);
  const std::string second = RunOnce(7);
  EXPECT_EQ(first, second);
  EXPECT_GT(first.size(), 2000U);
}

TEST(Replay, AnotherSeedGivesAnotherHistory) { EXPECT_NE(RunOnce(7), RunOnce(8)); }

TEST(Replay, TheHistoryIsTheRightOne) {
  const std::string history = RunOnce(7);
  // Five engines, three of them external, so the fourth container with the same port has no place.
  EXPECT_NE(history.find("name=a1 -> 201"), std::string::npos) << history;
  EXPECT_NE(history.find("name=c3 -> 201"), std::string::npos) << history;
  EXPECT_NE(history.find("name=d4 -> 409"), std::string::npos) << history;
  EXPECT_NE(history.find("/containers/z9/wait -> 200 {\"Error\":null,\"StatusCode\":0}"), std::string::npos) << history;
}

TEST(Replay, ALostAnswerLeavesOneContainer) {
  World world(3, 3);
  ASSERT_TRUE(world.Start());
  for (const std::string& address : world.simulation().addresses()) {
    world.simulation().engine(address)->faults().OnPath("POST /containers/create", {Fault::Kind::kLostAnswer});
  }
  ASSERT_TRUE(world.Finish(Scenario(&world)));
  std::size_t held = 0;
  for (const std::string& address : world.simulation().addresses()) {
    held += world.simulation().engine(address)->container_count();
  }
  EXPECT_EQ(held, world.cluster().Containers().size()) << world.transcript();
}

}  // namespace
}  // namespace swarm
