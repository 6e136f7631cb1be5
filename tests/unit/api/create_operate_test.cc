#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

class CreateTest : public ApiTest {
 protected:
  void SetUp() override { AddUsual(); }
};

TEST_F(CreateTest, PassesWhatWasAsked) {
  Request request =
      MakeRequest("POST", "/v1.41/containers/create?name=%2Fweb2&platform=linux%2Famd64",
                  "{\"Image\":\"nginx\",\"Env\":[\"constraint:zone==external\",\"A=b\"],"
                  "\"HostConfig\":{\"Foo\":7,\"Memory\":1048576}}");
  request.headers.emplace_back("X-Registry-Auth", "c2VjcmV0");
  request.headers.emplace_back("X-Other", "1");
  Reply reply = Send(std::move(request));
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.body, "{\"Id\":\"abc\",\"Warnings\":[]}\n");
  ASSERT_EQ(cluster_.created.size(), 1U);
  const CreateRequest& created = cluster_.created[0];
  EXPECT_EQ(created.spec.name, "web2");
  EXPECT_EQ(created.spec.image, "nginx");
  EXPECT_EQ(created.spec.platform, "linux/amd64");
  EXPECT_EQ(created.spec.request.memory, 1048576);
  ASSERT_EQ(created.spec.constraints.size(), 1U);
  EXPECT_EQ(created.spec.constraints[0].key, "zone");
  EXPECT_EQ(created.query, "platform=linux%2Famd64");
  EXPECT_EQ(created.api_version, "1.41");
  EXPECT_NE(created.body.find("\"Foo\":7"), std::string::npos);
  EXPECT_EQ(created.body.find("\"constraint:zone"), std::string::npos);
  EXPECT_EQ(created.spec.swarm_id.size(), 64U);
  Send("POST", "/v1.41/containers/create", "{\"Image\":\"nginx\"}");
  EXPECT_NE(cluster_.created[1].spec.swarm_id, created.spec.swarm_id);
}

// A create whose cluster asks for the pull at once, on n1.
struct Puller {
  explicit Puller(FakeCluster& cluster) {
    cluster.create = [this](const CreateRequest& request) {
      unknown = request.pull_unknown;
      request.pull("10.0.0.1:2375", [this](absl::Status status) { outcome = std::move(status); });
      CreateResult result;
      result.reply.status = 201;
      return result;
    };
  }
  bool unknown = false;
  std::optional<absl::Status> outcome;
};

TEST_F(CreateTest, PullsOnTheChosenNodeWithTheCredentialsOfTheCreate) {
  Puller puller(cluster_);
  cluster_.script = [](const Seen&) {
    Reply reply;
    reply.body = "{\"status\":\"Pulling\"}\r\n{\"status\":\"Done\"}\r\n";
    return reply;
  };
  Request request = MakeRequest("POST", "/v1.41/containers/create?platform=linux%2Farm64",
                                "{\"Image\":\"host:5000/team/app\"}");
  request.headers.emplace_back("X-Registry-Auth", "c2VjcmV0");
  EXPECT_EQ(Send(std::move(request)).status, 201);
  EXPECT_TRUE(puller.unknown);
  ASSERT_TRUE(puller.outcome.has_value());
  EXPECT_TRUE(puller.outcome->ok()) << *puller.outcome;
  ASSERT_EQ(cluster_.seen.size(), 1U);
  EXPECT_EQ(cluster_.seen[0].node, "n1");
  EXPECT_EQ(cluster_.seen[0].line,
            "POST /v1.41/images/create?fromImage=host%3A5000%2Fteam%2Fapp%3Alatest&"
            "platform=linux%2Farm64");
  ASSERT_NE(FindHeader(cluster_.seen[0].headers, "X-Registry-Auth"), nullptr);
  EXPECT_EQ(*FindHeader(cluster_.seen[0].headers, "X-Registry-Auth"), "c2VjcmV0");
  EXPECT_EQ(cluster_.refreshed_images, std::vector<std::string>{"n1"});

  // Without them an unknown image is the client's to pull, and nothing is sent in their place.
  Send("POST", "/v1.41/containers/create", "{\"Image\":\"nginx\"}");
  EXPECT_FALSE(puller.unknown);
  EXPECT_EQ(FindHeader(cluster_.seen[1].headers, "X-Registry-Auth"), nullptr);
}

TEST_F(CreateTest, APullSaysWhatWentWrong) {
  Puller puller(cluster_);
  cluster_.script = [](const Seen&) {
    Reply reply;
    reply.body = "{\"status\":\"Pulling\"}{\"errorDetail\":{},\"error\":\"toomanyrequests\"}";
    return reply;
  };
  Send("POST", "/v1.41/containers/create", "{\"Image\":\"nginx\"}");
  ASSERT_TRUE(puller.outcome.has_value());
  EXPECT_EQ(MessageOf(*puller.outcome), "toomanyrequests");
  cluster_.script = [](const Seen&) {
    Reply reply;
    reply.status = 404;
    reply.body = "{\"message\":\"pull access denied\"}";
    return reply;
  };
  Send("POST", "/v1.41/containers/create", "{\"Image\":\"nginx\"}");
  EXPECT_EQ(MessageOf(*puller.outcome), "pull access denied");
}

TEST_F(CreateTest, APullEndsWithItsClientItsNodeOrItsPatience) {
  for (const std::string why : {"client", "node", "patience"}) {
    Puller puller(cluster_);
    cluster_.script = [](const Seen&) -> absl::StatusOr<Reply> { return FakeEngine::Silence(); };
    std::stop_source client;
    Request request = MakeRequest("POST", "/v1.41/containers/create", "{\"Image\":\"nginx\"}");
    request.stop = client.get_token();
    Send(std::move(request));
    EXPECT_FALSE(puller.outcome.has_value());
    if (why == "client") client.request_stop();
    if (why == "node") {
      cluster_.ChangeNode("n1", [](Node& node) { node.state = NodeState::kUnhealthy; });
    }
    Pass(why == "patience" ? std::chrono::seconds(121) : std::chrono::seconds(2));
    ASSERT_TRUE(puller.outcome.has_value()) << why;
    EXPECT_EQ(absl::IsCancelled(*puller.outcome), why == "client") << *puller.outcome;
    EXPECT_TRUE(cluster_.seen.back().options.stop.stop_requested()) << why;
    if (why == "node") {
      cluster_.ChangeNode("n1", [](Node& node) { node.state = NodeState::kHealthy; });
    }
  }
}

TEST_F(CreateTest, BadBodies) {
  struct Case {
    const char* body;
    const char* type;
    int status;
  };
  const Case cases[] = {
      {"{", "application/json", 400},
      {"[]", "application/json", 400},
      {"{\"Image\":7}", "application/json", 400},
      {"{\"Image\":\"x\",\"Env\":\"A\"}", "application/json", 400},
      {"{\"Image\":\"x\",\"Env\":[\"constraint:zone\"]}", "application/json", 400},
      {"{\"Image\":\"x\"}", "text/plain", 400},
      {"{\"Image\":\"x\"}", "application/json; charset=utf-8", 201},
  };
  for (const Case& wanted : cases) {
    Request request = MakeRequest("POST", "/v1.41/containers/create", wanted.body);
    SetHeader(request.headers, "Content-Type", wanted.type);
    Reply reply = Send(std::move(request));
    EXPECT_EQ(reply.status, wanted.status) << wanted.body << reply.body;
  }
  EXPECT_EQ(cluster_.created.size(), 1U);
  EXPECT_EQ(Send("POST", "/v1.41/containers/create?name=-bad", "{\"Image\":\"x\"}").status, 400);
  const std::string huge = "{\"Image\":\"" + std::string(5U << 20U, 'x') + "\"}";
  EXPECT_EQ(Send("POST", "/v1.41/containers/create", huge).status, 413);
  Request long_one = MakeRequest("POST", "/v1.41/containers/create");
  long_one.headers.emplace_back("Content-Type", "application/json");
  long_one.body_length = 5U << 20U;
  EXPECT_EQ(Send(std::move(long_one)).status, 413);
  EXPECT_EQ(cluster_.created.size(), 1U);
}

TEST_F(CreateTest, OnlyAMissingImageIs404) {
  struct Case {
    absl::Status error;  // of the manager
    int engine;          // or the engine's own answer
    const char* engine_body;
    int status, old_status;
  };
  const Case cases[] = {
      {FailedPrecondition("Unable to find a node that satisfies the following conditions"), 0, "",
       409, 500},
      {NotFound("no container is called ghost"), 0, "", 409, 409},
      {AlreadyExists("Conflict. The container name \"/x\" is already in use"), 0, "", 409, 409},
      {InvalidArgument("bad expression"), 0, "", 400, 400},
      {Unavailable("node n1 is gone"), 0, "", 503, 503},
      {absl::OkStatus(), 404, "{\"message\":\"No such image: nosuch:latest\"}", 404, 404},
      {absl::OkStatus(), 404,
       "{\"message\":\"image with reference busybox was found but does not match the specified "
       "platform\"}",
       404, 404},
      {absl::OkStatus(), 404, "{\"message\":\"network foo not found\"}", 409, 409},
      {absl::OkStatus(), 404, "{\"message\":\"No such container: ghost\"}", 409, 409},
      {absl::OkStatus(), 500, "{\"message\":\"disk full\"}", 500, 500},
  };
  for (const Case& wanted : cases) {
    cluster_.create = [&](const CreateRequest&) -> absl::StatusOr<CreateResult> {
      if (!wanted.error.ok()) return wanted.error;
      CreateResult result;
      result.reply.status = wanted.engine;
      result.reply.body = wanted.engine_body;
      return result;
    };
    const std::string text =
        wanted.error.ok() ? wanted.engine_body : std::string(MessageOf(wanted.error));
    Reply reply = Send("POST", "/v1.41/containers/create", "{\"Image\":\"nosuch\"}");
    EXPECT_EQ(reply.status, wanted.status) << text;
    EXPECT_TRUE(reply.body.starts_with("{\"message\":\"")) << reply.body;
    Reply old = Send("POST", "/v1.16/containers/create", "{\"Image\":\"nosuch\"}");
    EXPECT_EQ(old.status, wanted.old_status) << text;
    EXPECT_FALSE(old.body.starts_with("{")) << old.body;
  }
}

// Clients of any kind may tell it from the other conflicts.
TEST_F(CreateTest, OnlyATakenNameIsMarked) {
  struct Case {
    absl::Status error;
    const char* engine_body;  // of a 409, when there is no error
    bool marked;
  };
  const Case cases[] = {
      {AlreadyExists("Conflict. The container name \"/x\" is already in use"), "", true},
      {FailedPrecondition("Unable to find a node"), "", false},
      {absl::OkStatus(),
       "{\"message\":\"Conflict. The container name \\\"/x\\\" is already in use\"}", true},
      {absl::OkStatus(), "{\"message\":\"container is marked for removal\"}", false},
  };
  for (const Case& each : cases) {
    cluster_.create = [&each](const CreateRequest&) -> absl::StatusOr<CreateResult> {
      if (!each.error.ok()) return each.error;
      CreateResult result;
      result.reply.status = 409;
      result.reply.body = each.engine_body;
      return result;
    };
    const Reply reply =
        Send("POST", "/v1.41/containers/create?name=web", "{\"Image\":\"busybox\"}");
    EXPECT_EQ(reply.status, 409);
    const std::string* const mark = FindHeader(reply.headers, "X-Swarmd-Error");
    EXPECT_EQ(mark != nullptr && *mark == "ALREADY_EXISTS", each.marked) << reply.body;
  }
}

TEST_F(CreateTest, OutcomesAreCounted) {
  Send("POST", "/v1.41/containers/create", "{\"Image\":\"x\"}");
  cluster_.create = [](const CreateRequest&) { return FailedPrecondition("no node fits"); };
  Send("POST", "/v1.41/containers/create", "{\"Image\":\"x\"}");
  const std::string text = Send("GET", "/swarmd/v1/metrics").body;
  EXPECT_NE(text.find("swarmd_placements_total{outcome=\"placed\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("swarmd_placements_total{outcome=\"refused\"} 1\n"), std::string::npos);
}

using OperateTest = CreateTest;
using Verb = ContainerOperation::Verb;

TEST_F(OperateTest, VerbsReachTheCluster) {
  struct Case {
    const char* method;
    const char* target;
    Verb verb;
    const char* query;
  };
  const Case cases[] = {
      {"POST", "/v1.41/containers/web/start?detachKeys=x", Verb::kStart, "detachKeys=x"},
      {"POST", "/v1.41/containers/n1/web/stop?t=3", Verb::kStop, "t=3"},
      {"POST", "/v1.41/containers/n1%2Fweb/restart", Verb::kRestart, ""},
      {"POST", "/v1.41/containers/aaaaaaaaaaaa/kill?signal=SIGHUP", Verb::kKill, "signal=SIGHUP"},
      {"POST", "/containers/web/pause", Verb::kPause, ""},
      {"POST", "/containers/%2Fweb/unpause", Verb::kUnpause, ""},
      {"DELETE", "/v1.41/containers/web?v=1&force=1", Verb::kRemove, "v=1&force=1"},
      {"DELETE", "/v1.41/containers/%2Fweb", Verb::kRemove, ""},
  };
  for (const Case& wanted : cases) {
    cluster_.operated.clear();
    Reply reply = Send(wanted.method, wanted.target);
    EXPECT_EQ(reply.status, 204) << wanted.target << reply.body;
    ASSERT_EQ(cluster_.operated.size(), 1U) << wanted.target;
    EXPECT_EQ(cluster_.operated[0].verb, wanted.verb);
    EXPECT_EQ(cluster_.operated[0].query, wanted.query);
    EXPECT_EQ(cluster_.operated[0].entry->container.names[0], "web");
    EXPECT_EQ(cluster_.operated[0].body, "");
    EXPECT_EQ(cluster_.operated[0].api_version, "1.41");
  }
  EXPECT_TRUE(cluster_.seen.empty()) << "names and states go through the cluster";
}

TEST_F(OperateTest, UnknownAndAmbiguousReferences) {
  cluster_.find_errors["ab"] =
      HttpError(400, "multiple IDs found with provided prefix: ab (n1/web, n2/db)");
  cluster_.find_errors["twin"] = AlreadyExists("n1/twin and n2/twin hold the name: use node/name");
  for (const char* verb : {"/start", "/stop", "/json", "/attach", "/exec", "/wait", "/logs"}) {
    const std::string_view text = verb;
    const std::string method = text == "/json" || text == "/logs" ? "GET" : "POST";
    Reply none = Send(method, "/v1.41/containers/nosuch" + std::string(verb));
    EXPECT_EQ(none.status, 404) << verb;
    EXPECT_EQ(none.body, "{\"message\":\"No such container: nosuch\"}\n") << verb;
    Reply many = Send(method, "/v1.41/containers/ab" + std::string(verb));
    EXPECT_EQ(many.status, 400) << verb;
    EXPECT_NE(many.body.find("n1/web, n2/db"), std::string::npos);
    EXPECT_EQ(Send(method, "/v1.41/containers/twin" + std::string(verb)).status, 409) << verb;
  }
  EXPECT_TRUE(cluster_.operated.empty());
  EXPECT_TRUE(cluster_.seen.empty());
}

TEST_F(OperateTest, BodiesOnStart) {
  const std::string body = "{\"PublishAllPorts\":true}";
  Reply newer = Send("POST", "/v1.24/containers/web/start", body);
  EXPECT_EQ(newer.status, 400);
  EXPECT_TRUE(cluster_.operated.empty());
  EXPECT_EQ(Send("POST", "/v1.41/containers/web/start", "{}").status, 204);
  EXPECT_EQ(cluster_.operated.back().body, "");
  // n1 still reads it at 1.20; n2 is spoken to at 1.24 and would refuse the start.
  EXPECT_EQ(Send("POST", "/v1.20/containers/web/start", body).status, 204);
  EXPECT_EQ(cluster_.operated.back().body, body);
  const std::size_t operated = cluster_.operated.size();
  for (const char* lost :
       {R"({"PublishAllPorts":true})", R"({"Binds":["/a:/b"]})", R"({"Links":["a:b"]})",
        R"({"PortBindings":{"80/tcp":[{"HostPort":"80"}]}})", R"({"NetworkMode":"host"})",
        R"({"RestartPolicy":{"Name":"always"}})", R"({"binds":[],"Binds":["/a:/b"]})"}) {
    Reply refused = Send("POST", "/v1.20/containers/db/start", lost);
    EXPECT_EQ(refused.status, 400) << lost;
    EXPECT_NE(refused.body.find("node n2"), std::string::npos) << refused.body;
  }
  EXPECT_EQ(cluster_.operated.size(), operated);
  const char* const nothing =
      R"({"Binds":null,"Links":[],"PortBindings":{},"NetworkMode":"bridge","Privileged":false,)"
      R"("RestartPolicy":{"Name":"","MaximumRetryCount":0}})";
  EXPECT_EQ(Send("POST", "/v1.20/containers/db/start", nothing).status, 204);
  EXPECT_EQ(cluster_.operated.back().body, "");
}

TEST_F(OperateTest, SharesOfAnUpdateAreCoresToo) {
  cluster_.ChangeNode("n2", [](Node& node) { node.total.nano_cpus = 4'000'000'000; });
  ApiOptions options;
  options.clock = &clock_;
  options.rules.cpu_shares_as_cores = true;
  api_ = std::make_unique<Api>(cluster_, std::move(options));
  EXPECT_EQ(Send("POST", "/v1.41/containers/db/update", R"({"CpuShares":2,"Memory":5})").status,
            204);
  EXPECT_EQ(cluster_.operated.back().body, R"({"CpuShares":512,"Memory":5})");
  EXPECT_EQ(cluster_.operated.back().update->nano_cpus, 2'000'000'000);
}

TEST_F(OperateTest, Rename) {
  struct Case {
    const char* name;
    int status;
    const char* sent;
  };
  for (const Case& wanted : {Case{"new", 204, "new"}, Case{"%2Fnew", 204, "new"},
                             Case{"n1%2Fnew", 204, "new"}, Case{"n2%2Fnew", 400, ""},
                             Case{"", 400, ""}, Case{"a%20b", 400, ""}, Case{"..", 400, ""}}) {
    cluster_.operated.clear();
    Reply reply = Send("POST", std::string("/v1.41/containers/web/rename?name=") + wanted.name);
    EXPECT_EQ(reply.status, wanted.status) << wanted.name << reply.body;
    ASSERT_EQ(cluster_.operated.size(), wanted.status == 204 ? 1U : 0U);
    if (wanted.status != 204) continue;
    EXPECT_EQ(cluster_.operated[0].new_name, wanted.sent);
    EXPECT_EQ(cluster_.operated[0].query, std::string("name=") + wanted.sent);
  }
  EXPECT_EQ(Send("POST", "/v1.41/containers/web/rename").status, 400);
}

TEST_F(OperateTest, Update) {
  EXPECT_EQ(Send("POST", "/v1.41/containers/web/update", "{\"Memory\":4194304,\"X\":1}").status,
            204);
  ASSERT_EQ(cluster_.operated.size(), 1U);
  EXPECT_EQ(cluster_.operated[0].update->memory, 4194304);
  EXPECT_EQ(cluster_.operated[0].body, "{\"Memory\":4194304,\"X\":1}");
  EXPECT_EQ(Send("POST", "/v1.41/containers/web/update", "{\"Memory\":\"much\"}").status, 400);
  EXPECT_EQ(Send("POST", "/v1.41/containers/web/update", "{").status, 400);
  EXPECT_EQ(cluster_.operated.size(), 1U);
}

TEST_F(OperateTest, EngineAnswersPass) {
  cluster_.operate = [](const ContainerOperation&) {
    Reply reply;
    reply.status = 304;
    return reply;
  };
  EXPECT_EQ(Send("POST", "/v1.41/containers/web/start").status, 304);
  cluster_.operate = [](const ContainerOperation&) -> absl::StatusOr<Reply> {
    return Unavailable("node n1 (10.0.0.1:2375) is not healthy");
  };
  Reply down = Send("POST", "/v1.41/containers/web/start");
  EXPECT_EQ(down.status, 503);
  EXPECT_NE(down.body.find("node n1"), std::string::npos);
}

}  // namespace
}  // namespace swarm::testing
