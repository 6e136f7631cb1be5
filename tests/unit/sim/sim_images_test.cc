// Images of a simulated engine: changed, saved, loaded, imported, committed.
#include <gtest/gtest.h>

#include "sim/sim_engine.h"
#include "sim/tar.h"
#include "unit/sim/sim_support.h"
#include "wire/images.h"

namespace swarm {
namespace {

class SimImagesTest : public SimTest {
 protected:
  std::vector<std::string> TagsOf(const std::string& id) {
    const auto list = ParseImageList(Call("GET", "/images/json").body);
    for (std::size_t at = 0; list.ok() && at < list->images.size(); ++at) {
      if (list->images[at].id == id) return list->images[at].repo_tags;
    }
    return {"(none)"};
  }
  std::string IdOf(const std::string& name) {
    const std::string body = Call("GET", "/images/" + name + "/json").body;
    constexpr std::string_view kKey = "{\"Id\":\"";
    constexpr std::size_t kIdSize = 71;
    return body.starts_with(kKey) ? body.substr(kKey.size(), kIdSize) : std::string();
  }
};

TEST_F(SimImagesTest, TagsAndRemoves) {
  const std::string id = IdOf("busybox");
  EXPECT_EQ(Call("POST", "/images/busybox/tag?repo=reg:5000/mine&tag=v1").status, 201);
  EXPECT_EQ(TagsOf(id), (std::vector<std::string>{"busybox:latest", "reg:5000/mine:v1"}));
  EXPECT_EQ(Call("POST", "/images/nosuch/tag?repo=x").status, 404);
  EXPECT_EQ(Call("POST", "/images/busybox/tag?repo=BAD").status, 400);
  EXPECT_EQ(Call("DELETE", "/images/" + id).status, 409);
  EXPECT_EQ(Call("DELETE", "/images/reg:5000%2Fmine:v1").body,
            "[{\"Untagged\":\"reg:5000/mine:v1\"}]\n");
  EXPECT_EQ(Call("DELETE", "/images/busybox").body,
            "[{\"Untagged\":\"busybox:latest\"},{\"Deleted\":\"" + id + "\"}]\n");
  EXPECT_EQ(Call("DELETE", "/images/busybox").status, 404);
}

TEST_F(SimImagesTest, KeepsWhatContainersUse) {
  Create("web", R"({"Image":"nginx"})");
  EXPECT_EQ(Call("DELETE", "/images/nginx").status, 409);
  EXPECT_EQ(Call("DELETE", "/images/" + IdOf("nginx")).status, 409);
  const std::string id = IdOf("nginx");
  EXPECT_EQ(Call("DELETE", "/images/nginx?force=1").body, "[{\"Untagged\":\"nginx:latest\"}]\n");
  EXPECT_TRUE(TagsOf(id).empty());
  EXPECT_NE(Call("POST", "/images/prune").body.find("\"ImagesDeleted\":null"), std::string::npos);
  Call("DELETE", "/containers/web");
  EXPECT_NE(Call("POST", "/images/prune").body.find("{\"Deleted\":\"" + id + "\"}"),
            std::string::npos);
  const Reply all = Call("POST", "/images/prune?filters=%7B%22dangling%22%3A%5B%22false%22%5D%7D");
  EXPECT_NE(all.body.find("{\"Untagged\":\"redis:latest\"}"), std::string::npos) << all.body;
  EXPECT_EQ(Call("GET", "/images/json").body, "[]\n");
  EXPECT_EQ(Call("POST", "/images/prune?filters=%7B%22node%22%3A%5B%22n1%22%5D%7D").status, 400);
}

TEST_F(SimImagesTest, ImagesMoveToAnotherEngine) {
  const std::string busybox = IdOf("busybox"), redis = IdOf("redis");
  const std::string both = Call("GET", "/images/get?names=busybox&names=redis").body;
  const std::string nameless = Call("GET", "/images/" + redis + "/get").body;
  EXPECT_EQ(Call("GET", "/images/get?names=busybox&names=nosuch").status, 404);
  SimEngineOptions empty;
  empty.images = {};
  UseEngine(std::move(empty));
  EXPECT_EQ(Call("POST", "/images/load", nameless).body,
            "{\"stream\":\"Loaded image ID: " + redis + "\\n\"}\r\n");
  EXPECT_EQ(Call("POST", "/images/load", both).body,
            "{\"stream\":\"Loaded image: busybox:latest\\n\"}\r\n"
            "{\"stream\":\"Loaded image: redis:latest\\n\"}\r\n");
  EXPECT_EQ(IdOf("busybox"), busybox);
  EXPECT_EQ(TagsOf(redis), std::vector<std::string>{"redis:latest"});
  EXPECT_EQ(Call("POST", "/images/load", "no archive").status, 500);
}

TEST_F(SimImagesTest, ImportsAndCommits) {
  const std::string archive = WriteTar({{"etc/motd", "hello"}});
  const std::string line = Call("POST", "/images/create?fromSrc=-&repo=mine&tag=1", archive).body;
  EXPECT_NE(line.find(IdOf("mine:1")), std::string::npos) << line;
  EXPECT_EQ(Call("POST", "/images/create").status, 400);
  Create("web", R"({"Image":"nginx"})");
  const Reply made = Call("POST", "/commit?container=web&repo=made");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.body, "{\"Id\":\"" + IdOf("made") + "\"}\n");
  EXPECT_EQ(Call("POST", "/commit?container=nosuch").status, 404);
}

TEST_F(SimImagesTest, PushesAndTellsOfRegistries) {
  const std::string pushed = Call("POST", "/images/busybox/push?tag=latest").body;
  EXPECT_NE(pushed.find("latest: digest: sha256:"), std::string::npos) << pushed;
  EXPECT_EQ(Call("POST", "/images/nosuch/push").status, 404);
  EXPECT_EQ(Call("GET", "/distribution/busybox/json").status, 200);
  EXPECT_EQ(Call("POST", "/build/prune").body, "{\"CachesDeleted\":null,\"SpaceReclaimed\":0}\n");
}

}  // namespace
}  // namespace swarm
