// Networks and volumes of a simulated engine.
#include <gtest/gtest.h>

#include "unit/sim/sim_support.h"

namespace swarm {
namespace {

class SimObjectsTest : public SimTest {
 protected:
  struct Case {
    const char* method;
    const char* target;
    const char* body;
    int status;
    const char* says;  // a part of the answer
  };

  template <std::size_t kCount>
  void Check(const Case (&cases)[kCount]) {
    for (const Case& wanted : cases) {
      const std::string line = std::string(wanted.method) + " " + wanted.target;
      const Reply reply = Call(wanted.method, std::string("/v1.41") + wanted.target, wanted.body);
      EXPECT_EQ(reply.status, wanted.status) << line << ": " << reply.body;
      EXPECT_NE(reply.body.find(wanted.says), std::string::npos) << line << ": " << reply.body;
    }
  }
};

TEST_F(SimObjectsTest, NetworksAsAnEngineHasThem) {
  Create("web", R"({"Image":"busybox","Cmd":["sleep","60"],"HostConfig":{"NetworkMode":"back"}})");
  const Case cases[] = {
      {"POST", "/containers/web/start", "", 404, "network back not found"},
      {"POST", "/networks/create", R"({"Name":"bridge"})", 403, "predefined bridge network"},
      {"POST", "/networks/create", R"({"Name":"back","Labels":{"a":"b"}})", 201, "\"Id\":\""},
      {"POST", "/networks/create", R"({"Name":"back"})", 409, "name back already exists"},
      {"POST", "/networks/create", "{", 400, "JSON"},
      {"POST", "/containers/web/start", "", 204, ""},
      {"GET", "/networks/back", "", 200, R"({"Name":"web"})"},
      {"GET", "/networks/nosuch", "", 404, "network nosuch not found"},
      {"GET", "/networks", "", 200, R"("Name":"host")"},
      {"GET", "/networks?filters={\"type\":[\"custom\"]}", "", 200, R"([{"Name":"back")"},
      {"GET", "/networks?filters={\"label\":[\"a=c\"]}", "", 200, "[]"},
      {"DELETE", "/networks/back", "", 403, "has active endpoints"},
      {"DELETE", "/networks/bridge", "", 403, "pre-defined network"},
      {"POST", "/networks/bridge/connect", R"({"Container":"web"})", 200, ""},
      {"POST", "/networks/bridge/connect", R"({"Container":"web"})", 403, "already exists"},
      {"GET", "/containers/web/json", "", 200, R"("bridge":{"IPAMConfig")"},
      {"POST", "/networks/back/disconnect", R"({"Container":"web"})", 200, ""},
      {"POST", "/networks/back/disconnect", R"({"Container":"web"})", 403, "is not connected"},
      {"POST", "/networks/back/disconnect", R"({"Container":"no"})", 404, "No such container"},
      {"POST", "/networks/create", R"({"Name":"idle"})", 201, ""},
      {"DELETE", "/networks/back", "", 204, ""},
      {"POST", "/networks/prune", "", 200, R"({"NetworksDeleted":["idle"]})"},
  };
  Check(cases);
}

TEST_F(SimObjectsTest, VolumesAsAnEngineHasThem) {
  Create(
      "web",
      R"({"Image":"busybox","Cmd":["sleep","60"],"HostConfig":{"Binds":["made:/d:ro","/tmp:/t"]}})");
  const Case cases[] = {
      {"GET", "/containers/web/json", "", 200, R"("Name":"made")"},
      {"GET", "/volumes/made", "", 200, R"("Scope":"local")"},
      {"POST", "/volumes/create", R"({"Name":"data","Labels":{"a":"b"}})", 201, R"("a":"b")"},
      {"POST", "/volumes/create", R"({"Name":"data"})", 201, R"("a":"b")"},
      {"POST", "/volumes/create", R"({"Name":"n1/data"})", 400, "invalid characters"},
      {"GET", "/volumes?filters={\"name\":[\"ata\"]}", "", 200, R"("Name":"data")"},
      {"GET", "/volumes?filters={\"dangling\":[\"false\"]}", "", 200, R"("Name":"made")"},
      {"GET", "/volumes/nosuch", "", 404, "get nosuch: no such volume"},
      {"DELETE", "/volumes/made", "", 409, "volume is in use"},
      {"DELETE", "/volumes/nosuch", "", 404, "no such volume"},
      {"DELETE", "/volumes/nosuch?force=1", "", 204, ""},
      {"POST", "/volumes/prune", "", 200, R"("VolumesDeleted":["data"])"},
      {"DELETE", "/containers/web", "", 204, ""},
      {"DELETE", "/volumes/made", "", 204, ""},
  };
  Check(cases);
}

// From API 1.42 on a prune means volumes without a name of their own.
TEST_F(SimObjectsTest, PruneOfANewEngine) {
  UseEngine({.version = "26.1.5", .api_version = "1.45"});
  Call("POST", "/v1.45/volumes/create", "{}");
  Call("POST", "/v1.45/volumes/create", R"({"Name":"named"})");
  const Reply some = Call("POST", "/v1.45/volumes/prune");
  EXPECT_EQ(some.body.find("named"), std::string::npos) << some.body;
  EXPECT_GT(some.body.size(), 64U);
  const Reply all = Call("POST", "/v1.45/volumes/prune?filters={\"all\":[\"1\"]}");
  EXPECT_NE(all.body.find("\"named\""), std::string::npos) << all.body;
  EXPECT_EQ(Call("POST", "/v1.41/volumes/prune?filters={\"all\":[\"1\"]}").status, 400);
}

}  // namespace
}  // namespace swarm
