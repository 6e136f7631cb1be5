// Builds on a cluster of simulated engines, in virtual time.
#include <algorithm>
#include <iterator>
#include <stop_token>

#include <gtest/gtest.h>

#include "sim/faults.h"
#include "sim/tar.h"
#include "tests/sim/objects_world.h"
#include "wire/images.h"

namespace swarm {
namespace {

class ClusterBuilds : public ObjectsTest {
 protected:
  Answer Build(const std::string& query, const std::string& dockerfile) {
    return Ask("POST", "/build?" + query, WriteTar({{"Dockerfile", dockerfile}}));
  }

  // Names of the nodes that are known to hold the image.
  std::vector<std::string> NodesWith(const std::string& image) {
    std::vector<std::string> names;
    for (const auto& entry : world_.cluster().Images()) {
      if (ImageMatches(entry->image, image))
        names.push_back(world_.cluster().FindNode(entry->node)->name);
    }
    return names;
  }

  std::string PlaceOf(const std::string& name, const std::string& image) {
    const Answer created =
        Ask("POST", "/containers/create?name=" + name, "{\"Image\":\"" + image + "\"}");
    EXPECT_EQ(created.status, 201) << created.body;
    return NodeOf(name);
  }
};

// A client that may leave; what it was told goes into `into`.
Task<void> BuildInto(Api* api, std::string query, std::stop_token stop, Answer* into) {
  Request request;
  request.method = "POST";
  request.target = "/v1.41/build?" + query;
  request.body = WriteTar({{"Dockerfile", "FROM busybox\n"}});
  request.peer.address = "in-process";
  request.stop = std::move(stop);
  Reply reply = co_await api->Handle(std::move(request));
  into->body = reply.body;
  into->status = reply.status;
}

TEST_F(ClusterBuilds, WhatABuildAsksForIsHeldAsLongAsItRuns) {
  constexpr std::int64_t kGiB = std::int64_t{1} << 30;
  const std::string address = world_.simulation().addresses()[2];
  const auto held = [&] { return world_.cluster().TotalsOf(address).reserved; };
  const std::string there = "buildargs=%7B%22constraint%3Anode%22%3A%22%3D" + NameOf(2) + "%22%7D&";
  const std::string asks =
      "memory=" + std::to_string(6 * kGiB) + "&cpuperiod=100000&cpuquota=150000";
  FaultPlan& faults = world_.simulation().engine(address)->faults();

  // Its client leaves.
  faults.OnPath("POST /build", {Fault::Kind::kSilence});
  std::stop_source client;
  Answer left;
  world_.loop().Spawn(BuildInto(api_, there + asks, client.get_token(), &left));
  EXPECT_TRUE(world_.RunUntil([&] { return held() != Resources(); }));
  EXPECT_EQ(held(), (Resources{1'500'000'000, 6 * kGiB}));
  const std::string three = R"("Memory":3221225472)";
  const Answer refused =
      Create("web", Run(three, R"(,"Env":["constraint:node==)" + NameOf(2) + R"("])"));
  EXPECT_EQ(refused.status, 409) << refused.body;
  const Answer second = Build(there + asks, "FROM busybox\n");
  EXPECT_EQ(second.status, 409);
  EXPECT_NE(second.body.find(NameOf(2)), std::string::npos) << second.body;
  client.request_stop();
  EXPECT_TRUE(world_.RunUntil([&] { return left.status != 0; }, std::chrono::seconds(1)));
  EXPECT_TRUE(world_.RunUntil([&] { return held() == Resources(); }, std::chrono::seconds(1)));
  EXPECT_EQ(Create("web", Run(three)).status, 201);
  EXPECT_EQ(Ask("DELETE", "/containers/web").status, 204);

  // It ends well; it ends badly; its engine refuses it.
  EXPECT_NE(Build(there + asks, "FROM busybox\n").body.find("Successfully built"),
            std::string::npos);
  EXPECT_TRUE(world_.RunUntil([&] { return held() == Resources(); }, std::chrono::seconds(1)));
  EXPECT_NE(Build(there + asks, "FROM nowhere\n").body.find("error"), std::string::npos);
  EXPECT_TRUE(world_.RunUntil([&] { return held() == Resources(); }, std::chrono::seconds(1)));
  faults.OnPath("POST /build", {Fault::Kind::kError});
  EXPECT_EQ(Build(there + asks, "FROM busybox\n").status, 500);
  EXPECT_TRUE(world_.RunUntil([&] { return held() == Resources(); }, std::chrono::seconds(1)));

  // Its engine hangs.
  faults.Always({Fault::Kind::kSilence});
  EXPECT_EQ(Build(there + asks, "FROM busybox\n").status, 503);
  EXPECT_TRUE(world_.RunUntil([&] { return held() == Resources(); }, std::chrono::seconds(1)));
  faults.Heal();
  // More than any node has.
  EXPECT_EQ(Build("memory=" + std::to_string(100 * kGiB), "FROM busybox\n").status, 409);
}

TEST_F(ClusterBuilds, BuildsAtTheSameTimeShareTheNodes) {
  const std::string asks = "memory=" + std::to_string(std::int64_t{6} << 30);
  for (const std::string& address : world_.simulation().addresses())
    world_.simulation().engine(address)->faults().OnPath("POST /build", {Fault::Kind::kSilence});
  std::stop_source clients;
  Answer answers[4];
  for (Answer& answer : answers)
    world_.loop().Spawn(BuildInto(api_, asks, clients.get_token(), &answer));
  const auto refused = [&answers] {
    return std::count_if(std::begin(answers), std::end(answers),
                         [](const Answer& answer) { return answer.status == 409; });
  };
  EXPECT_TRUE(world_.RunUntil([&] { return refused() == 1; }, std::chrono::seconds(1)));
  for (const std::string& address : world_.simulation().addresses())
    EXPECT_EQ(world_.cluster().TotalsOf(address).reserved.memory, std::int64_t{6} << 30);
  clients.request_stop();
  const auto all = [&answers] {
    return std::none_of(std::begin(answers), std::end(answers),
                        [](const Answer& answer) { return answer.status == 0; });
  };
  EXPECT_TRUE(world_.RunUntil(all, std::chrono::seconds(1)));
}

TEST_F(ClusterBuilds, WhatWasBuiltIsRunWhereItIs) {
  const std::string last = NameOf(2);
  const Answer built = Build(
      "t=app&buildargs=%7B%22constraint%3Anode%22%3A%22%3D" + last + "%22%7D", "FROM busybox\n");
  EXPECT_EQ(built.status, 200);
  EXPECT_NE(built.body.find("Successfully built"), std::string::npos) << built.body;
  EXPECT_EQ(NodesWith("app"), std::vector<std::string>{last});
  EXPECT_EQ(PlaceOf("one", "app"), last);
  EXPECT_EQ(PlaceOf("two", "app"), last);
}

TEST_F(ClusterBuilds, ABuildGoesToItsBase) {
  const std::string last = NameOf(2);
  Build("t=base&buildargs=%7B%22constraint%3Anode%22%3A%22%3D" + last + "%22%7D", "FROM busybox\n");
  const Answer built = Build("t=app", "ARG B=base\nFROM $B AS x\nCMD y\n");
  // The simulated engine knows no variables; that it was asked is enough.
  EXPECT_NE(built.body.find("Step : FROM $B AS x"), std::string::npos) << built.body;
  const Answer plain = Build("t=app", "FROM base\n");
  EXPECT_NE(plain.body.find("Successfully built"), std::string::npos) << plain.body;
  EXPECT_EQ(NodesWith("app"), std::vector<std::string>{last});
}

TEST_F(ClusterBuilds, ASilentNodeIsNamedInBoundedTime) {
  const std::string silent = world_.simulation().addresses()[1];
  const std::string name = world_.cluster().FindNode(silent)->name;
  world_.simulation().engine(silent)->faults().Always({Fault::Kind::kSilence});
  const TimePoint began = world_.clock().Now();
  const Answer built = Build(
      "t=app&buildargs=%7B%22constraint%3Anode%22%3A%22%3D" + name + "%22%7D", "FROM busybox\n");
  EXPECT_EQ(built.status, 503);
  EXPECT_NE(built.body.find(name), std::string::npos) << built.body;
  EXPECT_LT(world_.clock().Now() - began, std::chrono::minutes(2));
}

}  // namespace
}  // namespace swarm
