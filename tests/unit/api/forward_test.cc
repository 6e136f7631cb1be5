// Which requests go the short way.
#include "api/forward.h"

#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

class ForwardTest : public ApiTest {
 protected:
  void SetUp() override { AddUsual(); }
};

TEST_F(ForwardTest, TargetsAreWrittenForTheEngine) {
  const std::string id = FullId('a');
  struct Case {
    const char* method;
    const char* target;
    std::string wanted;  // "" = none
  };
  const Case cases[] = {
      {"GET", "/v1.41/containers/web/top?ps_args=-ef",
       "/v1.41/containers/" + id + "/top?ps_args=-ef"},
      {"GET", "/v1.45/containers/n1/web/changes", "/v1.41/containers/" + id + "/changes"},
      {"GET", "/containers/web/export", "/v1.41/containers/" + id + "/export"},
      {"GET", "/v1.41/containers/web/logs?tail=1", "/v1.41/containers/" + id + "/logs?tail=1"},
      {"GET", "/v1.41/containers/web/logs?follow=0", "/v1.41/containers/" + id + "/logs?follow=0"},
      {"GET", "/v1.41/containers/web/logs?follow=1", ""},
      {"GET", "/v1.41/containers/web/json", "/v1.41/containers/" + id + "/json"},
      {"GET", "/v1.41/containers/nosuch/top", ""},
      {"GET", "/v1.99/containers/web/top", ""},
      {"GET", "/v1.20/containers/web/top", "/v1.20/containers/" + id + "/top"},
      {"GET", "/v1.20/containers/db/top", ""},
      {"POST", "/v1.41/containers/web/top", ""},
      {"GET", "/v1.41/images/json", ""},
      {"GET", "nonsense", ""},
  };
  for (const Case& wanted : cases) {
    const std::optional<ForwardPlan> plan = api_->FastForward(wanted.method, wanted.target);
    EXPECT_EQ(plan ? plan->target : "", wanted.wanted) << wanted.target;
    if (!plan) continue;
    EXPECT_EQ(plan->node_address, "10.0.0.1:2375");
    EXPECT_NE(FindHeader(plan->reply_headers, "Api-Version"), nullptr);
    EXPECT_EQ(plan->inspected != nullptr, plan->target.ends_with("/json")) << wanted.target;
  }
}

TEST_F(ForwardTest, NotToANodeThatDoesNotAnswer) {
  const auto goes = [this] {
    return api_->FastForward("GET", "/v1.41/containers/web/top").has_value();
  };
  EXPECT_TRUE(goes());
  cluster_.ChangeNode("n1", [](Node& node) { node.failures = 1; });
  EXPECT_FALSE(goes());
  cluster_.ChangeNode("n1", [](Node& node) { node.failures = 0; });
  EXPECT_TRUE(goes());
  cluster_.ChangeNode("n1", [](Node& node) { node.state = NodeState::kUnhealthy; });
  EXPECT_FALSE(goes());
}

}  // namespace
}  // namespace swarm::testing
