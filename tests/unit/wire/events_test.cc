#include "wire/events.h"

#include <gtest/gtest.h>

#include "swarmlib/status.h"

namespace swarm {
namespace {

Node TestNode() {
  Node node;
  node.address = "10.0.0.1:2375";
  node.id = "ID1";
  node.name = "n1";
  node.ip = "10.0.0.1";
  return node;
}

constexpr char kEvent[] =
    R"({"status":"start","id":"aa11","from":"nginx","Type":"container","Action":"start","Actor":{"ID":"aa11",)"
    R"("Attributes":{"image":"nginx","name":"web","tier":"front"}},"scope":"local","time":1420070400,)"
    R"("timeNano":1420070400000000007})";

// Every way to cut a stream gives the same objects.
TEST(ObjectSplitterTest, DoesNotMindWhereTheStreamIsCut) {
  const std::string stream = "{\"a\":\"}{\\\"\"}\n\x1e{\"b\":[{}]}{\"c\":1}\r\n";
  const std::vector<std::string> wanted = {R"({"a":"}{\""})", R"({"b":[{}]})", R"({"c":1})"};
  for (std::size_t first = 0; first <= stream.size(); ++first) {
    for (std::size_t second = first; second <= stream.size(); ++second) {
      ObjectSplitter splitter(1024);
      std::vector<std::string> objects;
      ASSERT_TRUE(splitter.Feed(stream.substr(0, first), objects).ok());
      ASSERT_TRUE(splitter.Feed(stream.substr(first, second - first), objects).ok());
      ASSERT_TRUE(splitter.Feed(stream.substr(second), objects).ok());
      ASSERT_EQ(objects, wanted) << first << " " << second;
    }
  }
}

TEST(ObjectSplitterTest, HasABoundAndWantsObjects) {
  std::vector<std::string> objects;
  ObjectSplitter small(8);
  EXPECT_TRUE(small.Feed("{\"a\":1}", objects).ok());
  EXPECT_EQ(small.Feed("{\"a\":", objects).code(), absl::StatusCode::kOk);
  EXPECT_EQ(small.Feed("1234567}", objects).code(), absl::StatusCode::kResourceExhausted);
  ObjectSplitter endless(8);
  EXPECT_EQ(endless.Feed("{\"aaaaaaaaaaaaaaaa", objects).code(),
            absl::StatusCode::kResourceExhausted);
  ObjectSplitter other(8);
  EXPECT_EQ(other.Feed("[1]", objects).code(), absl::StatusCode::kInvalidArgument);
}

TEST(ObjectSplitterTest, SkipsWhatIsTooLargeAndGoesOn) {
  const std::string stream = "{\"a\":1}{\"large\":[{\"b\":\"}\"}]}\n{\"c\":2}";
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    ObjectSplitter splitter(8, ObjectSplitter::Larger::kSkip);
    std::vector<std::string> objects;
    ASSERT_TRUE(splitter.Feed(stream.substr(0, cut), objects).ok());
    ASSERT_TRUE(splitter.Feed(stream.substr(cut), objects).ok());
    EXPECT_EQ(objects, (std::vector<std::string>{"{\"a\":1}", "{\"c\":2}"})) << cut;
    EXPECT_EQ(splitter.TakeSkipped(), 1U);
    EXPECT_EQ(splitter.TakeSkipped(), 0U);
  }
}

TEST(ParseEventTest, ReadsNewAndOldEvents) {
  const auto event = ParseEvent(kEvent, TestNode());
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->type, "container");
  EXPECT_EQ(event->action, "start");
  EXPECT_EQ(event->actor_id, "aa11");
  EXPECT_EQ(event->time_nano, 1420070400000000007);
  EXPECT_EQ(event->node, "10.0.0.1:2375");
  EXPECT_EQ(event->attributes, (Labels{{"image", "nginx"},
                                       {"name", "web"},
                                       {"node.addr", "10.0.0.1:2375"},
                                       {"node.id", "ID1"},
                                       {"node.ip", "10.0.0.1"},
                                       {"node.name", "n1"},
                                       {"tier", "front"}}));
  const auto old =
      ParseEvent(R"({"status":"die","id":"bb","from":"busybox","time":1420070400})", TestNode());
  ASSERT_TRUE(old.ok());
  EXPECT_EQ(old->type, "container");
  EXPECT_EQ(old->attributes.at("image"), "busybox");
  EXPECT_EQ(old->time_nano, 1420070400000000000);
  EXPECT_EQ(ParseEvent(R"({"status":"untag","id":"bb","time":1})", TestNode())->type, "image");
  EXPECT_FALSE(ParseEvent("{}", TestNode()).ok());
  EXPECT_FALSE(ParseEvent("[]", TestNode()).ok());
  EXPECT_FALSE(ParseEvent("{", TestNode()).ok());
}

TEST(FormatEventTest, HasTheShapeOfTheClientsVersion) {
  const auto event = ParseEvent(kEvent, TestNode());
  const std::string actor =
      R"("Type":"container","Action":"start","Actor":{"ID":"aa11","Attributes":{"image":"nginx","name":"web",)"
      R"("node.addr":"10.0.0.1:2375","node.id":"ID1","node.ip":"10.0.0.1","node.name":"n1","tier":"front"}},)"
      R"("scope":"local","time":1420070400,"timeNano":1420070400000000007})"
      "\n";
  EXPECT_EQ(FormatEvent(*event, {1, 52}), "{" + actor);
  EXPECT_EQ(
      FormatEvent(*event, {1, 51}),
      R"({"status":"start","id":"aa11","from":"nginx node:n1","node":{"Name":"n1","Id":"ID1",)"
      R"("Addr":"10.0.0.1:2375","Ip":"10.0.0.1"},)" +
          actor);
}

struct MatchCase {
  const char* name;
  const char* filters;
  bool matches;
};

class EventMatchTest : public testing::TestWithParam<MatchCase> {};

TEST_P(EventMatchTest, FollowsTheEngine) {
  const auto event = ParseEvent(kEvent, TestNode());
  const auto filters = ParseFilters(GetParam().filters);
  ASSERT_TRUE(filters.ok());
  EXPECT_TRUE(CheckEventFilters(*filters).ok());
  EXPECT_EQ(EventMatches(*event, *filters), GetParam().matches);
}

INSTANTIATE_TEST_SUITE_P(
    , EventMatchTest,
    testing::Values(MatchCase{"None", "{}", true},
                    MatchCase{"Type", R"({"type":["container"]})", true},
                    MatchCase{"OtherType", R"({"type":["network"]})", false},
                    MatchCase{"OneOfTypes", R"({"type":["network","container"]})", true},
                    MatchCase{"Name", R"({"container":["web"]})", true},
                    MatchCase{"IdPrefix", R"({"container":["aa"]})", true},
                    MatchCase{"NodeAndName", R"({"container":["n1/web"]})", true},
                    MatchCase{"OtherNodeAndName", R"({"container":["n2/web"]})", false},
                    MatchCase{"OtherName", R"({"container":["db"]})", false},
                    MatchCase{"Event", R"({"event":["start"]})", true},
                    MatchCase{"EventIsNoPrefix", R"({"event":["st"]})", false},
                    MatchCase{"Image", R"({"image":["nginx"]})", true},
                    MatchCase{"OtherImage", R"({"image":["redis"]})", false},
                    MatchCase{"Label", R"({"label":["tier"]})", true},
                    MatchCase{"LabelValue", R"({"label":["tier=front"]})", true},
                    MatchCase{"LabelsAllNeeded", R"({"label":["tier=front","other"]})", false},
                    MatchCase{"Node", R"({"node":["n1"]})", true},
                    MatchCase{"NodeGlob", R"({"node":["n*"]})", true},
                    MatchCase{"NodeId", R"({"node":["ID1"]})", true},
                    MatchCase{"OtherNode", R"({"node":["n2"]})", false},
                    MatchCase{"Scope", R"({"scope":["swarm"]})", false},
                    MatchCase{"AllKeysNeeded", R"({"type":["container"],"event":["die"]})", false}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(EventMatchesTest, TakesExecsAndTagsByTheirFirstPart) {
  ClusterEvent event;
  event.type = "container";
  event.action = "exec_start: ls -l";
  event.attributes["image"] = "localhost:5000/nginx:1.2";
  EXPECT_TRUE(EventMatches(event, {{"event", {"exec_start"}}}));
  EXPECT_FALSE(EventMatches(event, {{"event", {"exec_die"}}}));
  EXPECT_TRUE(EventMatches(event, {{"image", {"localhost:5000/nginx"}}}));
  EXPECT_FALSE(EventMatches(event, {{"image", {"localhost"}}}));
}

TEST(CheckEventFiltersTest, RefusesUnknownKeys) {
  const absl::Status status = CheckEventFilters({{"nothing", {"x"}}});
  EXPECT_EQ(HttpStatusOf(status), 400);
  EXPECT_EQ(MessageOf(status), "invalid filter 'nothing'");
}

}  // namespace
}  // namespace swarm
