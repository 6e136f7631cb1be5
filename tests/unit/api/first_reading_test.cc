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

}  // namespace
}  // namespace swarm::testing
