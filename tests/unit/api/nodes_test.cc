// Nodes under /swarmd/v1.
#include "unit/api/api_fixture.h"
#include "wire/json.h"

namespace swarm::testing {
namespace {

class NodesTest : public ApiTest {
 protected:
  void SetUp() override { AddUsual(); }

  // The parsed body of an answer of 200.
  JsonValue Get(Reply reply) {
    EXPECT_EQ(reply.status, 200) << reply.body;
    text_ = reply.body;
    EXPECT_TRUE(document_.Parse(text_).ok()) << text_;
    return document_.root();
  }

  // "web stop stopped, old leave left" of a drain.
  static std::string Outcomes(JsonValue report) {
    std::string outcomes;
    report.Find("Containers").ForEachElement([&outcomes](JsonValue one) {
      if (!outcomes.empty()) outcomes += ", ";
      outcomes += one.Find("Name").text() + " " + one.Find("Action").text();
      if (!one.Find("Outcome").Equals("")) outcomes += " " + one.Find("Outcome").text();
    });
    return outcomes;
  }

  bool IsCordoned(const std::string& name) const { return cluster_.FindNode(name)->cordoned; }

  std::string text_;
  JsonDocument document_;
};

TEST_F(NodesTest, AreListedAndInspected) {
  const JsonValue list = Get(Send("GET", "/swarmd/v1/nodes"));
  ASSERT_EQ(list.elements().size(), 2U);
  EXPECT_EQ(list.elements()[0].Find("Name").text(), "n1");
  EXPECT_EQ(list.elements()[1].Find("State").text(), "healthy");
  for (const char* reference : {"n2", "ID-n2", "10.0.0.2:2375", "10.0.0.2%3A2375"}) {
    EXPECT_EQ(Get(Send("GET", std::string("/swarmd/v1/nodes/") + reference)).Find("Name").text(),
              "n2");
  }
}

TEST_F(NodesTest, ErrorsAreJsonWhateverTheEnginesSpeak) {
  cluster_.ChangeNode("n1", [](Node& node) { node.api_version = "1.16"; });
  for (const char* target : {"/swarmd/v1/nodes/nosuch", "/swarmd/v1/nosuch"}) {
    Reply reply = Send("GET", target);
    EXPECT_EQ(reply.status, 404);
    EXPECT_TRUE(reply.body.starts_with("{\"message\":\"")) << reply.body;
  }
  EXPECT_EQ(Send("POST", "/swarmd/v1/nodes/nosuch/cordon").status, 404);
  EXPECT_EQ(Send("POST", "/swarmd/v1/nodes/nosuch/drain").status, 404);
  EXPECT_EQ(Send("DELETE", "/swarmd/v1/nodes/n1").status, 404);
}

TEST_F(NodesTest, ANameOfTwoNodesIsRefused) {
  cluster_.AddNode("n1", "1.41", "1.12");
  Reply reply = Send("POST", "/swarmd/v1/nodes/n1/cordon");
  EXPECT_EQ(reply.status, 409);
  EXPECT_NE(reply.body.find("10.0.0.1:2375, 10.0.0.3:2375"), std::string::npos) << reply.body;
  EXPECT_EQ(Send("GET", "/swarmd/v1/nodes/10.0.0.3:2375").status, 200);
}

TEST_F(NodesTest, CordonAndBack) {
  EXPECT_TRUE(Get(Send("POST", "/swarmd/v1/nodes/n2/cordon")).Find("Cordoned").boolean());
  EXPECT_TRUE(IsCordoned("n2"));
  EXPECT_FALSE(IsCordoned("n1"));
  EXPECT_TRUE(Get(Send("POST", "/swarmd/v1/nodes/n2/cordon")).Find("Cordoned").boolean());
  EXPECT_FALSE(Get(Send("POST", "/swarmd/v1/nodes/n2/uncordon")).Find("Cordoned").boolean());
  EXPECT_FALSE(IsCordoned("n2"));
  EXPECT_TRUE(cluster_.operated.empty());
}

TEST_F(NodesTest, APlanOfADrainChangesNothing) {
  const JsonValue plan = Get(Send("POST", "/swarmd/v1/nodes/n2/drain?plan=1"));
  EXPECT_TRUE(plan.Find("Plan").boolean());
  EXPECT_EQ(Outcomes(plan), "db stop, old leave");
  EXPECT_EQ(plan.Find("Containers").elements()[1].Find("Reason").text(), "it does not run");
  EXPECT_FALSE(IsCordoned("n2"));
  EXPECT_TRUE(cluster_.operated.empty());
}

TEST_F(NodesTest, ADrainCordonsThenStopsWhatRunsThere) {
  bool cordoned_before = false;
  cluster_.operate = [&](const ContainerOperation&) {
    cordoned_before = IsCordoned("n2");
    Reply reply;
    reply.status = 204;
    return reply;
  };
  const JsonValue report = Get(Send("POST", "/swarmd/v1/nodes/n2/drain?t=3"));
  EXPECT_TRUE(cordoned_before);
  EXPECT_EQ(Outcomes(report), "db stop stopped, old leave left");
  EXPECT_EQ(report.Find("Stopped").integer(), 1);
  EXPECT_EQ(report.Find("Left").integer(), 1);
  EXPECT_TRUE(report.Find("Node").Find("Cordoned").boolean());
  ASSERT_EQ(cluster_.operated.size(), 1U);
  EXPECT_EQ(cluster_.operated[0].verb, ContainerOperation::Verb::kStop);
  EXPECT_EQ(cluster_.operated[0].entry->container.id, FullId('b'));
  EXPECT_EQ(cluster_.operated[0].query, "t=3");
}

TEST_F(NodesTest, ThePolicyLeaveOnlyCordons) {
  const JsonValue report = Get(Send("POST", "/swarmd/v1/nodes/n2/drain?policy=leave"));
  EXPECT_EQ(Outcomes(report), "db leave left, old leave left");
  EXPECT_TRUE(IsCordoned("n2"));
  EXPECT_TRUE(cluster_.operated.empty());
}

TEST_F(NodesTest, ADrainTellsWhatFailedAndWhy) {
  AddContainer("n2", 'd', "paused", ContainerState::kPaused, 40);
  AddContainer("n2", 'e', "gone", ContainerState::kRestarting, 30);
  cluster_.operate = [](const ContainerOperation& operation) -> absl::StatusOr<Reply> {
    const std::string& name = operation.entry->container.names.front();
    if (name == "db") return Unavailable("node n2 is not healthy: it burns");
    Reply reply;
    reply.status = name == "gone" ? 404 : 500;
    reply.body = R"({"message":"cannot stop it"})";
    return reply;
  };
  const JsonValue report = Get(Send("POST", "/swarmd/v1/nodes/n2/drain"));
  EXPECT_EQ(Outcomes(report),
            "db stop failed, old leave left, paused stop failed, gone stop stopped");
  EXPECT_EQ(report.Find("Failed").integer(), 2);
  const std::vector<JsonValue> rows = report.Find("Containers").elements();
  EXPECT_EQ(rows[0].Find("Reason").text(), "node n2 is not healthy: it burns");
  EXPECT_EQ(rows[2].Find("Reason").text(), "cannot stop it");
  EXPECT_EQ(rows[3].Find("Reason").text(), "it is gone");
}

TEST_F(NodesTest, ADrainCatchesWhatWasMadeMeanwhile) {
  cluster_.operate = [this](const ContainerOperation& operation) {
    // A create that was placed before the cordon ends now.
    if (operation.entry->container.id == FullId('b'))
      AddContainer("n2", 'd', "late", ContainerState::kRunning, 300);
    Reply reply;
    reply.status = 204;
    return reply;
  };
  EXPECT_EQ(Outcomes(Get(Send("POST", "/swarmd/v1/nodes/n2/drain"))),
            "db stop stopped, old leave left, late stop stopped");
}

TEST_F(NodesTest, ADrainWhoseClientGoesStopsNoMore) {
  for (char digit = 'd'; digit < 'z'; ++digit)
    AddContainer("n2", digit, std::string("more-") + digit, ContainerState::kRunning, 10);
  std::stop_source gone;
  cluster_.operate = [&gone](const ContainerOperation&) {
    gone.request_stop();
    Reply reply;
    reply.status = 204;
    return reply;
  };
  Request request = MakeRequest("POST", "/swarmd/v1/nodes/n2/drain");
  request.stop = gone.get_token();
  Reply reply = Send(std::move(request));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(cluster_.operated.size(), 1U);
}

TEST_F(NodesTest, BadWishesAreRefused) {
  for (const char* query : {"policy=shift", "policy=", "t=soon", "t=-1", "t=99999999", "force=1"}) {
    Reply reply = Send("POST", std::string("/swarmd/v1/nodes/n2/drain?") + query);
    EXPECT_EQ(reply.status, 400) << query << " " << reply.body;
  }
  EXPECT_FALSE(IsCordoned("n2"));
}

}  // namespace
}  // namespace swarm::testing
