#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

class ImagesTest : public ApiTest {
 protected:
  void SetUp() override {
    cluster_.AddNode("n1", "1.41", "1.12");
    cluster_.AddNode("n2", "1.45", "1.24");
    AddImage("n1", one_, {"busybox:latest"}, 10, {{"a", "b"}});
    AddImage("n2", one_, {"busybox:latest", "mine:v1"}, 10, {{"a", "b"}});
    AddImage("n2", two_, {"localhost:5999/t1:latest"}, 20);
    AddImage("n1", three_, {}, 30);
  }

  std::string Ids(const std::string& query) {
    Reply reply = Send("GET", "/v1.41/images/json?" + query);
    if (reply.status != 200) return std::to_string(reply.status) + reply.body;
    std::string ids;
    constexpr std::string_view kKey = "\"Id\":\"sha256:";
    for (std::size_t at = reply.body.find(kKey); at != std::string::npos;
         at = reply.body.find(kKey, at + 1)) {
      ids += reply.body[at + kKey.size()];
    }
    return ids;
  }
  static std::string Filters(const std::string& json) { return "filters=" + PercentEncode(json); }

  const std::string one_ = std::string(64, '1'), two_ = std::string(64, '2'),
                    three_ = std::string(64, '3');

  // What engines were asked, but for pings.
  std::vector<Seen> AskedForMore() const {
    std::vector<Seen> asked = cluster_.seen;
    std::erase_if(asked, [](const Seen& seen) { return seen.line.ends_with("/_ping"); });
    return asked;
  }
};

TEST_F(ImagesTest, ListMergesCopies) {
  Reply reply = Send("GET", "/v1.41/images/json");
  EXPECT_NE(reply.body.find("\"Nodes\":[\"n1\",\"n2\"]"), std::string::npos) << reply.body;
  EXPECT_NE(reply.body.find("\"RepoTags\":[\"busybox:latest\",\"mine:v1\"]"), std::string::npos)
      << reply.body;
  EXPECT_EQ(Ids(""), "321");
}

TEST_F(ImagesTest, Filters) {
  const std::pair<std::string, std::string> cases[] = {
      {Filters("{\"dangling\":[\"true\"]}"), "3"},
      {Filters("{\"dangling\":[\"false\"]}"), "21"},
      {Filters("{\"reference\":[\"busybox\"]}"), "1"},
      {Filters("{\"reference\":[\"busy*:lat*\"]}"), "1"},
      {Filters("{\"reference\":[\"t1\"]}"), ""},
      {Filters("{\"reference\":[\"localhost:5999/*\"]}"), "2"},
      {Filters("{\"label\":[\"a=b\"]}"), "1"},
      {Filters("{\"label\":[\"a=c\"]}"), ""},
      {Filters("{\"node\":[\"n2\"]}"), "21"},
      {Filters("{\"before\":[\"localhost:5999/t1\"]}"), "1"},
      {Filters("{\"since\":[\"busybox\"]}"), "32"},
      {Filters("{\"until\":[\"20\"]}"), "21"},
      {Filters("{\"until\":[\"24h\"]}"), "321"},
  };
  for (const auto& [query, ids] : cases) EXPECT_EQ(Ids(query), ids) << query;
  EXPECT_EQ(Send("GET", "/v1.16/images/json?filter=busybox").body.find(two_), std::string::npos);
  for (const char* filters :
       {"{\"dangling\":[\"perhaps\"]}", "{\"nosuch\":[\"x\"]}", "{", "{\"until\":[\"soon\"]}"}) {
    EXPECT_EQ(Send("GET", "/v1.41/images/json?" + Filters(filters)).status, 400) << filters;
  }
}

TEST_F(ImagesTest, AReferenceShowsOnlyTheNamesThatFit) {
  const Reply reply = Send("GET", "/v1.41/images/json?" + Filters("{\"reference\":[\"mine\"]}"));
  EXPECT_NE(reply.body.find("\"RepoTags\":[\"mine:v1\"]"), std::string::npos) << reply.body;
  EXPECT_EQ(reply.body.find("busybox"), std::string::npos) << reply.body;
}

TEST_F(ImagesTest, InspectFindsAHolder) {
  struct Case {
    const char* reference;
    std::string node;
    char digit;
  };
  for (const Case& wanted : {Case{"busybox", "n1", '1'}, Case{"mine:v1", "n2", '1'},
                             Case{"localhost:5999/t1", "n2", '2'}, Case{"sha256:2222", "n2", '2'},
                             Case{"222222222222", "n2", '2'}, Case{"n2/busybox", "n2", '1'},
                             Case{"n2%2Fbusybox:latest", "n2", '1'}}) {
    cluster_.seen.clear();
    Reply reply = Send("GET", std::string("/v1.41/images/") + wanted.reference + "/json");
    EXPECT_EQ(reply.status, 200) << wanted.reference << reply.body;
    const std::vector<Seen> asked = AskedForMore();
    ASSERT_EQ(asked.size(), 1U) << wanted.reference;
    EXPECT_EQ(asked[0].node, wanted.node) << wanted.reference;
    EXPECT_EQ(asked[0].line,
              "GET /v1.41/images/sha256%3A" + std::string(64, wanted.digit) + "/json");
  }
  Reply none = Send("GET", "/v1.41/images/nosuch/json");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.body, "{\"message\":\"No such image: nosuch:latest\"}\n");
  AddImage("n1", "1" + std::string(63, '4'), {});
  EXPECT_EQ(Send("GET", "/v1.41/images/1/json").status, 400);
}

// Nodes of two platforms have two images under one name.
TEST_F(ImagesTest, AnInspectForAPlatformGoesToANodeOfIt) {
  cluster_.ChangeNode("n1", [](Node& node) { node.architecture = "aarch64"; });
  cluster_.ChangeNode("n2", [](Node& node) { node.architecture = "x86_64"; });
  AddImage("n1", std::string(64, '5'), {"web:latest"}, 40);
  AddImage("n2", std::string(64, '6'), {"web:latest"}, 50);
  const auto asked = [this](const std::string& verb, const std::string& platform) {
    cluster_.seen.clear();
    Send("GET", "/v1.45/images/web/" + verb + "?platform=" + PercentEncode(platform));
    return AskedForMore().at(0).node;
  };
  for (const char* verb : {"json", "history"}) {
    EXPECT_EQ(asked(verb, R"({"os":"linux","architecture":"arm64"})"), "n1");
    EXPECT_EQ(asked(verb, R"({"os":"linux","architecture":"amd64"})"), "n2");
    EXPECT_EQ(asked(verb, R"({"os":"linux","architecture":"s390x"})"), "n2");  // the newest
    EXPECT_EQ(asked(verb, R"({"architecture":"arm64"})"), "n1");
    EXPECT_EQ(asked(verb, R"({"os":"arm64"})"), "n2");  // no such system: the newest
    EXPECT_EQ(asked(verb, "rubbish"), "n2");
  }
}

TEST_F(ImagesTest, TheNextHolderIsAskedWhenOneLostIt) {
  cluster_.script = [](const Seen& seen) {
    Reply reply;
    reply.status = seen.node == "n1" ? 404 : 200;
    return reply;
  };
  EXPECT_EQ(Send("GET", "/v1.41/images/busybox/history").status, 200);
  EXPECT_EQ(AskedForMore().size(), 2U);
}

TEST_F(ImagesTest, AHolderThatHangsHoldsNobodyUp) {
  cluster_.script = [](const Seen& seen) -> absl::StatusOr<Reply> {
    if (seen.node == "n1") return FakeEngine::Silence();
    return Reply();
  };
  auto into = std::make_shared<std::optional<Reply>>();
  loop_.Spawn(Run(*api_, MakeRequest("GET", "/v1.41/images/busybox/json"), into));
  Settle();
  EXPECT_FALSE(into->has_value());
  const TimePoint began = clock_.Now();
  while (!into->has_value() && loop_.StepTime(clock_)) Settle();
  ASSERT_TRUE(into->has_value());
  EXPECT_EQ((*into)->status, 200);
  EXPECT_LT(clock_.Now() - began, std::chrono::seconds(1));
}

class PullTest : public ImagesTest {
 protected:
  void SetUp() override {
    ImagesTest::SetUp();
    cluster_.script = [this](const Seen& seen) -> absl::StatusOr<Reply> {
      if (broken_.contains(seen.node)) return broken_[seen.node];
      auto body = std::make_shared<Output>(loop_, 1U << 20U);
      bodies_[seen.node] = body;
      Reply reply;
      reply.body_stream = body->Reader();
      return reply;
    };
  }

  static int CountOf(const std::string& text, const std::string& part) {
    int count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
      ++count;
    return count;
  }

  std::map<std::string, std::shared_ptr<Output>> bodies_;
  std::map<std::string, absl::Status> broken_;
};

TEST_F(PullTest, ProgressOfEveryNode) {
  Request request = MakeRequest("POST", "/v1.45/images/create?fromImage=nginx&tag=latest");
  request.headers.emplace_back("X-Registry-Auth", "c2VjcmV0");
  Reply reply = Send(std::move(request));
  EXPECT_EQ(reply.status, 200);
  const auto followed = Follow(*reply.body_stream);
  EXPECT_EQ(CountOf(followed->text, "Pulling nginx:latest..."), 2);
  ASSERT_EQ(cluster_.seen.size(), 2U);
  EXPECT_EQ(cluster_.seen[0].line, "POST /v1.41/images/create?fromImage=nginx&tag=latest");
  EXPECT_EQ(cluster_.seen[1].line, "POST /v1.45/images/create?fromImage=nginx&tag=latest");
  EXPECT_EQ(*FindHeader(cluster_.seen[0].headers, "X-Registry-Auth"), "c2VjcmV0");

  bodies_["n1"]->Write(
      "{\"status\":\"Pulling fs "
      "layer\",\"progressDetail\":{},\"id\":\"abc\"}\r\n{\"status\":\"Down");
  Settle();
  EXPECT_EQ(CountOf(followed->text, "\"id\":\"n1/abc\""), 1) << followed->text;
  bodies_["n1"]->Write("loading\",\"progress\":\"[>]\",\"id\":\"abc\"}\r\n");
  for (int at = 0; at < 50; ++at) {
    bodies_["n1"]->Write("{\"status\":\"Downloading\",\"progress\":\"[=>]\",\"id\":\"abc\"}\r\n");
  }
  Settle();
  EXPECT_EQ(CountOf(followed->text, "Downloading"), 1);
  Step(std::chrono::milliseconds(250));
  bodies_["n1"]->Write("{\"status\":\"Downloading\",\"progress\":\"[==>]\",\"id\":\"abc\"}\r\n");
  bodies_["n1"]->End();
  Settle();
  EXPECT_EQ(CountOf(followed->text, "Downloading"), 2);
  EXPECT_EQ(CountOf(followed->text, "Pulling nginx:latest... : downloaded"), 1);
  EXPECT_FALSE(followed->ended);
  bodies_["n2"]->End();
  Settle();
  EXPECT_TRUE(followed->ended);
  EXPECT_TRUE(followed->text.ends_with("{\"status\":\"Pulled on 2/2 nodes: n1, n2\"}\r\n"))
      << followed->text;
  EXPECT_EQ(cluster_.refreshed_images, (std::vector<std::string>{"n1", "n2"}));
  EXPECT_EQ(followed->text.find("c2VjcmV0"), std::string::npos);
}

TEST_F(PullTest, FailuresAreNamedAtTheEnd) {
  broken_["n1"] = DeadlineExceeded("no answer within 30 s");
  Reply reply = Send("POST", "/v1.45/images/create?fromImage=nosuch");
  const auto followed = Follow(*reply.body_stream);
  EXPECT_FALSE(followed->ended);
  bodies_["n2"]->Write(
      "{\"errorDetail\":{\"message\":\"manifest unknown\"},\"error\":\"manifest unknown\"}\r\n");
  bodies_["n2"]->End();
  Settle();
  EXPECT_TRUE(followed->ended);
  const std::size_t last = followed->text.rfind("{\"errorDetail\"");
  ASSERT_NE(last, std::string::npos) << followed->text;
  const std::string line = followed->text.substr(last);
  EXPECT_NE(line.find("n1: no answer within 30 s"), std::string::npos) << line;
  EXPECT_NE(line.find("n2: manifest unknown"), std::string::npos) << line;
  EXPECT_EQ(CountOf(followed->text, "\"error\":"), 1);
  EXPECT_TRUE(cluster_.refreshed_images.empty());
}

TEST_F(PullTest, ThePolicySaysHowManyNodesAreEnough) {
  struct Case {
    const char* policy;
    const char* end;
  };
  // Of two nodes one fails.
  for (const Case& one :
       {Case{"any",
             "{\"status\":\"Pulled on 1/2 nodes: n2; not on n1: no answer within 30 s\"}\r\n"},
        Case{"quorum", "was pulled on 1 of 2 nodes: n1: no answer within 30 s\"}\r\n"},
        Case{"all", "was pulled on 1 of 2 nodes: n1: no answer within 30 s\"}\r\n"}}) {
    broken_["n1"] = DeadlineExceeded("no answer within 30 s");
    Request request = MakeRequest("POST", "/v1.45/images/create?fromImage=nginx");
    request.headers.emplace_back("X-Swarmd-Pull-Policy", one.policy);
    Reply reply = Send(std::move(request));
    const auto followed = Follow(*reply.body_stream);
    bodies_["n2"]->End();
    Settle();
    EXPECT_TRUE(followed->ended);
    EXPECT_TRUE(followed->text.ends_with(one.end)) << one.policy << ": " << followed->text;
  }
  Request wrong = MakeRequest("POST", "/v1.45/images/create?fromImage=nginx");
  wrong.headers.emplace_back("X-Swarmd-Pull-Policy", "some");
  EXPECT_EQ(Send(std::move(wrong)).status, 400);
}

TEST_F(PullTest, TheHeaderChoosesTheNode) {
  const auto pull_on = [this](const std::string& node) {
    Request request = MakeRequest("POST", "/v1.45/images/create?fromImage=nginx");
    request.headers.emplace_back("X-Swarmd-Pull-Node", node);
    return Send(std::move(request));
  };
  Reply reply = pull_on("n2");
  const auto followed = Follow(*reply.body_stream);
  ASSERT_EQ(cluster_.seen.size(), 1U);
  EXPECT_EQ(cluster_.seen[0].node, "n2");
  bodies_["n2"]->End();
  Settle();
  EXPECT_TRUE(followed->text.ends_with("{\"status\":\"Pulled on 1/1 nodes: n2\"}\r\n"))
      << followed->text;
  EXPECT_EQ(pull_on("nosuch").status, 400);
  cluster_.ChangeNode("n2", [](Node& node) { node.state = NodeState::kUnhealthy; });
  EXPECT_EQ(pull_on("n2").status, 503);
}

TEST_F(PullTest, AnEnginesStatusIsAFailureToo) {
  cluster_.script = [](const Seen&) {
    Reply reply;
    reply.status = 500;
    reply.body = "{\"message\":\"dial tcp: lookup registry: no such host\"}";
    return reply;
  };
  Reply reply = Send("POST", "/v1.45/images/create?fromImage=x/y");
  const std::string body = BodyOf(reply);
  EXPECT_NE(body.find("n1: dial tcp: lookup registry: no such host; n2: dial tcp"),
            std::string::npos)
      << body;
}

TEST_F(PullTest, AClientThatLeavesStopsEveryNode) {
  Reply reply = Send("POST", "/v1.45/images/create?fromImage=nginx");
  EXPECT_FALSE(bodies_["n1"]->gone());
  reply.body_stream->Abort();
  Settle();
  EXPECT_TRUE(bodies_["n1"]->gone());
  EXPECT_TRUE(bodies_["n2"]->gone());
  EXPECT_TRUE(cluster_.seen[0].options.stop.stop_requested());
  EXPECT_TRUE(cluster_.refreshed_images.empty());
}

TEST_F(PullTest, ManyNodesShowOnlyThemselves) {
  for (int at = 3; at < 9; ++at) cluster_.AddNode("n" + std::to_string(at), "1.41", "1.12");
  Reply reply = Send("POST", "/v1.41/images/create?fromImage=nginx");
  const auto followed = Follow(*reply.body_stream);
  for (auto& [node, body] : bodies_) {
    body->Write("{\"status\":\"Pulling fs layer\",\"id\":\"abc\"}\r\n");
    body->End();
  }
  Settle();
  EXPECT_TRUE(followed->ended);
  EXPECT_EQ(CountOf(followed->text, "/abc"), 0);
  EXPECT_EQ(CountOf(followed->text, ": downloaded"), 8);
}

TEST_F(PullTest, NodesOfAnotherPlatformAreLeftOut) {
  cluster_.ChangeNode("n1", [](Node& node) { node.architecture = "x86_64"; });
  cluster_.ChangeNode("n2", [](Node& node) { node.architecture = "aarch64"; });
  Reply reply = Send("POST", "/v1.45/images/create?fromImage=nginx&platform=linux/arm64");
  const auto followed = Follow(*reply.body_stream);
  ASSERT_EQ(cluster_.seen.size(), 1U);
  EXPECT_EQ(cluster_.seen[0].node, "n2");
  EXPECT_NE(cluster_.seen[0].line.find("platform=linux%2Farm64"), std::string::npos);
  bodies_["n2"]->End();
  Settle();
  EXPECT_TRUE(
      followed->text.ends_with("{\"status\":\"Pulled on 1/1 nodes: n2; skipped: n1: its "
                               "platform is linux/x86_64\"}\r\n"))
      << followed->text;
  // No node has it: all are asked, as one engine would be.
  cluster_.seen.clear();
  Reply none = Send("POST", "/v1.45/images/create?fromImage=nginx&platform=linux/s390x");
  EXPECT_EQ(cluster_.seen.size(), 2U);
  // What still waits for an engine would hold itself.
  for (const auto& [node, body] : bodies_) body->End();
  Settle();
}

TEST_F(PullTest, AnEngineWithoutItsPlatformIsSkipped) {
  const std::string none =
      "{\"errorDetail\":{\"message\":\"no matching manifest for linux/amd64 in the manifest list "
      "entries\"},\"error\":\"no matching manifest for linux/amd64 in the manifest list "
      "entries\"}\r\n";
  Reply reply = Send("POST", "/v1.45/images/create?fromImage=nginx");
  const auto followed = Follow(*reply.body_stream);
  bodies_["n1"]->Write(none);
  bodies_["n1"]->End();
  bodies_["n2"]->End();
  Settle();
  EXPECT_EQ(CountOf(followed->text, "\"error\":"), 0) << followed->text;
  EXPECT_EQ(CountOf(followed->text, "Pulled on 1/1 nodes: n2; skipped: n1: no matching"), 1)
      << followed->text;
  // Of no use to anybody.
  Reply again = Send("POST", "/v1.45/images/create?fromImage=nginx");
  const auto useless = Follow(*again.body_stream);
  for (const char* node : {"n1", "n2"}) {
    bodies_[node]->Write(none);
    bodies_[node]->End();
  }
  Settle();
  EXPECT_EQ(CountOf(useless->text, "\"error\":"), 1) << useless->text;
}

TEST_F(PullTest, ANodeThatFallsIllMidwayIsLeftBehind) {
  Reply reply = Send("POST", "/v1.45/images/create?fromImage=nginx");
  const auto followed = Follow(*reply.body_stream);
  bodies_["n2"]->End();
  Settle();
  EXPECT_FALSE(followed->ended);
  cluster_.ChangeNode("n1", [](Node& node) {
    node.state = NodeState::kUnhealthy;
    node.error = "it did not answer";
  });
  Pass(std::chrono::seconds(2));
  EXPECT_TRUE(followed->ended);
  EXPECT_TRUE(bodies_["n1"]->gone());
  EXPECT_EQ(CountOf(followed->text,
                    "pulled on 1 of 2 nodes: n1: the node is Unhealthy (it did "
                    "not answer)"),
            2)
      << followed->text;
}

TEST_F(PullTest, NothingToPullOrNobodyToPull) {
  EXPECT_EQ(Send("POST", "/v1.41/images/create").status, 400);
  for (const char* node : {"n1", "n2"}) {
    cluster_.ChangeNode(node, [](Node& changed) { changed.state = NodeState::kUnhealthy; });
  }
  EXPECT_EQ(Send("POST", "/v1.41/images/create?fromImage=nginx").status, 503);
}

}  // namespace
}  // namespace swarm::testing
