// What one node does with images that it holds: save, push, commit; and what any node can tell.
#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

class SaveTest : public ApiTest {
 protected:
  void SetUp() override {
    AddUsual();
    AddImage("n1", one_, {"app:latest"}, 10);
    AddImage("n2", one_, {"app:latest"}, 10);
    AddImage("n1", two_, {"left:v1"}, 20);
    AddImage("n2", three_, {"right:v1", "reg:5000/right:v1"}, 30);
    cluster_.script = [](const Seen&) {
      Reply reply;
      reply.body = "answer";
      return reply;
    };
  }

  const std::string one_ = std::string(64, '1'), two_ = std::string(64, '2'),
                    three_ = std::string(64, '3');
};

TEST_F(SaveTest, SavesFromTheNodeThatHasAll) {
  struct Case {
    std::string target;
    std::string node;
    std::string line;
  };
  for (const Case& wanted : {
           Case{"/images/app/get", "n1", "/images/app/get"},
           Case{"/images/right:v1/get", "n2", "/images/right%3Av1/get"},
           Case{"/images/n2/app/get", "n2", "/images/app/get"},
           Case{"/images/get?names=app&names=right:v1", "n2",
                "/images/get?names=app&names=right%3Av1"},
           Case{"/images/get?names=app&names=left:v1&names=app", "n1",
                "/images/get?names=app&names=left%3Av1"},
           Case{"/images/get?names=left:v1", "n1", "/images/left%3Av1/get"},
       }) {
    cluster_.seen.clear();
    Reply reply = Send("GET", "/v1.41" + wanted.target);
    EXPECT_EQ(reply.status, 200) << wanted.target;
    EXPECT_EQ(BodyOf(reply), "answer");
    ASSERT_EQ(cluster_.seen.size(), 1U) << wanted.target;
    EXPECT_EQ(cluster_.seen[0].node, wanted.node) << wanted.target;
    EXPECT_EQ(cluster_.seen[0].way, "open");
    EXPECT_EQ(cluster_.seen[0].line, "GET /v1.41" + wanted.line);
  }
}

TEST_F(SaveTest, TheNewestCopyIsSaved) {
  AddImage("n2", std::string(64, '7'), {"left:v1"}, 99);
  EXPECT_EQ(Send("GET", "/v1.41/images/left:v1/get").status, 200);
  EXPECT_EQ(cluster_.seen[0].node, "n2");
}

TEST_F(SaveTest, WhatIsMissingIsNamed) {
  const Reply apart = Send("GET", "/v1.41/images/get?names=left:v1&names=right:v1");
  EXPECT_EQ(apart.status, 404);
  EXPECT_NE(apart.body.find("no node holds all of left:v1, right:v1 (left:v1 is on n1 "
                            "(222222222222); right:v1 is on n2 (333333333333))"),
            std::string::npos)
      << apart.body;
  const Reply unknown = Send("GET", "/v1.41/images/get?names=left:v1&names=nosuch&names=none:v2");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.body, "{\"message\":\"No such image: nosuch:latest, none:v2\"}\n");
  EXPECT_EQ(Send("GET", "/v1.41/images/get").status, 400);
  EXPECT_TRUE(cluster_.seen.empty());
}

TEST_F(SaveTest, PushesFromOneNodeWithItsCredentials) {
  Request request = MakeRequest("POST", "/v1.41/images/reg:5000/right/push?tag=v1");
  request.headers.emplace_back("X-Registry-Auth", "c2VjcmV0");
  Reply reply = Send(std::move(request));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(BodyOf(reply), "{\"status\":\"Pushing from node n2\"}\r\nanswer");
  ASSERT_EQ(cluster_.seen.size(), 1U);
  EXPECT_EQ(cluster_.seen[0].node, "n2");
  EXPECT_EQ(cluster_.seen[0].line, "POST /v1.41/images/reg%3A5000%2Fright/push?tag=v1");
  EXPECT_EQ(*FindHeader(cluster_.seen[0].headers, "X-Registry-Auth"), "c2VjcmV0");
  cluster_.seen.clear();
  EXPECT_EQ(Send("POST", "/v1.41/images/n2/app/push?tag=latest").status, 200);
  EXPECT_EQ(cluster_.seen[0].node, "n2");
  EXPECT_EQ(cluster_.seen[0].line, "POST /v1.41/images/app/push?tag=latest");
}

TEST_F(SaveTest, PushesAllTagsFromTheNodeThatHasThem) {
  AddImage("n2", std::string(64, '8'), {"app:v2"}, 40);
  EXPECT_EQ(Send("POST", "/v1.41/images/app/push").status, 200);
  EXPECT_EQ(cluster_.seen[0].node, "n2");
  AddImage("n1", std::string(64, '9'), {"app:v3"}, 40);
  const Reply apart = Send("POST", "/v1.41/images/app/push");
  EXPECT_EQ(apart.status, 404);
  EXPECT_NE(apart.body.find("app:v3 is on n1"), std::string::npos) << apart.body;
}

TEST_F(SaveTest, CopiesThatDifferAreNotPushed) {
  AddImage("n2", std::string(64, '7'), {"left:v1"}, 99);
  const Reply reply = Send("POST", "/v1.41/images/left/push?tag=v1");
  EXPECT_EQ(reply.status, 409);
  EXPECT_NE(reply.body.find("n1 (222222222222), n2 (777777777777)"), std::string::npos)
      << reply.body;
  EXPECT_TRUE(cluster_.seen.empty());
  EXPECT_EQ(Send("POST", "/v1.41/images/n1/left/push?tag=v1").status, 200);
  EXPECT_EQ(cluster_.seen[0].node, "n1");
  const Reply none = Send("POST", "/v1.41/images/nosuch/push?tag=v1");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.body, "{\"message\":\"An image does not exist locally with the tag: nosuch\"}\n");
}

TEST_F(SaveTest, AnEnginesRefusalOfAPushIsItsAnswer) {
  cluster_.script = [](const Seen&) {
    Reply reply;
    reply.status = 500;
    reply.body = "{\"message\":\"no basic auth credentials\"}\n";
    return reply;
  };
  Reply reply = Send("POST", "/v1.41/images/app/push?tag=latest");
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(BodyOf(reply), "{\"message\":\"no basic auth credentials\"}\n");
}

TEST_F(SaveTest, CommitsOnTheContainersNode) {
  cluster_.script = [](const Seen&) {
    Reply reply;
    reply.status = 201;
    reply.body = "{\"Id\":\"sha256:abc\"}\n";
    return reply;
  };
  const Reply reply = Send("POST", "/v1.41/commit?container=db&repo=mine&tag=v1&pause=0",
                           "{\"Cmd\":[\"x\"],\"Unknown\":1}");
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.body, "{\"Id\":\"sha256:abc\"}\n");
  ASSERT_EQ(cluster_.seen.size(), 1U);
  EXPECT_EQ(cluster_.seen[0].node, "n2");
  EXPECT_EQ(cluster_.seen[0].line,
            "POST /v1.41/commit?container=" + FullId('b') + "&repo=mine&tag=v1&pause=0");
  EXPECT_EQ(cluster_.seen[0].body, "{\"Cmd\":[\"x\"],\"Unknown\":1}");
  EXPECT_EQ(cluster_.refreshed_images, std::vector<std::string>{"n2"});
  EXPECT_EQ(Send("POST", "/v1.41/commit?container=nosuch").status, 404);
  EXPECT_EQ(Send("POST", "/v1.41/commit").status, 400);
}

TEST_F(SaveTest, DistributionIsAskedOfOneNode) {
  Request request = MakeRequest("GET", "/v1.41/distribution/reg:5000/app:v1/json");
  request.headers.emplace_back("X-Registry-Auth", "c2VjcmV0");
  EXPECT_EQ(Send(std::move(request)).status, 200);
  std::vector<Seen> asked;
  for (const Seen& seen : cluster_.seen) {
    if (seen.line.find("_ping") == std::string::npos) asked.push_back(seen);
  }
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].line, "GET /v1.41/distribution/reg%3A5000%2Fapp%3Av1/json");
  EXPECT_EQ(*FindHeader(asked[0].headers, "X-Registry-Auth"), "c2VjcmV0");
  EXPECT_EQ(Send("GET", "/v1.41/distribution/a%2F..%2Fb/json").status, 400);
}

TEST_F(SaveTest, AttestationsNeedAnEngineThatKnowsThem) {
  cluster_.script = [](const Seen&) {
    Reply reply;
    reply.status = 404;
    reply.body = "{\"message\":\"page not found\"}\n";
    return reply;
  };
  const Reply reply = Send("GET", "/v1.41/images/app/attestations");
  EXPECT_EQ(reply.status, 501);
  EXPECT_NE(reply.body.find("the attestations of app cannot be read"), std::string::npos);
}

}  // namespace
}  // namespace swarm::testing
