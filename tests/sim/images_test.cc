// Images of a whole cluster of simulated engines, in virtual time.
#include <algorithm>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "sim/faults.h"
#include "sim/tar.h"
#include "tests/sim/world.h"
#include "wire/images.h"

namespace swarm {
namespace {

struct Said {
  int status = 0;
  std::string body;
};

Task<void> AskInto(World* world, Request request, Said* said) {
  Reply reply = co_await world->api().Handle(std::move(request));
  said->status = reply.status;
  said->body = reply.body;
  if (!reply.body_stream) co_return;
  Stream& stream = *reply.body_stream;
  constexpr std::size_t kMost = 8U << 20U;
  const absl::StatusOr<std::string> rest = co_await ReadAll(stream, kMost);
  said->body += rest.ok() ? *rest : rest.status().ToString();
}

class ClusterImages : public testing::Test {
 protected:
  ClusterImages() : world_(3, 11) {}
  void SetUp() override { ASSERT_TRUE(world_.Start()); }

  Said Ask(std::string method, std::string target, std::string body = {}) {
    Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    if (!body.empty()) request.headers = {{"Content-Type", "application/x-tar"}};
    request.body = std::move(body);
    Said said;
    EXPECT_TRUE(world_.Finish(AskInto(&world_, std::move(request), &said)));
    return said;
  }

  // Ids under a name, and on how many nodes.
  std::pair<std::size_t, std::size_t> HeldAs(const std::string& name) {
    std::vector<std::string> ids;
    std::size_t nodes = 0;
    for (const auto& entry : world_.cluster().Images()) {
      if (!ImageMatches(entry->image, name)) continue;
      ++nodes;
      if (std::find(ids.begin(), ids.end(), entry->image.id) == ids.end())
        ids.push_back(entry->image.id);
    }
    return {ids.size(), nodes};
  }

  using Held = std::pair<std::size_t, std::size_t>;
  World world_;
};

TEST_F(ClusterImages, WhatIsChangedIsSeenAtOnce) {
  EXPECT_EQ(Ask("POST", "/v1.41/images/busybox/tag?repo=mine&tag=v1").status, 201);
  EXPECT_EQ(HeldAs("mine:v1"), Held(1, 3));
  EXPECT_EQ(Ask("DELETE", "/v1.41/images/mine:v1").body, "[{\"Untagged\":\"mine:v1\"}]\n");
  EXPECT_EQ(HeldAs("mine:v1"), Held(0, 0));
  EXPECT_EQ(Ask("DELETE", "/v1.41/images/mine:v1").status, 404);
}

TEST_F(ClusterImages, AnImportHasOneIdEverywhere) {
  const std::string archive = WriteTar({{"etc/motd", "hello"}});
  const Said imported = Ask("POST", "/v1.41/images/create?fromSrc=-&repo=mine", archive);
  EXPECT_EQ(imported.status, 200);
  EXPECT_TRUE(imported.body.starts_with("{\"status\":\"sha256:")) << imported.body;
  EXPECT_EQ(HeldAs("mine"), Held(1, 3));
  EXPECT_EQ(Ask("POST", "/v1.41/images/mine/push?tag=latest").status, 200);
}

TEST_F(ClusterImages, ASaveOfOneNodeIsLoadedByAll) {
  const Said made = Ask("POST", "/v1.41/images/busybox/tag?repo=mine");
  EXPECT_EQ(made.status, 201);
  const Said saved = Ask("GET", "/v1.41/images/get?names=mine&names=redis");
  EXPECT_EQ(saved.status, 200);
  EXPECT_EQ(Ask("DELETE", "/v1.41/images/mine").status, 200);
  const Said loaded = Ask("POST", "/v1.41/images/load?quiet=1", saved.body);
  EXPECT_EQ(loaded.body,
            "{\"stream\":\"Loaded image: mine:latest\\n\"}\r\n"
            "{\"stream\":\"Loaded image: redis:latest\\n\"}\r\n");
  EXPECT_EQ(HeldAs("mine"), Held(1, 3));
}

TEST_F(ClusterImages, ASilentNodeIsNamedAndHoldsUpNobody) {
  const Said saved = Ask("GET", "/v1.41/images/busybox/get");
  ASSERT_EQ(saved.status, 200);
  const std::string silent = world_.simulation().addresses()[1];
  world_.simulation().engine(silent)->faults().Always({Fault::Kind::kSilence});
  const TimePoint began = world_.clock().Now();
  const Said loaded = Ask("POST", "/v1.41/images/load", saved.body);
  EXPECT_EQ(loaded.status, 200);
  EXPECT_NE(loaded.body.find("the upload was loaded on 2 of 3 nodes"), std::string::npos)
      << loaded.body;
  EXPECT_NE(loaded.body.find(world_.cluster().FindNode(silent)->name + ": "), std::string::npos)
      << loaded.body;
  EXPECT_LT(world_.clock().Now() - began, std::chrono::minutes(2));
}

}  // namespace
}  // namespace swarm
