// Tags, removals and prunes on many nodes.
#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

class ChangeTest : public ApiTest {
 protected:
  void SetUp() override {
    cluster_.AddNode("n1", "1.41", "1.12");
    cluster_.AddNode("n2", "1.45", "1.24");
    cluster_.AddNode("n3", "1.45", "1.24");
    AddImage("n1", one_, {"app:latest"}, 10);
    AddImage("n2", one_, {"app:latest"}, 10);
    AddImage("n3", one_, {"other:v1"}, 10);
    AddImage("n3", two_, {"app:old"}, 5);
    cluster_.script = [this](const Seen& seen) -> absl::StatusOr<Reply> {
      const auto said = says_.find(seen.node);
      if (said != says_.end()) return Copy(said->second);
      Reply reply;
      reply.status = 201;
      return reply;
    };
  }

  static Reply Says(int status, std::string body) {
    Reply reply;
    reply.status = status;
    reply.body = std::move(body);
    return reply;
  }
  static Reply Copy(const Reply& reply) { return Says(reply.status, reply.body); }
  static std::string Message(const std::string& text) { return "{\"message\":\"" + text + "\"}\n"; }

  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (const Seen& seen : cluster_.seen) lines.push_back(seen.node + " " + seen.line);
    return lines;
  }

  const std::string one_ = std::string(64, '1'), two_ = std::string(64, '2');
  std::map<std::string, Reply> says_;
};

TEST_F(ChangeTest, TagsEveryNodeThatHoldsTheImage) {
  const Reply reply = Send("POST", "/v1.41/images/app/tag?repo=reg:5000/app&tag=v2");
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.body, "");
  const std::string path = "/images/sha256%3A" + one_ + "/tag?repo=reg%3A5000%2Fapp&tag=v2";
  EXPECT_EQ(Lines(), (std::vector<std::string>{"n1 POST /v1.41" + path, "n2 POST /v1.41" + path,
                                               "n3 POST /v1.41" + path}));
  EXPECT_EQ(cluster_.refreshed_images, (std::vector<std::string>{"n1", "n2", "n3"}));
}

TEST_F(ChangeTest, TagsTheNewestWhereNamesDiffer) {
  AddImage("n3", std::string(64, '3'), {"app:latest"}, 99);
  EXPECT_EQ(Send("POST", "/v1.41/images/app/tag?repo=x").status, 201);
  EXPECT_EQ(Lines(), (std::vector<std::string>{"n3 POST /v1.41/images/sha256%3A" +
                                               std::string(64, '3') + "/tag?repo=x"}));
  cluster_.seen.clear();
  EXPECT_EQ(Send("POST", "/v1.41/images/n1/app/tag?repo=x").status, 201);
  EXPECT_EQ(Lines(),
            (std::vector<std::string>{"n1 POST /v1.41/images/sha256%3A" + one_ + "/tag?repo=x"}));
}

TEST_F(ChangeTest, ATagThatFailsSomewhereNamesTheNodes) {
  says_["n2"] = Says(500, Message("disk full"));
  const Reply some = Send("POST", "/v1.41/images/app/tag?repo=x");
  EXPECT_EQ(some.status, 500);
  EXPECT_EQ(some.body, Message("app was tagged on n1, n3, but not everywhere: n2: disk full"));
  for (const char* node : {"n1", "n2", "n3"})
    says_[node] = Says(400, Message("invalid reference format"));
  const Reply all = Send("POST", "/v1.41/images/app/tag?repo=X");
  EXPECT_EQ(all.status, 400);
  EXPECT_EQ(all.body, Message("invalid reference format"));
  EXPECT_EQ(Send("POST", "/v1.41/images/nosuch/tag?repo=x").status, 404);
}

TEST_F(ChangeTest, RemovesEverywhereAndTellsEachLineOnce) {
  says_["n1"] = Says(200, "[{\"Untagged\":\"app:latest\"},{\"Deleted\":\"sha256:1\"}]\n");
  says_["n2"] = Says(200, "[{\"Untagged\":\"app:latest\"},{\"Deleted\":\"sha256:7\"}]\n");
  const Reply reply = Send("DELETE", "/v1.41/images/app?force=1");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body,
            "[{\"Untagged\":\"app:latest\"},{\"Deleted\":\"sha256:1\"},{\"Deleted\":\"sha256:7\"}]"
            "\n");
  EXPECT_EQ(Lines(), (std::vector<std::string>{"n1 DELETE /v1.41/images/app?force=1",
                                               "n2 DELETE /v1.41/images/app?force=1"}));
  EXPECT_EQ(cluster_.refreshed_images, (std::vector<std::string>{"n1", "n2"}));
}

TEST_F(ChangeTest, RemovesByIdOnAllHolders) {
  for (const char* node : {"n1", "n2", "n3"}) says_[node] = Says(200, "[]\n");
  EXPECT_EQ(Send("DELETE", "/v1.41/images/" + one_.substr(0, 12)).status, 200);
  ASSERT_EQ(cluster_.seen.size(), 3U);
  EXPECT_EQ(cluster_.seen[2].line, "DELETE /v1.41/images/sha256%3A" + one_);
  cluster_.seen.clear();
  EXPECT_EQ(Send("DELETE", "/v1.41/images/n2/app").status, 200);
  EXPECT_EQ(Lines(), (std::vector<std::string>{"n2 DELETE /v1.41/images/app"}));
}

TEST_F(ChangeTest, AnImageInUseIsNamedWithItsNodes) {
  says_["n1"] = Says(409, Message("conflict: in use by aaa"));
  says_["n2"] = Says(200, "[{\"Untagged\":\"app:latest\"}]\n");
  const Reply some = Send("DELETE", "/v1.41/images/app");
  EXPECT_EQ(some.status, 409);
  EXPECT_EQ(some.body, Message("app was removed on n2, but not everywhere: n1: conflict: in use by "
                               "aaa"));
  says_["n2"] = Says(409, Message("conflict: in use by bbb"));
  const Reply none = Send("DELETE", "/v1.41/images/app");
  EXPECT_EQ(none.status, 409);
  EXPECT_EQ(none.body, Message("n1: conflict: in use by aaa; n2: conflict: in use by bbb"));
  says_["n3"] = Says(409, Message("conflict: in use by ccc"));
  const Reply only = Send("DELETE", "/v1.41/images/app:old");
  EXPECT_EQ(only.status, 409);
  EXPECT_EQ(only.body, Message("conflict: in use by ccc (node n3)"));
  says_["n1"] = Says(500, Message("broken"));
  says_["n2"] = Says(200, "[]");
  EXPECT_EQ(Send("DELETE", "/v1.41/images/app").status, 500);
}

TEST_F(ChangeTest, NothingToRemove) {
  EXPECT_EQ(Send("DELETE", "/v1.41/images/nosuch").status, 404);
  EXPECT_TRUE(cluster_.seen.empty());
  for (const char* node : {"n1", "n2"}) says_[node] = Says(404, Message("No such image"));
  EXPECT_EQ(Send("DELETE", "/v1.41/images/app").status, 404);
  says_["n2"] = Says(200, "[{\"Untagged\":\"app:latest\"}]\n");
  const Reply one_left = Send("DELETE", "/v1.41/images/app");
  EXPECT_EQ(one_left.status, 200);
  EXPECT_EQ(one_left.body, "[{\"Untagged\":\"app:latest\"}]\n");
}

TEST_F(ChangeTest, PrunesAreAddedUp) {
  says_["n1"] = Says(200, "{\"ImagesDeleted\":[{\"Deleted\":\"a\"}],\"SpaceReclaimed\":5}\n");
  says_["n2"] = Says(200, "{\"ImagesDeleted\":null,\"SpaceReclaimed\":0}\n");
  says_["n3"] = Says(200, "{\"ImagesDeleted\":[{\"Deleted\":\"b\"}],\"SpaceReclaimed\":7}\n");
  const Reply all = Send("POST", "/v1.41/images/prune");
  EXPECT_EQ(all.status, 200);
  EXPECT_EQ(all.body,
            "{\"ImagesDeleted\":[{\"Deleted\":\"a\"},{\"Deleted\":\"b\"}],\"SpaceReclaimed\":12}"
            "\n");
  cluster_.seen.clear();
  const Reply two = Send("POST", "/v1.41/images/prune?filters=" +
                                     PercentEncode("{\"node\":[\"n2\"],\"dangling\":[\"false\"]}"));
  EXPECT_EQ(two.body, "{\"ImagesDeleted\":null,\"SpaceReclaimed\":0}\n");
  ASSERT_EQ(cluster_.seen.size(), 1U);
  EXPECT_EQ(cluster_.seen[0].line,
            "POST /v1.41/images/prune?filters=" + PercentEncode("{\"dangling\":{\"false\":true}}"));
  says_["n2"] = Says(409, Message("a prune operation is already running"));
  const Reply some = Send("POST", "/v1.41/images/prune");
  EXPECT_EQ(some.status, 500);
  EXPECT_EQ(some.body, Message("pruned, 12 bytes reclaimed, on n1, n3, but not everywhere: n2: a "
                               "prune operation is already running"));
  EXPECT_EQ(Send("POST", "/v1.41/images/prune?filters=x").status, 400);
}

TEST_F(ChangeTest, BuildCachesAreAddedUp) {
  says_["n1"] = Says(200, "{\"CachesDeleted\":[\"x\"],\"SpaceReclaimed\":5}\n");
  says_["n2"] = Says(200, "{\"CachesDeleted\":[\"y\"],\"SpaceReclaimed\":6}\n");
  says_["n3"] = Says(404, Message("page not found"));
  const Reply reply = Send("POST", "/v1.41/build/prune?all=1");
  EXPECT_EQ(reply.body, "{\"CachesDeleted\":[\"x\",\"y\"],\"SpaceReclaimed\":11}\n");
  EXPECT_EQ(cluster_.seen[0].line, "POST /v1.41/build/prune?all=1");
}

TEST_F(ChangeTest, AClientThatLeavesStopsEveryNode) {
  cluster_.script = [](const Seen&) { return FakeEngine::Silence(); };
  std::stop_source client;
  Request request = MakeRequest("DELETE", "/v1.41/images/app");
  request.stop = client.get_token();
  auto into = std::make_shared<std::optional<Reply>>();
  loop_.Spawn(Run(*api_, std::move(request), into));
  Settle();
  ASSERT_EQ(cluster_.seen.size(), 2U);
  client.request_stop();
  Settle();
  for (const Seen& seen : cluster_.seen) EXPECT_TRUE(seen.options.stop.stop_requested());
  EXPECT_TRUE(into->has_value());
}

TEST_F(ChangeTest, UnhealthyHoldersAreNotAsked) {
  cluster_.ChangeNode("n1", [](Node& node) { node.state = NodeState::kUnhealthy; });
  says_["n2"] = Says(200, "[]\n");
  EXPECT_EQ(Send("DELETE", "/v1.41/images/app").status, 200);
  EXPECT_EQ(Lines(), (std::vector<std::string>{"n2 DELETE /v1.41/images/app"}));
}

}  // namespace
}  // namespace swarm::testing
