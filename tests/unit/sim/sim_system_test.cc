#include <gtest/gtest.h>

#include "unit/sim/sim_support.h"
#include "wire/disk_usage.h"
#include "wire/json.h"

namespace swarm {
namespace {

class SimSystemTest : public SimTest {};

TEST_F(SimSystemTest, TellsWhatItsDiskHolds) {
  const std::string id = Create("web", R"({"Image":"busybox","Cmd":["sleep","9"]})");
  EXPECT_EQ(Call("POST", "/containers/web/start").status, 204);
  const Reply reply = Call("GET", "/v1.41/system/df");
  ASSERT_EQ(reply.status, 200);
  JsonDocument document;
  ASSERT_TRUE(document.Parse(reply.body).ok()) << reply.body;
  const std::vector<JsonValue> rows = document.root().Find("Containers").elements();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].Find("Id").text(), id);
  EXPECT_GT(rows[0].Find("SizeRw").integer().value_or(0), 0);
  EXPECT_GT(document.root().Find("LayersSize").integer().value_or(0), 0);
  int used = 0;
  document.root().Find("Images").ForEachElement([&used](JsonValue image) {
    used += static_cast<int>(image.Find("Containers").integer().value_or(0));
  });
  EXPECT_EQ(used, 1);
  DiskUsage usage({});
  Node node;
  node.name = "n1";
  EXPECT_TRUE(usage.Add(reply.body, node).ok());
}

TEST_F(SimSystemTest, PrunesWhatDoesNotRun) {
  const std::string body = R"({"Image":"busybox","Cmd":["sleep","9"],"Labels":{"a":"b"}})";
  const std::string one = Create("one", body);
  const std::string two = Create("two", R"({"Image":"busybox","Cmd":["true"]})");
  Create("up", body);
  ASSERT_EQ(Call("POST", "/containers/up/start").status, 204);
  auto events = Open("GET", "/events");
  EXPECT_EQ(Call("POST", R"(/containers/prune?filters={"nosuch":["x"]})").status, 400);
  Reply reply = Call("POST", R"(/containers/prune?filters={"label":["a=b"]})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.body.find("{\"ContainersDeleted\":[\"" + one + "\"],\"SpaceReclaimed\":"),
            std::string::npos)
      << reply.body;
  reply = Call("POST", "/containers/prune");
  EXPECT_NE(reply.body.find(two), std::string::npos) << reply.body;
  EXPECT_EQ(engine_->container_count(), 1u);
  Settle();
  EXPECT_NE(events->text().find("\"Action\":\"destroy\""), std::string::npos);
  EXPECT_NE(events->text().find("\"Action\":\"prune\""), std::string::npos);
  EXPECT_EQ(Call("POST", "/containers/prune").body,
            "{\"ContainersDeleted\":null,\"SpaceReclaimed\":0}\n");
}

TEST_F(SimSystemTest, HasNoPluginsAndNoCheckpoints) {
  Create("web", R"({"Image":"busybox"})");
  EXPECT_EQ(Call("GET", "/plugins").body, "[]\n");
  EXPECT_EQ(Call("GET", "/plugins/vieux/sshfs/json").status, 404);
  EXPECT_EQ(Call("GET", "/containers/web/checkpoints").status, 501);
  EXPECT_EQ(Call("GET", "/containers/nosuch/checkpoints").status, 404);
}

}  // namespace
}  // namespace swarm
