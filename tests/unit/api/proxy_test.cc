#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

class ProxyTest : public ApiTest {
 protected:
  void SetUp() override { AddUsual(); }

  // A stream whose bytes the test writes later.
  std::shared_ptr<Output> MakeBody() { return std::make_shared<Output>(loop_, 1U << 20U); }
};

TEST_F(ProxyTest, HeaderHygiene) {
  Request request = MakeRequest("GET", "/v1.41/containers/web/top");
  request.headers = {{"Host", "docker"},
                     {"User-Agent", "Docker-Client/28"},
                     {"Connection", "keep-alive"},
                     {"Transfer-Encoding", "chunked"},
                     {"Authorization", "Basic c2VjcmV0"},
                     {"Cookie", "c2VjcmV0"},
                     {"X-Registry-Auth", "c2VjcmV0"},
                     {"X-Swarmd-Node", "n1"},
                     {"Accept-Encoding", "gzip"},
                     {"X-Meta-A", "1"},
                     {"X-Meta-A", "2"}};
  Send(std::move(request));
  ASSERT_EQ(cluster_.seen.size(), 1U);
  const Headers wanted = {{"User-Agent", "Docker-Client/28"}, {"X-Meta-A", "1"}, {"X-Meta-A", "2"}};
  EXPECT_EQ(cluster_.seen[0].headers, wanted);
}

TEST_F(ProxyTest, AClientThatGoesGivesTheCallUp) {
  AddImage("n1", "abc", {"busybox:latest"});
  cluster_.execs[FullId('e')] = cluster_.nodes[0]->address;
  struct Case {
    const char* method;
    std::string target;
  };
  const Case cases[] = {{"GET", "/v1.41/containers/web/archive?path=/f"},
                        {"HEAD", "/v1.41/containers/web/archive?path=/f"},
                        {"PUT", "/v1.41/containers/web/archive?path=/f"},
                        {"GET", "/v1.41/containers/web/export"},
                        {"GET", "/v1.41/containers/web/json"},
                        {"GET", "/v1.41/containers/web/logs?stdout=1"},
                        {"POST", "/v1.41/containers/web/attach?stream=1"},
                        {"POST", "/v1.41/containers/web/wait"},
                        {"GET", "/v1.41/exec/" + FullId('e') + "/json"},
                        {"GET", "/v1.41/images/busybox/json"}};
  for (const Case& wanted : cases) {
    cluster_.seen.clear();
    Request request = MakeRequest(wanted.method, wanted.target);
    std::stop_source client;
    request.stop = client.get_token();
    Send(std::move(request));
    ASSERT_EQ(cluster_.seen.size(), 1U) << wanted.target;
    EXPECT_FALSE(cluster_.seen[0].options.stop.stop_requested()) << wanted.target;
    client.request_stop();
    EXPECT_TRUE(cluster_.seen[0].options.stop.stop_requested()) << wanted.target;
  }
}

TEST_F(ProxyTest, ACallThatItsNodesIllnessEndedIs503) {
  for (const char* target : {"/v1.41/containers/web/export", "/v1.41/containers/web/json"}) {
    cluster_.script = [](const Seen&) { return Cancelled("node n1 is not healthy: frozen"); };
    const Reply reply = Send("GET", target);
    EXPECT_EQ(reply.status, 503) << target;
    EXPECT_NE(reply.body.find("node n1 is not healthy: frozen"), std::string::npos) << reply.body;
  }
}

TEST_F(ProxyTest, PathsAreBuiltFromTheKnownId) {
  struct Case {
    const char* target;
    const char* line;  // "" = none
  };
  const std::string id = FullId('a');
  for (const char* target :
       {"/v1.41/containers/web/changes", "/v1.41/containers/n1/web/changes",
        "/v1.41/containers/n1%2fweb/changes", "/v1.41/containers/aaaaaaaaaaaa/changes"}) {
    cluster_.seen.clear();
    EXPECT_EQ(Send("GET", target).status, 200);
    ASSERT_EQ(cluster_.seen.size(), 1U);
    EXPECT_EQ(cluster_.seen[0].line, "GET /v1.41/containers/" + id + "/changes");
  }
  for (const char* target :
       {"/v1.41/containers/../changes", "/v1.41/containers/%2e%2e/changes",
        "/v1.41/containers/web%0d%0aX/changes", "/v1.41/containers/web%00/changes"}) {
    cluster_.seen.clear();
    EXPECT_EQ(Send("GET", target).status, 404) << target;
    EXPECT_TRUE(cluster_.seen.empty()) << target;
  }
  EXPECT_EQ(Send("GET", "/v1.41/containers/%zz/changes").status, 400);
}

TEST_F(ProxyTest, QueriesAreWrittenAnew) {
  Send("GET", "/v1.41/containers/web/logs?follow=1&since=&a+b=%26&flag&x=1&x=2");
  ASSERT_EQ(cluster_.seen.size(), 1U);
  EXPECT_EQ(cluster_.seen[0].line, "GET /v1.41/containers/" + FullId('a') +
                                       "/logs?follow=1&since=&a%20b=%26&flag=&x=1&x=2");
  EXPECT_EQ(cluster_.seen[0].way, "open");
}

TEST_F(ProxyTest, InspectNamesTheNode) {
  cluster_.script = [](const Seen&) {
    Reply reply;
    reply.body =
        "{\"Id\":\"x\",\"Name\":\"/web\",\"NetworkSettings\":{\"Ports\":{\"80/"
        "tcp\":[{\"HostIp\":\"0.0.0.0\","
        "\"HostPort\":\"8080\"}]}}}";
    return reply;
  };
  Reply reply = Send("GET", "/v1.41/containers/web/json");
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.body.find("\"Node\":{"), std::string::npos) << reply.body;
  EXPECT_NE(reply.body.find("\"n1\""), std::string::npos);
  EXPECT_NE(reply.body.find("\"10.0.0.1\""), std::string::npos);
  EXPECT_NE(reply.body.find("\"Name\":\"/web\""), std::string::npos);
  cluster_.script = [](const Seen&) {
    Reply broken;
    broken.body = "<html>";
    return broken;
  };
  Reply bad = Send("GET", "/v1.41/containers/web/json");
  EXPECT_EQ(bad.status, 502);
  EXPECT_NE(bad.body.find("node n1"), std::string::npos) << bad.body;
}

TEST_F(ProxyTest, LogsStreamAsTheyCome) {
  const std::shared_ptr<Output> body = MakeBody();
  cluster_.script = [&](const Seen&) {
    Reply reply;
    reply.body_stream = body->Reader();
    return reply;
  };
  Reply reply = Send("GET", "/v1.41/containers/web/logs?follow=1&stdout=1");
  EXPECT_FALSE(reply.body_length.has_value());
  const auto followed = Follow(*reply.body_stream);
  body->Write("one\n");
  Settle();
  EXPECT_EQ(followed->text, "one\n");
  body->Write("two\n");
  body->End();
  Settle();
  EXPECT_EQ(followed->text, "one\ntwo\n");
  EXPECT_TRUE(followed->ended);
}

TEST_F(ProxyTest, ArchiveUploadsGoThrough) {
  const std::shared_ptr<Output> upload = MakeBody();
  Request request = MakeRequest("PUT", "/v1.41/containers/web/archive?path=/etc");
  request.headers.emplace_back("Content-Type", "text/plain");
  request.body_stream = upload->Reader();
  EXPECT_EQ(Send(std::move(request)).status, 200);
  ASSERT_EQ(cluster_.seen.size(), 1U);
  EXPECT_TRUE(cluster_.seen[0].has_body_stream);
  EXPECT_EQ(cluster_.seen[0].headers, (Headers{{"Content-Type", "text/plain"}}));
  EXPECT_GE(cluster_.seen[0].options.timeout, std::chrono::hours(1));
}

TEST_F(ProxyTest, ArchiveHeadKeepsThePathStat) {
  cluster_.script = [](const Seen&) {
    Reply reply;
    reply.headers = {{"X-Docker-Container-Path-Stat", "eyJuYW1lIjoiZXRjIn0="}};
    return reply;
  };
  Reply reply = Send("HEAD", "/v1.41/containers/web/archive?path=/etc");
  EXPECT_EQ(HeaderOf(reply, "X-Docker-Container-Path-Stat"), "eyJuYW1lIjoiZXRjIn0=");
  EXPECT_EQ(reply.body, "");
  EXPECT_EQ(reply.body_stream, nullptr);
}

TEST_F(ProxyTest, AttachIsATunnel) {
  const std::shared_ptr<Output> down = MakeBody();
  cluster_.script = [&](const Seen&) {
    Reply reply;
    reply.status = 101;
    reply.headers = {{"Content-Type", "application/vnd.docker.raw-stream"}, {"Upgrade", "tcp"}};
    reply.tunnel = down->Reader();
    reply.tunnel_head = "early";
    return reply;
  };
  Request request = MakeRequest("POST", "/v1.41/containers/web/attach?stream=1&stdin=1");
  request.headers = {{"Upgrade", "tcp"}, {"Content-Type", "text/plain"}};
  request.wants_upgrade = true;
  Reply reply = Send(std::move(request));
  EXPECT_EQ(reply.status, 101);
  EXPECT_NE(reply.tunnel, nullptr);
  EXPECT_EQ(reply.tunnel_head, "early");
  EXPECT_EQ(HeaderOf(reply, "Content-Type"), "application/vnd.docker.raw-stream");
  EXPECT_EQ(HeaderOf(reply, "Upgrade"), "tcp");
  ASSERT_EQ(cluster_.seen.size(), 1U);
  EXPECT_EQ(cluster_.seen[0].way, "upgrade");
  EXPECT_TRUE(cluster_.seen[0].wants_upgrade);
  EXPECT_EQ(cluster_.seen[0].headers, (Headers{{"Upgrade", "tcp"}}));
}

// As dockerode sends it: the query once more, as JSON. Left unread it would stand before the input.
TEST_F(ProxyTest, AttachReadsABodyThatNobodyAskedFor) {
  cluster_.script = [&](const Seen&) {
    Reply reply;
    reply.status = 101;
    reply.tunnel = MakeBody()->Reader();
    return reply;
  };
  const std::shared_ptr<Output> up = MakeBody();
  up->Write("\"stdin\":true}");
  up->End();
  Request request = MakeRequest("POST", "/v1.41/containers/web/attach?stream=1&stdin=1");
  request.headers = {{"Upgrade", "tcp"}, {"Content-Type", "application/json"}};
  request.wants_upgrade = true;
  request.body = "{\"stream\":true,";
  request.body_stream = up->Reader();
  request.body_length = 29;
  const Reply reply = Send(std::move(request));
  EXPECT_EQ(reply.status, 101);
  EXPECT_EQ(up->held(), 0U);
  ASSERT_EQ(cluster_.seen.size(), 1U);
  EXPECT_EQ(cluster_.seen[0].body, "");
  EXPECT_EQ(cluster_.seen[0].headers, (Headers{{"Upgrade", "tcp"}}));
}

TEST_F(ProxyTest, AttachWithoutUpgradeIsARawStream) {
  const std::shared_ptr<Output> down = MakeBody();
  cluster_.script = [&](const Seen&) {
    Reply reply;
    reply.tunnel = down->Reader();
    return reply;
  };
  Reply reply = Send("POST", "/v1.41/containers/web/attach?stream=1");
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.tunnel, nullptr);
  EXPECT_FALSE(cluster_.seen[0].wants_upgrade);
  EXPECT_EQ(FindHeader(cluster_.seen[0].headers, "Upgrade"), nullptr);
}

TEST_F(ProxyTest, FailedAttachKeepsTheEnginesAnswer) {
  cluster_.script = [&](const Seen&) {
    Reply reply;
    reply.status = 409;
    reply.headers = {{"Content-Type", "application/vnd.docker.raw-stream"}};
    const std::shared_ptr<Output> body = MakeBody();
    body->Write("cannot attach to a paused container\n");
    body->End();
    reply.body_stream = body->Reader();
    return reply;
  };
  Request request = MakeRequest("POST", "/v1.41/containers/web/attach?stream=1");
  request.wants_upgrade = true;
  Reply reply = Send(std::move(request));
  EXPECT_EQ(reply.status, 409);
  EXPECT_EQ(reply.tunnel, nullptr);
  EXPECT_EQ(BodyOf(reply), "cannot attach to a paused container\n");
}

TEST_F(ProxyTest, WebsocketKeepsItsHandshake) {
  Request request = MakeRequest("GET", "/v1.41/containers/web/attach/ws?stream=1");
  request.headers = {{"Upgrade", "websocket"},
                     {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                     {"Sec-WebSocket-Version", "13"},
                     {"Origin", "http://localhost"}};
  request.wants_upgrade = true;
  Send(std::move(request));
  ASSERT_EQ(cluster_.seen.size(), 1U);
  const Headers& headers = cluster_.seen[0].headers;
  EXPECT_EQ(*FindHeader(headers, "Upgrade"), "websocket");
  EXPECT_EQ(*FindHeader(headers, "Sec-WebSocket-Key"), "dGhlIHNhbXBsZSBub25jZQ==");
  EXPECT_NE(FindHeader(headers, "Origin"), nullptr);
}

TEST_F(ProxyTest, WaitGivesItsHeadAtOnceAndRefreshesBeforeItsEnd) {
  const std::shared_ptr<Output> body = MakeBody();
  cluster_.script = [&](const Seen&) {
    Reply reply;
    reply.headers = {{"Content-Type", "application/json"}};
    reply.body_stream = body->Reader();
    return reply;
  };
  Reply reply = Send("POST", "/v1.41/containers/web/wait?condition=removed");
  EXPECT_EQ(reply.status, 200);
  const auto followed = Follow(*reply.body_stream);
  EXPECT_FALSE(followed->ended);
  EXPECT_TRUE(cluster_.refreshed.empty());
  body->Write("{\"StatusCode\":7}\n");
  body->End();
  Settle();
  EXPECT_EQ(cluster_.refreshed, std::vector<std::string>{"web"});
  EXPECT_EQ(followed->text, "{\"StatusCode\":7}\n");
  EXPECT_TRUE(followed->ended);
}

TEST_F(ProxyTest, ASlowRefreshDoesNotHoldTheWait) {
  cluster_.refresh_hangs = true;
  const std::shared_ptr<Output> body = MakeBody();
  cluster_.script = [&](const Seen&) {
    Reply reply;
    reply.body_stream = body->Reader();
    return reply;
  };
  Reply reply = Send("POST", "/v1.41/containers/web/wait");
  const auto followed = Follow(*reply.body_stream);
  body->Write("{\"StatusCode\":0}\n");
  body->End();
  Settle();
  EXPECT_EQ(followed->text, "");
  while (!followed->ended && loop_.StepTime(clock_)) Settle();
  EXPECT_EQ(followed->text, "{\"StatusCode\":0}\n");
  for (auto& done : cluster_.hanging) done(absl::OkStatus());
  Settle();
}

TEST_F(ProxyTest, WaitEndsWithItsEngine) {
  const std::shared_ptr<Output> body = MakeBody();
  cluster_.script = [&](const Seen&) {
    Reply reply;
    reply.body_stream = body->Reader();
    return reply;
  };
  Reply reply = Send("POST", "/v1.41/containers/web/wait");
  const auto followed = Follow(*reply.body_stream);
  body->Fail(Unavailable("connection reset"));
  Settle();
  EXPECT_TRUE(followed->ended);
  EXPECT_FALSE(followed->status.ok());
  EXPECT_TRUE(cluster_.refreshed.empty());
}

TEST_F(ProxyTest, AClientThatLeavesAWaitFreesTheEngine) {
  const std::shared_ptr<Output> body = MakeBody();
  cluster_.script = [&](const Seen&) {
    Reply reply;
    reply.body_stream = body->Reader();
    return reply;
  };
  Reply reply = Send("POST", "/v1.41/containers/web/wait");
  EXPECT_FALSE(body->gone());
  reply.body_stream->Abort();
  Settle();
  EXPECT_TRUE(body->gone());
}

TEST_F(ProxyTest, OldWaitsGetTheirHeadFromTheManager) {
  Reply reply = Send("POST", "/v1.16/containers/web/wait");
  EXPECT_EQ(reply.status, 200);
  ASSERT_EQ(cluster_.seen.size(), 1U);
  EXPECT_EQ(cluster_.seen[0].line, "POST /v1.16/containers/" + FullId('a') + "/wait");
  EXPECT_GE(cluster_.seen[0].options.timeout, std::chrono::hours(24));
  EXPECT_FALSE(cluster_.seen[0].options.stop.stop_requested());
  reply.body_stream->Abort();
  Settle();
  EXPECT_TRUE(cluster_.seen[0].options.stop.stop_requested());
}

TEST_F(ProxyTest, AnErrorBehindAnEarlyHeadIsTold) {
  cluster_.script = [](const Seen&) -> absl::StatusOr<Reply> {
    Reply reply;
    reply.status = 404;
    reply.body = "No such container: \"web\"\n";
    return reply;
  };
  Reply reply = Send("POST", "/v1.16/containers/web/wait");
  EXPECT_EQ(BodyOf(reply),
            "{\"Error\":{\"Message\":\"No such container: \\\"web\\\"\"},\"StatusCode\":125}\n");
}

TEST_F(ProxyTest, EnginesThatCannotBeReached) {
  cluster_.script = [](const Seen&) -> absl::StatusOr<Reply> {
    return Unavailable("node n1 (10.0.0.1:2375) is not healthy: connection refused");
  };
  Reply reply = Send("GET", "/v1.41/containers/web/json");
  EXPECT_EQ(reply.status, 503);
  EXPECT_NE(reply.body.find("node n1 (10.0.0.1:2375)"), std::string::npos);
  cluster_.engines.clear();
  Reply gone = Send("GET", "/v1.41/containers/web/json");
  EXPECT_EQ(gone.status, 503);
  EXPECT_NE(gone.body.find("has left the cluster"), std::string::npos);
}

TEST_F(ProxyTest, ExecFromCreateToInspect) {
  const std::string id = FullId('5');
  cluster_.script = [&](const Seen& seen) {
    Reply reply;
    if (seen.line.find("/containers/") != std::string::npos) {
      reply.status = 201;
      reply.body = "{\"Id\":\"" + id + "\"}\n";
    }
    return reply;
  };
  Reply created = Send("POST", "/v1.41/containers/db/exec", "{\"Cmd\":[\"ls\"]}");
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(cluster_.seen[0].body, "{\"Cmd\":[\"ls\"]}");
  EXPECT_EQ(cluster_.execs[id], "10.0.0.2:2375");

  Request start =
      MakeRequest("POST", "/v1.41/exec/" + id + "/start", "{\"Detach\":false,\"Tty\":false}");
  start.headers.emplace_back("Upgrade", "tcp");
  start.wants_upgrade = true;
  EXPECT_EQ(Send(std::move(start)).status, 200);
  EXPECT_EQ(cluster_.seen[1].node, "n2");
  EXPECT_EQ(cluster_.seen[1].way, "upgrade");
  EXPECT_EQ(cluster_.seen[1].line, "POST /v1.41/exec/" + id + "/start");
  EXPECT_EQ(cluster_.seen[1].body, "{\"Detach\":false,\"Tty\":false}");
  EXPECT_TRUE(cluster_.seen[1].wants_upgrade);

  Send("POST", "/v1.41/exec/" + id + "/start", "{\"Detach\":true}");
  EXPECT_FALSE(cluster_.seen[2].wants_upgrade);
  Send("GET", "/v1.41/exec/" + id + "/json");
  EXPECT_EQ(cluster_.seen[3].line, "GET /v1.41/exec/" + id + "/json");
  EXPECT_EQ(cluster_.seen[3].way, "call");
}

// Its start would run what somebody else has made on the other node.
TEST_F(ProxyTest, AnExecIdOfAnotherNodeIsRefused) {
  const std::string id = FullId('5');
  cluster_.execs[id] = "10.0.0.1:2375";
  cluster_.script = [&id](const Seen&) {
    Reply reply;
    reply.status = 201;
    reply.body = "{\"Id\":\"" + id + "\"}\n";
    return reply;
  };
  const Reply refused = Send("POST", "/v1.41/containers/db/exec", "{\"Cmd\":[\"ls\"]}");
  EXPECT_EQ(refused.status, 502);
  EXPECT_NE(refused.body.find("node n2"), std::string::npos) << refused.body;
  EXPECT_EQ(cluster_.execs[id], "10.0.0.1:2375");
}

TEST_F(ProxyTest, UnknownExecs) {
  cluster_.seen.clear();
  for (const std::string& id :
       {FullId('7'), FullId('5').substr(0, 12), std::string("..%2F..%2Finfo")}) {
    for (const char* verb : {"start", "resize"}) {
      Reply reply = Send("POST", "/v1.41/exec/" + id + "/" + verb);
      EXPECT_EQ(reply.status, 404) << id;
      EXPECT_NE(reply.body.find("No such exec instance: "), std::string::npos);
    }
    EXPECT_EQ(Send("GET", "/v1.41/exec/" + id + "/json").status, 404);
  }
  EXPECT_TRUE(cluster_.seen.empty());
}

TEST_F(ProxyTest, AuthGoesToAHealthyNode) {
  cluster_.ChangeNode("n1", [](Node& node) { node.state = NodeState::kUnhealthy; });
  cluster_.script = [](const Seen&) {
    Reply reply;
    reply.status = 401;
    reply.body = "{\"message\":\"unauthorized\"}\n";
    return reply;
  };
  Reply reply = Send("POST", "/v1.45/auth", "{\"username\":\"u\",\"password\":\"p\"}");
  EXPECT_EQ(reply.status, 401);
  EXPECT_EQ(reply.body, "{\"message\":\"unauthorized\"}\n");
  EXPECT_EQ(cluster_.seen[0].node, "n2");
  cluster_.ChangeNode("n2", [](Node& node) { node.state = NodeState::kUnhealthy; });
  EXPECT_EQ(Send("POST", "/v1.41/auth", "{}").status, 503);
}

TEST_F(ProxyTest, WhatAnyNodeCanDoIsDoneByOneThatAnswers) {
  cluster_.script = [](const Seen& seen) -> absl::StatusOr<Reply> {
    if (seen.node == "n1") return FakeEngine::Silence();
    Reply reply;
    reply.body = "[]";
    return reply;
  };
  auto into = std::make_shared<std::optional<Reply>>();
  loop_.Spawn(Run(*api_, MakeRequest("GET", "/v1.41/images/search?term=x"), into));
  Settle();
  const TimePoint asked = clock_.Now();
  ASSERT_TRUE(loop_.StepTime(clock_));
  Settle();
  ASSERT_TRUE(into->has_value());
  EXPECT_LT(clock_.Now() - asked, std::chrono::milliseconds(950));
  EXPECT_EQ(BodyOf(**into), "[]");
  EXPECT_EQ(cluster_.seen.back().node, "n2");
  EXPECT_EQ(cluster_.seen.back().line, "GET /v1.41/images/search?term=x");
}

TEST_F(ProxyTest, AnAnswerBeyondTheBoundNamesItsNode) {
  cluster_.script = [](const Seen&) -> absl::StatusOr<Reply> {
    return HttpError(502, "10.0.0.2:2375 sent an answer of more than 16777216 bytes");
  };
  Reply reply = Send("GET", "/v1.45/containers/db/top");
  EXPECT_EQ(reply.status, 502);
  EXPECT_NE(reply.body.find("node n2"), std::string::npos) << reply.body;
}

}  // namespace
}  // namespace swarm::testing
