// Builds: which node takes them, and what the client sees of them.
#include <algorithm>

#include "sim/tar.h"
#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class BuildTest : public ApiTest {
 protected:
  void SetUp() override {
    cluster_.keep_uploads = &uploads_;
    for (const char* name : {"n1", "n2", "n3"}) cluster_.AddNode(name, "1.45", "1.24");
    cluster_.script = [this](const Seen& seen) -> absl::StatusOr<Reply> {
      if (const auto broken = broken_.find(seen.node); broken != broken_.end())
        return broken->second;
      auto body = std::make_shared<Output>(loop_, 64U << 20U);
      bodies_[seen.node] = body;
      answers_.push_back(body);
      Reply reply;
      if (seen.way == "upgrade") {
        reply.status = 101;
        reply.headers.emplace_back("Upgrade", "h2c");
        reply.tunnel = body->Reader();
      } else {
        reply.headers.emplace_back("Content-Type", "application/json");
        reply.body_stream = body->Reader();
      }
      return reply;
    };
  }
  // What still waits for an engine would hold itself.
  void TearDown() override {
    for (const std::shared_ptr<Output>& answer : answers_) answer->End();
    Settle();
    uploads_.clear();
    Settle();
  }

  // The request, under way.
  std::shared_ptr<std::optional<Reply>> Begin(Request request) {
    auto into = std::make_shared<std::optional<Reply>>();
    loop_.Spawn(Run(*api_, std::move(request), into));
    Settle();
    return into;
  }

  static Request Tar(const std::string& query, const std::string& dockerfile) {
    Request request = MakeRequest("POST", "/v1.45/build" + query);
    request.body = WriteTar({{"Dockerfile", dockerfile}});
    request.headers.emplace_back("Content-Type", "application/x-tar");
    return request;
  }

  static Request Tunnel(const std::string& path, const std::string& session = {},
                        const std::string& address = "10.0.0.9:5000") {
    Request request = MakeRequest("POST", path);
    request.wants_upgrade = true;
    request.headers.emplace_back("Upgrade", "h2c");
    request.headers.emplace_back("User-Agent", "Docker-Client/28.5.1 (linux)");
    if (!session.empty()) request.headers.emplace_back("X-Docker-Expose-Session-Uuid", session);
    request.peer.address = address;
    return request;
  }

  std::vector<std::string> NodesAsked() const {
    std::vector<std::string> nodes;
    for (const Seen& seen : cluster_.seen) nodes.push_back(seen.node);
    return nodes;
  }
  using Nodes = std::vector<std::string>;

  FakeEngine::Uploads uploads_;
  std::map<std::string, std::shared_ptr<Output>> bodies_;  // the latest of each node
  std::vector<std::shared_ptr<Output>> answers_;           // all of them
  std::map<std::string, absl::Status> broken_;
};

TEST_F(BuildTest, OneNodeBuildsAndItsImagesAreReadBeforeTheEnd) {
  Request request = Tar("?t=app&buildargs=%7B%22A%22%3A%22b%22%7D", "FROM busybox");
  request.headers.emplace_back("X-Registry-Config", "secret");
  auto reply = Begin(std::move(request));
  ASSERT_TRUE(reply->has_value());
  ASSERT_EQ(cluster_.seen.size(), 1U);
  const Seen& seen = cluster_.seen.front();
  EXPECT_EQ(seen.line, "POST /v1.45/build?t=app&buildargs=%7B%22A%22%3A%22b%22%7D");
  EXPECT_EQ(*FindHeader(seen.headers, "X-Registry-Config"), "secret");
  EXPECT_EQ(*FindHeader(seen.headers, "Content-Type"), "application/x-tar");
  const auto followed = Follow(*(*reply)->body_stream);
  bodies_["n1"]->Write("{\"stream\":\"Step 1\\n\"}\r\n{\"aux\":{\"ID\":");
  Settle();
  EXPECT_EQ(followed->text, "{\"stream\":\"Step 1\\n\"}\r\n");
  EXPECT_TRUE(cluster_.refreshed_images.empty());
  bodies_["n1"]->Write("\"sha256:x\"}}\r\n");
  bodies_["n1"]->End();
  Settle();
  EXPECT_TRUE(followed->ended);
  EXPECT_EQ(followed->text, "{\"stream\":\"Step 1\\n\"}\r\n{\"aux\":{\"ID\":\"sha256:x\"}}\r\n");
  EXPECT_EQ(cluster_.refreshed_images, Nodes{"n1"});
}

TEST_F(BuildTest, AnUploadIsPassedOnAsItComes) {
  auto upload = std::make_shared<Output>(loop_, 8U << 20U);
  Request request = MakeRequest("POST", "/v1.45/build");
  request.headers.emplace_back("Content-Type", "application/x-tar");
  request.body_stream = upload->Reader();
  const std::string archive =
      WriteTar({{"Dockerfile", "FROM busybox"}, {"large", std::string(3'000'000, 'x')}});
  auto reply = Begin(std::move(request));
  upload->Write(archive.substr(0, 500));
  Settle();
  EXPECT_TRUE(cluster_.seen.empty());  // the Dockerfile is not there yet
  upload->Write(archive.substr(500, 100'000));
  Settle();
  ASSERT_EQ(cluster_.seen.size(), 1U);
  EXPECT_TRUE(cluster_.seen[0].has_body_stream);
  const auto given = Follow(*uploads_["n1"]);
  upload->Write(archive.substr(100'500));
  upload->End();
  Settle();
  EXPECT_TRUE(given->ended);
  EXPECT_EQ(cluster_.seen[0].body + given->text, archive);
}

TEST_F(BuildTest, NoMoreThanTheBoundIsHeldOfAnUpload) {
  auto upload = std::make_shared<Output>(loop_, 8U << 20U);
  Request request = MakeRequest("POST", "/v1.45/build");
  request.body_stream = upload->Reader();
  std::string archive =
      WriteTar({{"a", std::string(900'000, 'x')}, {"b", std::string(900'000, 'y')}, {"z", "end"}});
  auto reply = Begin(std::move(request));
  upload->Write(archive);
  Settle();
  ASSERT_EQ(cluster_.seen.size(), 1U);  // though the upload has not ended
  EXPECT_LE(cluster_.seen[0].body.size(), (1U << 20U) + (64U << 10U));
}

TEST_F(BuildTest, ConstraintsLeaveTheArguments) {
  Send(
      Tar("?buildargs=%7B%22constraint%3Azone%22%3A%22%3Dx%22%2C%22A%22%3A%22b%3Dc%22%2C%22N%22%"
          "3Anull%2C%22affinity%3Aimage%22%3A%22%3Dbusybox%22%7D&memory=1000&cpuquota=50000",
          "FROM busybox"));
  ASSERT_EQ(cluster_.planned.size(), 1U);
  const ContainerSpec& spec = cluster_.planned.front();
  ASSERT_EQ(spec.constraints.size(), 1U);
  EXPECT_EQ(spec.constraints[0].text, "zone==x");
  ASSERT_EQ(spec.affinities.size(), 1U);
  EXPECT_EQ(spec.request.memory, 1000);
  EXPECT_EQ(spec.request.nano_cpus, 500'000'000);
  EXPECT_EQ(cluster_.seen.at(0).line,
            "POST /v1.45/build?buildargs=%7B%22A%22%3A%22b%3Dc%22%2C%22N%22%3Anull%7D&memory=1000&"
            "cpuquota=50000");
  for (const char* bad :
       {"%5B%5D", "%7B%22A%22%3A1%7D", "%7B", "%7B%22constraint%3Aa%22%3A%22%22%7D"}) {
    EXPECT_EQ(Send(Tar(std::string("?buildargs=") + bad, "FROM busybox")).status, 400) << bad;
  }
  EXPECT_EQ(cluster_.seen.size(), 1U);
}

TEST_F(BuildTest, GoesToWhereItsBaseImageIs) {
  AddImage("n2", std::string(64, '1'), {"base:v1"});
  AddImage("n3", std::string(64, '2'), {"app:latest"});
  Send(Tar("?t=app", "FROM base:v1"));
  Send(Tar("?t=app", "FROM other"));
  Send(Tar("?t=new", "FROM other"));
  EXPECT_EQ(NodesAsked(), (Nodes{"n2", "n3", "n1"}));
}

TEST_F(BuildTest, EqualNodesTakeTurns) {
  const auto one = Begin(Tar("", "FROM x"));
  const auto other = Begin(Tar("", "FROM x"));
  EXPECT_EQ(NodesAsked(), (Nodes{"n1", "n2"}));
}

TEST_F(BuildTest, NoNodeFits) {
  cluster_.nodes.clear();
  Reply reply = Send(Tar("", "FROM x"));
  EXPECT_EQ(reply.status, 409);
  EXPECT_NE(reply.body.find("no node can take the build"), std::string::npos) << reply.body;
}

TEST_F(BuildTest, AnEnginesRefusalIsItsOwn) {
  cluster_.script = [](const Seen&) {
    Reply reply;
    reply.status = 500;
    reply.body = "{\"message\":\"Cannot locate specified Dockerfile: Dockerfile\"}";
    return reply;
  };
  Reply reply = Send(Tar("", "FROM x"));
  EXPECT_EQ(reply.status, 500);
  EXPECT_NE(BodyOf(reply).find("Cannot locate"), std::string::npos);
}

TEST_F(BuildTest, ANodeThatFallsIllIsNamed) {
  auto reply = Begin(Tar("", "FROM x"));
  const auto followed = Follow(*(*reply)->body_stream);
  bodies_["n1"]->Write("{\"stream\":\"one\"}\r\n{\"stream\":\"tw");
  Settle();
  cluster_.ChangeNode("n1", [](Node& node) {
    node.state = NodeState::kUnhealthy;
    node.error = "no answer";
  });
  Pass(seconds(3));
  EXPECT_TRUE(followed->ended);
  EXPECT_EQ(followed->text,
            "{\"stream\":\"one\"}\r\n"
            "{\"errorDetail\":{\"code\":1,\"message\":\"node n1, build: the node is Unhealthy (no "
            "answer)\"},\"error\":\"node n1, build: the node is Unhealthy (no answer)\"}\r\n");
  EXPECT_TRUE(bodies_["n1"]->gone());
}

TEST_F(BuildTest, BeforeTheFirstWordToo) {
  broken_["n1"] = FakeEngine::Silence();
  auto reply = Begin(Tar("", "FROM x"));
  cluster_.ChangeNode("n1", [](Node& node) { node.state = NodeState::kUnhealthy; });
  Pass(seconds(3));
  ASSERT_TRUE(reply->has_value());
  EXPECT_EQ((*reply)->status, 503);
  EXPECT_NE((*reply)->body.find("node n1, build"), std::string::npos) << (*reply)->body;
}

TEST_F(BuildTest, AClientThatLeavesEndsTheBuild) {
  auto reply = Begin(Tar("", "FROM x"));
  const auto followed = Follow(*(*reply)->body_stream);
  (*reply)->body_stream.reset();
  Settle();
  EXPECT_TRUE(bodies_["n1"]->gone());
  EXPECT_TRUE(cluster_.seen[0].options.stop.stop_requested());
}

TEST_F(BuildTest, ASlowClientHoldsTheEngineBack) {
  auto reply = Begin(Tar("", "FROM x"));
  const std::string line = "{\"stream\":\"" + std::string(1000, 'x') + "\"}\r\n";
  for (int at = 0; at < 2'000; ++at) bodies_["n1"]->Write(line);
  Settle();
  EXPECT_GT(bodies_["n1"]->held(), 1'000'000U);  // not read yet
  bodies_["n1"]->End();
  const auto followed = Follow(*(*reply)->body_stream);
  EXPECT_TRUE(followed->ended);
  EXPECT_EQ(followed->text.size(), 2'000 * line.size());
}

// The older client of BuildKit: /build first, /session behind it.
TEST_F(BuildTest, ASessionFollowsItsBuild) {
  const auto busy = Begin(Tar("", "FROM x"));  // so that n2 is next
  const auto build = Begin(
      MakeRequest("POST", "/v1.40/build?version=2&session=S&buildid=B&remote=client-session"));
  const auto session = Begin(Tunnel("/session", "S"));
  ASSERT_TRUE(session->has_value());
  EXPECT_EQ((*session)->status, 101);
  EXPECT_NE((*session)->tunnel, nullptr);
  EXPECT_EQ(cluster_.seen.back().line, "POST /v1.45/session");
  EXPECT_EQ(*FindHeader(cluster_.seen.back().headers, "Upgrade"), "h2c");
  Send("POST", "/v1.40/build/cancel?id=B");
  EXPECT_EQ(cluster_.seen.back().line, "POST /v1.40/build/cancel?id=B");
  EXPECT_EQ(NodesAsked(), (Nodes{"n1", "n2", "n2", "n2"}));
}

TEST_F(BuildTest, ASessionWaitsForItsBuild) {
  const auto session = Begin(Tunnel("/session", "S"));
  Step(seconds(4));
  EXPECT_TRUE(cluster_.seen.empty());
  const auto build = Begin(MakeRequest(
      "POST",
      "/v1.40/"
      "build?version=2&session=S&buildid=B&buildargs=%7B%22constraint%3Azone%22%3A%22%3Db%22%7D"));
  ASSERT_TRUE(session->has_value());
  EXPECT_EQ(NodesAsked(), (Nodes{"n1", "n1"}));
}

TEST_F(BuildTest, ASessionAloneWaitsFiveSeconds) {
  const auto session = Begin(Tunnel("/session", "S"));
  EXPECT_FALSE(session->has_value());
  const TimePoint began = clock_.Now();
  Pass(seconds(5));
  EXPECT_EQ(clock_.Now() - began, seconds(5));
  ASSERT_TRUE(session->has_value());
  EXPECT_EQ((*session)->status, 101);
  // What comes later follows, also when another node would be chosen.
  const auto build = Begin(MakeRequest("POST", "/v1.40/build?version=2&session=S&buildid=B"));
  EXPECT_EQ(NodesAsked(), (Nodes{"n1", "n1"}));
}

TEST_F(BuildTest, AnUploadFollowsTheBuildThatAsksForIt) {
  Request request = MakeRequest("POST", "/v1.40/build?buildid=upload-request:B");
  request.body = "tar";
  const auto upload = Begin(std::move(request));
  EXPECT_TRUE(cluster_.seen.empty());
  const auto busy = Begin(Tar("", "FROM x"));
  const auto build = Begin(
      MakeRequest("POST", "/v1.40/build?version=2&session=S&buildid=B&remote=upload-request"));
  EXPECT_EQ(NodesAsked(), (Nodes{"n1", "n2", "n2"}));
}

// buildx: /grpc, and a /session that nothing but the client connects with it.
TEST_F(BuildTest, AClientKeepsItsBuilder) {
  const auto busy = Begin(Tar("", "FROM x"));
  auto grpc = Begin(Tunnel("/grpc"));
  const auto session = Begin(Tunnel("/session", "S"));
  ASSERT_TRUE(session->has_value());
  const auto stranger = Begin(Tunnel("/grpc", "", "10.0.0.8:5000"));
  EXPECT_EQ(NodesAsked(), (Nodes{"n1", "n2", "n2", "n3"}));
  loop_.Post([grpc] { grpc->reset(); });
  Settle();
  EXPECT_EQ(cluster_.refreshed_images, Nodes{"n2"});
  Step(minutes(9));
  const auto again = Begin(Tunnel("/grpc", "", "10.0.0.9:6000"));
  EXPECT_EQ(NodesAsked().back(), "n2");
  // Unless it is ill.
  cluster_.ChangeNode("n2", [](Node& node) { node.state = NodeState::kUnhealthy; });
  const auto moved = Begin(Tunnel("/grpc", "", "10.0.0.9:6001"));
  EXPECT_EQ(NodesAsked().back(), "n1");
}

TEST_F(BuildTest, ASessionThatComesFirstWaitsForTheBuilderToo) {
  const auto session = Begin(Tunnel("/session", "S"));
  EXPECT_FALSE(session->has_value());
  const auto grpc = Begin(Tunnel("/grpc"));
  EXPECT_TRUE(session->has_value());
  EXPECT_EQ(NodesAsked(), (Nodes{"n1", "n1"}));
}

TEST_F(BuildTest, TheHeaderChooses) {
  for (const char* path : {"/grpc", "/session"}) {
    Request request = Tunnel(path, "S");
    request.headers.emplace_back("X-Swarmd-Node", "n3");
    const auto reply = Begin(std::move(request));
    ASSERT_TRUE(reply->has_value());
    ASSERT_FALSE(cluster_.planned.empty());
    EXPECT_EQ(cluster_.planned.back().constraints.at(0).text, "node==n3");
    EXPECT_EQ(FindHeader(cluster_.seen.back().headers, "X-Swarmd-Node"), nullptr);
  }
}

TEST_F(BuildTest, RepeatedHeadersOfASessionSurvive) {
  Request request = Tunnel("/session", "S");
  request.headers.emplace_back("X-Swarmd-Node", "n1");
  for (int at = 0; at < 500; ++at)
    request.headers.emplace_back("X-Docker-Expose-Session-Grpc-Method", "/m/" + std::to_string(at));
  const auto reply = Begin(std::move(request));
  std::vector<std::string> methods;
  for (const auto& field : cluster_.seen.at(0).headers) {
    if (field.first == "X-Docker-Expose-Session-Grpc-Method") methods.push_back(field.second);
  }
  ASSERT_EQ(methods.size(), 500U);
  EXPECT_EQ(methods[499], "/m/499");
}

TEST_F(BuildTest, ATunnelEndsWithItsNode) {
  auto grpc = Begin(Tunnel("/grpc"));
  const auto followed = Follow(*(*grpc)->tunnel);
  cluster_.ChangeNode("n1", [](Node& node) { node.state = NodeState::kUnhealthy; });
  Pass(seconds(3));
  EXPECT_TRUE(followed->ended);
  EXPECT_TRUE(bodies_["n1"]->gone());
}

TEST_F(BuildTest, BadRequests) {
  EXPECT_EQ(Send(Tunnel("/session")).status, 400);
  EXPECT_EQ(Send(Tunnel("/session", std::string(1000, 'x'))).status, 400);
  EXPECT_EQ(Send("POST", "/build/cancel").status, 400);
  EXPECT_TRUE(cluster_.seen.empty());
  // Of a build that nobody knows every engine is told.
  EXPECT_EQ(Send("POST", "/build/cancel?id=unknown").status, 200);
  EXPECT_EQ(NodesAsked(), (Nodes{"n1", "n2", "n3"}));
}

// An image that no node is known to hold may have been built this moment, past /build.
TEST_F(BuildTest, ACreateLooksAgainWhereThereAreBuilders) {
  Send("POST", "/containers/create", "{\"Image\":\"app\"}");
  EXPECT_TRUE(cluster_.refreshed_images.empty());
  const auto grpc = Begin(Tunnel("/grpc"));
  Send("POST", "/containers/create", "{\"Image\":\"app\"}");
  EXPECT_EQ(cluster_.refreshed_images, Nodes{"n1"});
  AddImage("n2", std::string(64, '2'), {"app:latest"});
  Send("POST", "/containers/create", "{\"Image\":\"app\"}");
  EXPECT_EQ(cluster_.refreshed_images, Nodes{"n1"});
}

}  // namespace
}  // namespace swarm::testing
