#include "api/offer.h"
#include "swarmlib/version.h"
#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

using VersionsTest = ApiTest;

TEST_F(VersionsTest, PrefixesAreChecked) {
  AddUsual();
  struct Case {
    const char* target;
    int status;
    const char* text;
  };
  const std::string newest(NewestApiVersion());
  const std::string too_new =
      "client version 1.99 is too new. Maximum supported API version is " + newest;
  const Case cases[] = {
      {"/v1.99/info", 400, too_new.c_str()},
      {"/v2.0/info", 400, "client version 2.0 is too new"},
      {"/v1.11/info", 400, "client version 1.11 is too old. Minimum supported API version is 1.12"},
      {"/v1/info", 400, "client version 1 is not of the form 1.41"},
      {"/v1.2.3/info", 400, "not of the form"},
      {"/v1.12/_ping", 200, "OK"},
      {"/v1.16/info", 200, ""},
      {"/vx/info", 404, "page not found"},
      {"/v1.41", 404, "page not found"},
  };
  for (const Case& wanted : cases) {
    Reply reply = Send("GET", wanted.target);
    EXPECT_EQ(reply.status, wanted.status) << wanted.target;
    EXPECT_NE(reply.body.find(wanted.text), std::string::npos)
        << wanted.target << ": " << reply.body;
  }
  EXPECT_EQ(Send("GET", "/v" + newest + "/_ping").status, 200);
}

TEST_F(VersionsTest, OldClientsGetTextErrors) {
  AddUsual();
  Reply old = Send("GET", "/v1.23/containers/nosuch/json");
  EXPECT_EQ(old.status, 404);
  EXPECT_EQ(old.body, "No such container: nosuch\n");
  EXPECT_TRUE(HeaderOf(old, "Content-Type").starts_with("text/plain"));
  Reply newer = Send("GET", "/v1.24/containers/nosuch/json");
  EXPECT_EQ(newer.body, "{\"message\":\"No such container: nosuch\"}\n");
  EXPECT_EQ(HeaderOf(newer, "Content-Type"), "application/json");
}

TEST_F(VersionsTest, EveryReplyCarriesTheManagersOwnHeaders) {
  AddUsual();
  cluster_.script = [](const Seen&) {
    Reply reply;
    reply.headers = {{"Api-Version", "1.45"},
                     {"Server", "Docker/26.1"},
                     {"Ostype", "windows"},
                     {"Date", "today"},
                     {"Docker-Experimental", "true"},
                     {"Connection", "close"},
                     {"X-Kept", "yes"},
                     {"Content-Type", "application/x-tar"}};
    return reply;
  };
  Reply reply = Send("GET", "/v1.45/containers/db/changes");
  EXPECT_EQ(HeaderOf(reply, "Api-Version"), "1.41");
  EXPECT_EQ(HeaderOf(reply, "Server"), "swarmd/0.1.0 (linux)");
  EXPECT_EQ(HeaderOf(reply, "Ostype"), "linux");
  EXPECT_EQ(HeaderOf(reply, "Docker-Experimental"), "false");
  EXPECT_EQ(HeaderOf(reply, "Date"), "(none)");
  EXPECT_EQ(HeaderOf(reply, "Connection"), "(none)");
  EXPECT_EQ(HeaderOf(reply, "X-Kept"), "yes");
  EXPECT_EQ(HeaderOf(reply, "Content-Type"), "application/x-tar");
  EXPECT_EQ(std::count_if(reply.headers.begin(), reply.headers.end(),
                          [](const auto& field) { return field.first == "Api-Version"; }),
            1);
}

TEST_F(VersionsTest, EachEngineIsSpokenToInItsOwnRange) {
  AddUsual();  // n1 speaks 1.12 to 1.41, n2 1.24 to 1.45
  struct Case {
    const char* client;
    const char* container;
    const char* spoken;
  };
  for (const Case& wanted :
       {Case{"1.16", "web", "1.16"}, Case{"1.16", "db", "1.24"}, Case{"1.45", "web", "1.41"},
        Case{"1.45", "db", "1.45"}, Case{"1.30", "db", "1.30"}}) {
    cluster_.seen.clear();
    Send("GET", std::string("/v") + wanted.client + "/containers/" + wanted.container + "/top");
    ASSERT_EQ(cluster_.seen.size(), 1U);
    EXPECT_TRUE(cluster_.seen[0].line.starts_with(std::string("GET /v") + wanted.spoken + "/"))
        << cluster_.seen[0].line;
  }
}

TEST_F(VersionsTest, ErrorsOfNewEnginesAreTextForOldClients) {
  AddUsual();
  cluster_.script = [](const Seen&) {
    Reply reply;
    reply.status = 409;
    reply.body = "{\"message\":\"it is paused\"}\n";
    return reply;
  };
  Reply old = Send("GET", "/v1.20/containers/db/top");
  EXPECT_EQ(old.status, 409);
  EXPECT_EQ(BodyOf(old), "it is paused\n");
  Reply newer = Send("GET", "/v1.40/containers/db/top");
  EXPECT_EQ(BodyOf(newer), "{\"message\":\"it is paused\"}\n");
}

TEST_F(VersionsTest, OfferFallsAtOnceAndRisesAfterAMinute) {
  EXPECT_EQ(HeaderOf(Send("GET", "/_ping"), "Api-Version"), std::string(NewestApiVersion()));
  cluster_.AddNode("n1", "1.45", "1.24");
  EXPECT_EQ(HeaderOf(Send("GET", "/_ping"), "Api-Version"), "1.45");
  cluster_.AddNode("n2", "1.41", "1.12");
  EXPECT_EQ(HeaderOf(Send("GET", "/_ping"), "Api-Version"), "1.41");

  cluster_.ChangeNode("n2", [](Node& node) { node.state = NodeState::kUnhealthy; });
  EXPECT_EQ(HeaderOf(Send("GET", "/_ping"), "Api-Version"), "1.41");
  Step(std::chrono::seconds(59));
  EXPECT_EQ(HeaderOf(Send("GET", "/_ping"), "Api-Version"), "1.41");
  // A node that flaps starts the minute anew.
  cluster_.ChangeNode("n2", [](Node& node) { node.state = NodeState::kHealthy; });
  EXPECT_EQ(HeaderOf(Send("GET", "/_ping"), "Api-Version"), "1.41");
  cluster_.ChangeNode("n2", [](Node& node) { node.state = NodeState::kUnhealthy; });
  Send("GET", "/_ping");
  Step(std::chrono::seconds(59));
  EXPECT_EQ(HeaderOf(Send("GET", "/_ping"), "Api-Version"), "1.41");
  Step(std::chrono::seconds(1));
  EXPECT_EQ(HeaderOf(Send("GET", "/_ping"), "Api-Version"), "1.45");
}

TEST_F(VersionsTest, OfferNeverExceedsOurOwn) {
  cluster_.AddNode("n1", "1.60", "1.44");
  EXPECT_EQ(HeaderOf(Send("GET", "/_ping"), "Api-Version"), std::string(NewestApiVersion()));
}

TEST_F(VersionsTest, Ping) {
  Reply get = Send("GET", "/_ping");
  EXPECT_EQ(get.body, "OK");
  EXPECT_EQ(HeaderOf(get, "Swarm"), "inactive");
  EXPECT_EQ(HeaderOf(get, "Builder-Version"), "1");
  EXPECT_EQ(HeaderOf(get, "Cache-Control"), "no-cache, no-store, must-revalidate");
  EXPECT_EQ(HeaderOf(get, "Pragma"), "no-cache");
  Reply head = Send("HEAD", "/_ping");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
}

TEST_F(VersionsTest, InfoAndVersionTellTheCluster) {
  AddUsual();
  cluster_.totals.containers = 3;
  Reply info = Send("GET", "/v1.41/info");
  EXPECT_NE(info.body.find("\"Containers\":3"), std::string::npos) << info.body;
  EXPECT_NE(info.body.find("\"MANAGER\""), std::string::npos);
  EXPECT_NE(info.body.find("spread"), std::string::npos);
  EXPECT_NE(info.body.find("10.0.0.2:2375"), std::string::npos);
  Reply version = Send("GET", "/version");
  EXPECT_NE(version.body.find("swarm/0.1.0"), std::string::npos) << version.body;
  EXPECT_NE(version.body.find("\"ApiVersion\":\"1.41\""), std::string::npos) << version.body;
}

TEST_F(VersionsTest, CorsOnlyWhenAsked) {
  EXPECT_EQ(HeaderOf(Send("OPTIONS", "/v1.41/info"), "Access-Control-Allow-Origin"), "(none)");
  ApiOptions options;
  options.clock = &clock_;
  options.cors = true;
  api_ = std::make_unique<Api>(cluster_, std::move(options));
  EXPECT_EQ(HeaderOf(Send("OPTIONS", "/v1.41/info"), "Access-Control-Allow-Origin"), "*");
}

TEST_F(VersionsTest, MetricsCountRequests) {
  AddUsual();
  Send("GET", "/_ping");
  Send("GET", "/_ping");
  Send("GET", "/containers/nosuch/json");
  Reply reply = Send("GET", "/swarmd/v1/metrics");
  EXPECT_EQ(HeaderOf(reply, "Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  for (const char* line :
       {"swarmd_requests_total{route=\"GET /_ping\",status=\"200\"} 2\n",
        "swarmd_requests_total{route=\"GET /containers/{}/json\",status=\"404\"} 1\n",
        "swarmd_engines{state=\"healthy\"} 2\n", "# TYPE swarmd_request_seconds histogram\n",
        "swarmd_build_info{version=\"0.1.0\"", "swarmd_refusals_total 1\n"}) {
    EXPECT_NE(ToLower(reply.body).find(ToLower(line)), std::string::npos) << line << "in\n"
                                                                          << reply.body;
  }
}

}  // namespace
}  // namespace swarm::testing
