// Requests for networks and volumes that no engine is asked for.
#include <gtest/gtest.h>

#include <string>

#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

class ObjectRequestsTest : public ApiTest {
 protected:
  ObjectRequestsTest() { AddUsual(); }
};

TEST_F(ObjectRequestsTest, AnUnknownNodeInANameIsRefused) {
  for (const char* what : {"network", "volume"}) {
    const std::string target = std::string("/v1.41/") + what + "s/create";
    const Reply reply = Send("POST", target, R"({"Name":"node-9/x"})");
    EXPECT_EQ(reply.status, 400) << what;
    EXPECT_NE(reply.body.find("there is no node \\\"node-9\\\""), std::string::npos) << reply.body;
    EXPECT_NE(reply.body.find(what), std::string::npos) << reply.body;
    EXPECT_TRUE(cluster_.seen.empty()) << what;
    Send("POST", target, R"({"Name":"n1/x"})");
    EXPECT_EQ(cluster_.seen.size(), 1U) << what;
    cluster_.seen.clear();
  }
}

TEST_F(ObjectRequestsTest, AnUnknownTypeOfNetworkIsRefused) {
  const Reply refused = Send("GET", "/v1.41/networks?filters=%7B%22type%22%3A%5B%22foo%22%5D%7D");
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("invalid filter: 'type'='foo'"), std::string::npos) << refused.body;
  EXPECT_TRUE(cluster_.seen.empty());
  for (const char* type : {"custom", "builtin"}) {
    const std::string target =
        std::string("/v1.41/networks?filters=%7B%22type%22%3A%7B%22") + type + "%22%3Atrue%7D%7D";
    EXPECT_EQ(Send("GET", target).status, 200) << type;
  }
}

}  // namespace
}  // namespace swarm::testing
