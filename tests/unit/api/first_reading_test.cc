// What a manager answers that has not read its engines yet.
#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

class FirstReadingTest : public ApiTest {
 protected:
  FirstReadingTest() {
    AddUsual();
    cluster_.ready = false;
  }

  std::shared_ptr<std::optional<Reply>> Ask(const std::string& method, const std::string& target,
                                            const std::string& body = {}) {
    auto into = std::make_shared<std::optional<Reply>>();
    loop_.Spawn(Run(*api_, MakeRequest(method, target, body), into));
    Settle();
    return into;
  }
};

TEST_F(FirstReadingTest, RequestsAboutContainersAwaitIt) {
  struct Case {
    const char* method;
    const char* target;
    int status;
  };
  const Case cases[] = {
      {"GET", "/containers/json", 200},          {"GET", "/containers/web/top", 200},
      {"GET", "/containers/nobody/json", 404},   {"POST", "/containers/create?name=other", 201},
      {"DELETE", "/containers/db?force=1", 204},
  };
  std::vector<std::shared_ptr<std::optional<Reply>>> replies;
  for (const Case& test : cases) {
    const std::string body = std::string(test.method) == "POST" ? "{\"Image\":\"busybox\"}" : "";
    replies.push_back(Ask(test.method, test.target, body));
    EXPECT_FALSE(replies.back()->has_value()) << test.target;
  }
  cluster_.BecomeReady();
  Settle();
  for (std::size_t i = 0; i < replies.size(); ++i) {
    ASSERT_TRUE(replies[i]->has_value()) << cases[i].target;
    EXPECT_EQ((*replies[i])->status, cases[i].status) << cases[i].target;
  }
}

TEST_F(FirstReadingTest, HowTheClusterIsIsToldAtOnce) {
  for (const char* target :
       {"/_ping", "/version", "/info", "/events?until=1", "/swarmd/v1/metrics"})
    EXPECT_EQ(Send("GET", target).status, 200) << target;
  EXPECT_EQ(Send("GET", "/swarm").status, 503);
}

TEST_F(FirstReadingTest, AnEngineThatHangsHoldsNobodyUpForLong) {
  const TimePoint began = clock_.Now();
  const auto early = Ask("GET", "/containers/json");
  Step(std::chrono::seconds(6));
  const auto late = Ask("GET", "/containers/json");
  EXPECT_FALSE(early->has_value());
  ASSERT_TRUE(loop_.StepTime(clock_));
  Settle();
  EXPECT_EQ(clock_.Now() - began, std::chrono::seconds(10)) << "counted from the manager's start";
  ASSERT_TRUE(early->has_value());
  ASSERT_TRUE(late->has_value());
  EXPECT_EQ((*late)->status, 200);
  EXPECT_EQ(Send("GET", "/containers/json").status, 200);
  cluster_.BecomeReady();  // nobody waits any more
  Settle();
}

class PutOffReadingsTest : public FirstReadingTest {
 protected:
  PutOffReadingsTest() {
    cluster_.ready = true;
    cluster_.all_read = false;
  }
};

TEST_F(PutOffReadingsTest, WhatLooksAtAllOfManyContainersAwaitsThem) {
  struct Case {
    const char* method;
    const char* target;
  };
  const Case cases[] = {{"GET", "/containers/json"},
                        {"GET", "/containers/ps?all=1"},
                        {"POST", "/containers/prune"},
                        {"GET", "/system/df"},
                        {"POST", "/swarmd/v1/nodes/node-1/drain"}};
  std::vector<std::shared_ptr<std::optional<Reply>>> replies;
  for (const Case& test : cases) {
    replies.push_back(Ask(test.method, test.target));
    EXPECT_FALSE(replies.back()->has_value()) << test.target;
  }
  cluster_.BecomeRead();
  Settle();
  for (std::size_t i = 0; i < replies.size(); ++i)
    EXPECT_TRUE(replies[i]->has_value()) << cases[i].target;
}

TEST_F(PutOffReadingsTest, RequestsAboutOneContainerDoNot) {
  EXPECT_EQ(Send("GET", "/containers/web/top").status, 200);
  EXPECT_EQ(Send("POST", "/containers/create?name=other", "{\"Image\":\"busybox\"}").status, 201);
  EXPECT_EQ(Send("POST", "/containers/web/start").status, 204);
  EXPECT_EQ(Send("DELETE", "/containers/db?force=1").status, 204);
}

TEST_F(PutOffReadingsTest, ACreateThatWantsToBeNearOthersAwaitsThem) {
  const auto near = Ask("POST", "/containers/create?name=other",
                        R"({"Image":"busybox","Env":["affinity:tier==front"]})");
  EXPECT_FALSE(near->has_value());
  cluster_.BecomeRead();
  Settle();
  ASSERT_TRUE(near->has_value());
  EXPECT_EQ((*near)->status, 201);
}

TEST_F(PutOffReadingsTest, AnEngineThatHangsHoldsNoListUpForLong) {
  const TimePoint began = clock_.Now();
  const auto list = Ask("GET", "/containers/json");
  EXPECT_FALSE(list->has_value());
  ASSERT_TRUE(loop_.StepTime(clock_));
  Settle();
  EXPECT_EQ(clock_.Now() - began, std::chrono::seconds(2));
  ASSERT_TRUE(list->has_value());
  EXPECT_EQ((*list)->status, 200);
  cluster_.BecomeRead();  // nobody waits any more
  Settle();
}

TEST_F(PutOffReadingsTest, ACreateWithoutNetworksAndVolumesAndAStartAskForThem) {
  struct Case {
    const char* host_config;
    bool later;
  };
  const Case cases[] = {{"{}", true},
                        {R"({"Binds":["/data:/data"]})", true},
                        {R"({"NetworkMode":"host"})", false},
                        {R"({"Binds":["node-1/data:/data"]})", false},
                        {R"({"NetworkMode":"node-1/net"})", false}};
  for (const Case& test : cases) {
    const std::string body =
        std::string(R"({"Image":"busybox","HostConfig":)") + test.host_config + "}";
    ASSERT_EQ(Send("POST", "/containers/create?name=other", body).status, 201) << body;
    EXPECT_EQ(cluster_.created.back().may_be_read_later, test.later) << body;
  }
  ASSERT_EQ(Send("POST", "/containers/web/start").status, 204);
  EXPECT_TRUE(cluster_.operated.back().may_be_read_later);
}

}  // namespace
}  // namespace swarm::testing
