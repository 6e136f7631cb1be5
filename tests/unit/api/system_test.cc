// What asks every engine: disk usage, prune of containers, plugins; and what one container's engine
// alone knows: checkpoints, copies of old.
#include "unit/api/api_fixture.h"
#include "wire/json.h"

namespace swarm::testing {
namespace {

using Strings = std::vector<std::string>;

// What an engine says.
struct Said {
  int status = 200;
  std::string body;

  Reply ToReply() const {
    Reply reply;
    reply.status = status;
    reply.body = body;
    return reply;
  }
};

class SystemTest : public ApiTest {
 protected:
  void SetUp() override {
    AddUsual();
    cluster_.script = [this](const Seen& seen) -> absl::StatusOr<Reply> {
      if (seen.line.ends_with("/_ping")) return Said{200, "OK"}.ToReply();
      const auto found = answers_.find(seen.node);
      if (found == answers_.end()) return FakeEngine::Silence();
      return found->second.ToReply();
    };
  }

  // The lines of the requests that the engines got, without pings: "n1 GET /v1.41/...".
  Strings Asked() const {
    Strings lines;
    for (const Seen& seen : cluster_.seen) {
      if (!seen.line.ends_with("/_ping")) lines.push_back(seen.node + " " + seen.line);
    }
    return lines;
  }

  // By node; one that is not named answers pings alone.
  std::map<std::string, Said> answers_;
};

TEST_F(SystemTest, DiskUsageIsThatOfAllNodes) {
  answers_["n1"] = Said{200, R"({"LayersSize":10,"Images":[{"Id":"sha256:a","Size":10}]})"};
  answers_["n2"] = Said{200, R"({"LayersSize":7,"Images":[{"Id":"sha256:a","Size":7}]})"};
  Reply reply = Send("GET", "/v1.44/system/df?type=image&verbose=1&nosuch=x");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(
      reply.body,
      "{\"LayersSize\":17,\"Images\":[{\"Id\":\"sha256:a\",\"Size\":17,\"Nodes\":[\"n1\",\"n2\"]}]"
      ",\"Containers\":null,\"Volumes\":null,\"BuildCache\":null}\n");
  EXPECT_EQ(Asked(),
            (Strings{"n1 GET /v1.41/system/df?type=image", "n2 GET /v1.44/system/df?type=image"}));
  EXPECT_EQ(HeaderOf(reply, "X-Swarmd-Unreachable"), "(none)");
  EXPECT_EQ(Send("GET", "/v1.44/system/df?type=nosuch").status, 400);
}

TEST_F(SystemTest, DiskUsageWithoutANodeThatFails) {
  cluster_.AddNode("n3", "1.41", "1.12", NodeState::kUnhealthy);
  answers_["n1"] = Said{200, R"({"LayersSize":10})"};
  answers_["n2"] = Said{409, R"({"message":"a disk usage operation is already running"})"};
  Reply reply = Send("GET", "/v1.41/system/df");
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.body.find("\"LayersSize\":10,"), std::string::npos) << reply.body;
  EXPECT_EQ(HeaderOf(reply, "X-Swarmd-Unreachable"), "n3, n2");
  answers_["n1"] = answers_["n2"];
  Reply none = Send("GET", "/v1.41/system/df");
  EXPECT_EQ(none.status, 409);
  EXPECT_NE(none.body.find("node n1: a disk usage operation"), std::string::npos) << none.body;
}

TEST_F(SystemTest, DiskUsageDoesNotWaitForANodeThatHangs) {
  cluster_.script = [](const Seen& seen) -> absl::StatusOr<Reply> {
    if (seen.node == "n2") return FakeEngine::Silence();
    return Said{200, R"({"LayersSize":10})"}.ToReply();
  };
  auto into = std::make_shared<std::optional<Reply>>();
  loop_.Spawn(Run(*api_, MakeRequest("GET", "/v1.41/system/df"), into));
  Settle();
  EXPECT_FALSE(into->has_value());
  const TimePoint began = clock_.Now();
  while (!into->has_value() && loop_.StepTime(clock_)) Settle();
  ASSERT_TRUE(into->has_value());
  EXPECT_LE(clock_.Now() - began, std::chrono::seconds(1));
  EXPECT_EQ((*into)->status, 200);
  EXPECT_EQ(HeaderOf(**into, "X-Swarmd-Unreachable"), "n2");
}

TEST_F(SystemTest, PruneIsCarriedOutOnEveryNode) {
  answers_["n1"] = Said{200, R"({"ContainersDeleted":null,"SpaceReclaimed":0})"};
  answers_["n2"] =
      Said{200, R"({"ContainersDeleted":[")" + FullId('c') + R"("],"SpaceReclaimed":12})"};
  Reply reply = Send("POST", "/v1.41/containers/prune?filters=" +
                                 PercentEncode(R"({"label":["a=b"],"until":["5m"]})"));
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.body,
            "{\"ContainersDeleted\":[\"" + FullId('c') + "\"],\"SpaceReclaimed\":12}\n");
  ASSERT_EQ(Asked().size(), 2U);
  EXPECT_NE(Asked()[0].find("n1 POST /v1.41/containers/prune?filters="), std::string::npos);
  EXPECT_NE(Asked()[0].find("until"), std::string::npos) << Asked()[0];
  // Read again before the answer, so that the next list lacks it.
  EXPECT_EQ(cluster_.refreshed, (Strings{"old"}));
}

TEST_F(SystemTest, PruneOfNothingSaysNullAsEnginesDo) {
  answers_["n1"] = answers_["n2"] = Said{200, R"({"ContainersDeleted":null,"SpaceReclaimed":0})"};
  EXPECT_EQ(Send("POST", "/v1.41/containers/prune").body,
            "{\"ContainersDeleted\":null,\"SpaceReclaimed\":0}\n");
  cluster_.nodes.clear();
  EXPECT_EQ(Send("POST", "/v1.41/containers/prune").status, 503);
}

TEST_F(SystemTest, PruneOnNodesThatTheFilterNames) {
  answers_["n2"] = Said{200, R"({"ContainersDeleted":null,"SpaceReclaimed":0})"};
  Reply reply =
      Send("POST", "/v1.41/containers/prune?filters=" + PercentEncode(R"({"node":["n2"]})"));
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(Asked(), (Strings{"n2 POST /v1.41/containers/prune?filters=%7B%7D"}));
}

TEST_F(SystemTest, PruneThatFailsSomewhereSaysWhatWasDone) {
  answers_["n1"] = Said{409, R"({"message":"a prune operation is already running"})"};
  answers_["n2"] =
      Said{200, R"({"ContainersDeleted":[")" + FullId('c') + R"("],"SpaceReclaimed":12})"};
  Reply reply = Send("POST", "/v1.41/containers/prune");
  EXPECT_EQ(reply.status, 409);
  EXPECT_EQ(reply.body,
            "{\"message\":\"n1: a prune operation is already running; on n2 1 containers were "
            "removed and 12 bytes reclaimed\"}\n");
  EXPECT_EQ(cluster_.refreshed, (Strings{"old"}));
  answers_["n2"] = Said{500, R"({"message":"disk on fire"})"};
  Reply both = Send("POST", "/v1.41/containers/prune");
  EXPECT_EQ(both.status, 500);
  EXPECT_NE(both.body.find("n2: disk on fire"), std::string::npos) << both.body;
  answers_["n1"] = Said{400, R"({"message":"Invalid filter 'x'"})"};
  answers_["n2"] = Said{400, R"({"message":"invalid filter 'x'"})"};
  Reply same = Send("POST", "/v1.41/containers/prune");
  EXPECT_EQ(same.status, 400);
  EXPECT_EQ(same.body, "{\"message\":\"Invalid filter 'x'\"}\n");
}

TEST_F(SystemTest, PruneIsGivenUpWhenTheClientGoes) {
  std::stop_source gone;
  Request request = MakeRequest("POST", "/v1.41/containers/prune");
  request.stop = gone.get_token();
  auto into = std::make_shared<std::optional<Reply>>();
  loop_.Spawn(Run(*api_, std::move(request), into));
  Settle();
  EXPECT_EQ(Asked().size(), 2U);
  EXPECT_FALSE(into->has_value());
  gone.request_stop();
  Settle();
  ASSERT_TRUE(into->has_value());
  for (const Seen& seen : cluster_.seen) EXPECT_TRUE(seen.options.stop.stop_requested());
}

TEST_F(SystemTest, PluginsOfAllNodes) {
  answers_["n1"] = Said{200, R"([{"Id":"p1","Name":"sshfs:latest","Enabled":true}])"};
  answers_["n2"] = Said{200, R"([{"Id":"p2","Name":"sshfs:latest"},{"Id":"p3","Name":"x"}])"};
  Reply reply = Send("GET", "/v1.41/plugins");
  EXPECT_EQ(reply.body,
            "[{\"Id\":\"p1\",\"Name\":\"sshfs:latest\",\"Enabled\":true,\"Node\":\"n1\"},"
            "{\"Id\":\"p2\",\"Name\":\"sshfs:latest\",\"Node\":\"n2\"},"
            "{\"Id\":\"p3\",\"Name\":\"x\",\"Node\":\"n2\"}]\n");
  answers_["n2"] = Said{500, ""};
  Reply partial = Send("GET", "/v1.41/plugins");
  EXPECT_EQ(partial.status, 200);
  EXPECT_EQ(HeaderOf(partial, "X-Swarmd-Unreachable"), "n2");
  answers_["n1"] = Said{400, R"({"message":"invalid filter 'x'"})"};
  EXPECT_EQ(Send("GET", "/v1.41/plugins?filters=%7B%22x%22%3A%5B%22y%22%5D%7D").body,
            "{\"message\":\"invalid filter 'x'\"}");
}

TEST_F(SystemTest, APluginIsTheFirstNodesThatHasIt) {
  answers_["n1"] = Said{404, R"({"message":"plugin \"vieux/sshfs\" not found"})"};
  answers_["n2"] = Said{200, R"({"Id":"p2","Name":"vieux/sshfs:latest"})"};
  Reply found = Send("GET", "/v1.41/plugins/vieux/sshfs:latest/json");
  EXPECT_EQ(found.body, R"({"Id":"p2","Name":"vieux/sshfs:latest","Node":"n2"})");
  EXPECT_EQ(Asked()[0], "n1 GET /v1.41/plugins/vieux%2Fsshfs%3Alatest/json");
  EXPECT_EQ(Send("GET", "/v1.41/plugins/n1/vieux/sshfs/json").status, 404);
  answers_["n2"] = answers_["n1"];
  Reply none = Send("GET", "/v1.41/plugins/nosuch/json");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.body, "{\"message\":\"plugin \\\"nosuch\\\" not found\"}\n");
  const std::size_t asked = cluster_.seen.size();
  for (const char* bad : {"..", "a%2F..%2F..%2Finfo", "a%3Fb", "a%5Cb"})
    EXPECT_EQ(Send("GET", std::string("/v1.41/plugins/") + bad + "/json").status, 404) << bad;
  EXPECT_EQ(cluster_.seen.size(), asked);
}

TEST_F(SystemTest, CheckpointsAreTheEnginesOwn) {
  const std::string refusal = R"({"message":"This experimental feature is disabled by default."})";
  answers_["n1"] = Said{501, refusal};
  Reply list = Send("GET", "/v1.41/containers/web/checkpoints?dir=x");
  EXPECT_EQ(list.status, 501);
  EXPECT_EQ(list.body, refusal);
  Send("POST", "/v1.41/containers/n1/web/checkpoints", R"({"CheckpointID":"one","Exit":true})");
  EXPECT_EQ(cluster_.seen.back().body, R"({"CheckpointID":"one","Exit":true})");
  Send("DELETE", "/v1.41/containers/web/checkpoints/one");
  const std::string path = "/v1.41/containers/" + FullId('a') + "/checkpoints";
  EXPECT_EQ(Asked(), (Strings{"n1 GET " + path + "?dir=x", "n1 POST " + path,
                              "n1 DELETE " + path + "/one"}));
  EXPECT_EQ(Send("DELETE", "/v1.41/containers/web/checkpoints/..").status, 404);
  EXPECT_EQ(Send("GET", "/v1.41/containers/nosuch/checkpoints").status, 404);
  EXPECT_EQ(Send("POST", "/v1.41/containers/web/checkpoints", "").status, 501);
}

TEST_F(SystemTest, CopyOfOldClientsIsAnArchive) {
  answers_["n1"] = Said{200, "the tar"};
  Reply reply = Send("POST", "/v1.20/containers/web/copy", R"({"Resource":"/etc/hosts"})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(BodyOf(reply), "the tar");
  EXPECT_EQ(Asked(),
            (Strings{"n1 GET /v1.20/containers/" + FullId('a') + "/archive?path=%2Fetc%2Fhosts"}));
  EXPECT_EQ(Send("POST", "/v1.20/containers/web/copy", R"({"Resource":""})").status, 400);
  EXPECT_EQ(Send("POST", "/v1.20/containers/web/copy", "{").status, 400);
  EXPECT_EQ(Send("POST", "/v1.20/containers/nosuch/copy", R"({"Resource":"/"})").status, 404);
  EXPECT_EQ(Send("POST", "/v1.24/containers/web/copy", R"({"Resource":"/"})").status, 404);
}

}  // namespace
}  // namespace swarm::testing
