// Networks of the cluster and compose projects, over simulated engines.
#include <algorithm>

#include "sim/faults.h"
#include "tests/sim/objects_world.h"

namespace swarm {
namespace {

class NetworksTest : public ObjectsTest {
 protected:
  static std::string In(const std::string& network, const std::string& node = {}) {
    const std::string env = node.empty() ? "" : R"(,"Env":["constraint:node==)" + node + R"("])";
    return Run(R"("NetworkMode":")" + network + R"(")", env);
  }
  static std::string InProject(const std::string& network, const std::string& volume = {}) {
    std::string host = R"("NetworkMode":")" + network + R"(")";
    if (!volume.empty()) host += R"(,"Binds":[")" + volume + R"(:/d"])";
    return Run(host, R"(,"Labels":{"com.docker.compose.project":"p"})");
  }
  std::string MakeNetwork(const std::string& name, const std::string& more = {}) {
    const Answer made =
        Ask("POST", "/networks/create", R"({"Name":")" + name + R"(")" + more + "}");
    EXPECT_EQ(made.status, 201) << made.body;
    JsonDocument document;
    return document.Parse(made.body).ok() ? document.root().Find("Id").text() : std::string();
  }
};

TEST_F(NetworksTest, OneNetworkOverNodes) {
  const std::string id = MakeNetwork("back", R"(,"Labels":{"a":"b"})");
  EXPECT_EQ(Holders("/networks/back"), 1);
  // The scheduler spreads: each node gets its copy when it is needed there.
  for (std::size_t at = 0; at < 3; ++at) {
    const std::string name = "c" + std::to_string(at);
    EXPECT_EQ(Create(name, In("back", NameOf(at))).status, 201);
    EXPECT_EQ(Ask("POST", "/containers/" + name + "/start").status, 204);
  }
  EXPECT_EQ(Holders("/networks/back"), 3);
  const Answer list = Ask("GET", "/networks");
  EXPECT_TRUE(Has(Names(list), "back")) << list.body;
  EXPECT_TRUE(Has(Names(list), NameOf(0) + "/bridge")) << list.body;
  EXPECT_EQ(list.body.find("com.docker.swarm"), std::string::npos) << list.body;
  EXPECT_NE(list.body.find(id), std::string::npos);
  const Answer inspect = Ask("GET", "/networks/back");
  EXPECT_EQ(inspect.status, 200);
  EXPECT_NE(inspect.body.find(id), std::string::npos) << inspect.body;
  EXPECT_EQ(inspect.body.find("com.docker.swarm"), std::string::npos) << inspect.body;
  for (const char* name : {"c0", "c1", "c2"}) {
    EXPECT_NE(inspect.body.find(std::string("{\"Name\":\"") + name + "\"}"), std::string::npos);
  }
  // Every copy's id stands for the whole.
  for (std::size_t at = 0; at < 3; ++at) {
    JsonDocument document;
    const Answer copy = AskEngine(at, "GET", "/networks/back");
    ASSERT_TRUE(document.Parse(copy.body).ok());
    EXPECT_EQ(Ask("GET", "/networks/" + document.root().Find("Id").text()).body, inspect.body);
    EXPECT_NE(copy.body.find(R"("a":"b")"), std::string::npos) << copy.body;
  }
  // So does each for `ps --filter network=`, as does its beginning, and the name.
  for (const std::string& reference : {id, id.substr(0, 12), std::string("back")}) {
    const Answer in_it =
        Ask("GET", "/containers/json?filters=%7B%22network%22%3A%5B%22" + reference + "%22%5D%7D");
    for (const char* name : {"/c0", "/c1", "/c2"}) {
      EXPECT_NE(in_it.body.find(std::string("\"") + name + "\""), std::string::npos)
          << reference << ": " << in_it.body;
    }
  }
  EXPECT_EQ(Ask("GET", "/containers/json?filters=%7B%22network%22%3A%5B%22" + std::string(64, '7') +
                           "%22%5D%7D")
                .body,
            "[]\n");
  const Answer in_use = Ask("DELETE", "/networks/back");
  EXPECT_EQ(in_use.status, 403);
  EXPECT_NE(in_use.body.find("(node " + NameOf(1) + ")"), std::string::npos) << in_use.body;
  for (const char* name : {"c0", "c1", "c2"}) {
    EXPECT_EQ(Ask("DELETE", std::string("/containers/") + name + "?force=1").status, 204);
  }
  EXPECT_EQ(Ask("DELETE", "/networks/back").status, 204);
  EXPECT_EQ(Holders("/networks/back"), 0);
  EXPECT_EQ(Ask("DELETE", "/networks/back").status, 404);
  EXPECT_EQ(Ask("DELETE", "/networks/bridge").status, 403);
}

TEST_F(NetworksTest, ANameIsTakenOnce) {
  MakeNetwork("back");
  EXPECT_EQ(Ask("POST", "/networks/create", R"({"Name":"back","CheckDuplicate":true})").status,
            409);
  EXPECT_EQ(Ask("POST", "/networks/create", R"({"Name":"back"})").status, 409);
  EXPECT_EQ(Ask("POST", "/networks/create", R"({"Name":"bridge"})").status, 403);
  AskEngine(1, "POST", "/networks/create", R"({"Name":"own"})");
  const Answer taken = Ask("POST", "/networks/create", R"({"Name":"own"})");
  EXPECT_EQ(taken.status, 409);
  EXPECT_NE(taken.body.find(NameOf(1)), std::string::npos) << taken.body;
}

TEST_F(NetworksTest, ANodesOwnNetworkStaysThere) {
  MakeNetwork(NameOf(2) + "/own");
  EXPECT_TRUE(Has(Names(Ask("GET", "/networks")), NameOf(2) + "/own"));
  for (const std::string& network : {std::string("own"), NameOf(2) + "/own"}) {
    const std::string name = network == "own" ? "plain" : "named";
    EXPECT_EQ(Create(name, In(network)).status, 201);
    EXPECT_EQ(NodeOf(name), NameOf(2));
  }
  EXPECT_EQ(Holders("/networks/own"), 1);
  EXPECT_EQ(Ask("DELETE", "/networks/" + NameOf(1) + "/own").status, 404);
  // A second one elsewhere: the plain name says no longer which.
  AskEngine(0, "POST", "/networks/create", R"({"Name":"own"})");
  EXPECT_EQ(Ask("DELETE", "/networks/own").status, 409);
  EXPECT_EQ(Ask("DELETE", "/networks/" + NameOf(2) + "/own").status, 204);
}

TEST_F(NetworksTest, ConnectGoesToTheContainer) {
  MakeNetwork("back");
  for (std::size_t at = 0; at < 3; ++at) {
    const std::string name = "c" + std::to_string(at);
    EXPECT_EQ(Create(name, In("bridge", NameOf(at))).status, 201);
    EXPECT_EQ(Ask("POST", "/containers/" + name + "/start").status, 204);
    const std::string body =
        R"({"Container":")" + name + R"(","EndpointConfig":{"Aliases":["x"]}})";
    EXPECT_EQ(Ask("POST", "/networks/back/connect", body).status, 200);
    const auto entry = world_.cluster().FindContainer(name);
    ASSERT_TRUE(entry.ok());
    EXPECT_TRUE(Has((*entry)->container.networks, "back"));
  }
  EXPECT_EQ(Holders("/networks/back"), 3);
  const Answer twice = Ask("POST", "/networks/back/connect", R"({"Container":"c1"})");
  EXPECT_EQ(twice.status, 403);
  EXPECT_EQ(Ask("POST", "/networks/nosuch/connect", R"({"Container":"c1"})").status, 404);
  EXPECT_EQ(Ask("POST", "/networks/back/connect", R"({"Container":"nosuch"})").status, 404);
  EXPECT_EQ(Ask("POST", "/networks/back/connect", "{}").status, 400);
  const std::string elsewhere = "/networks/" + NameOf(0) + "/back/connect";
  EXPECT_EQ(Ask("POST", elsewhere, R"({"Container":"c1"})").status, 409);
  EXPECT_EQ(Ask("POST", "/networks/back/disconnect", R"({"Container":"c1"})").status, 200);
  EXPECT_EQ(Ask("POST", "/networks/back/disconnect", R"({"Container":"c1"})").status, 403);
}

TEST_F(NetworksTest, PruneTellsOnlyWhatIsGoneEverywhere) {
  MakeNetwork("used");
  MakeNetwork("idle");
  for (std::size_t at = 0; at < 3; ++at) {
    EXPECT_EQ(Create("c" + std::to_string(at), In("used", NameOf(at))).status, 201);
  }
  EXPECT_EQ(Ask("DELETE", "/containers/c1").status, 204);
  AskEngine(1, "POST", "/networks/create", R"({"Name":"own"})");
  const Answer pruned = Ask("POST", "/networks/prune");
  EXPECT_EQ(pruned.status, 200);
  EXPECT_EQ(pruned.body, "{\"NetworksDeleted\":[\"idle\",\"" + NameOf(1) + "/own\"]}\n");
  EXPECT_EQ(Holders("/networks/used"), 2);
  // It comes back where it is needed.
  EXPECT_EQ(Create("again", In("used", NameOf(1))).status, 201);
  EXPECT_EQ(Holders("/networks/used"), 3);
}

// As tests of programs do it: one network, containers in it that talk by name.
TEST_F(NetworksTest, ContainersOfANetworkGoWhereItIs) {
  MakeNetwork("back");
  for (const char* name : {"c0", "c1", "c2"}) {
    EXPECT_EQ(Create(name, Run(R"("NetworkMode":"back")")).status, 201);
  }
  EXPECT_EQ(Holders("/networks/back"), 1);
  // A wish only: who says where it shall be gets a copy there.
  for (std::size_t at = 0; at < 3; ++at) {
    const std::string name = "d" + std::to_string(at);
    EXPECT_EQ(Create(name, In("back", NameOf(at))).status, 201);
  }
  EXPECT_EQ(Holders("/networks/back"), 3);
}

TEST_F(NetworksTest, AProjectThatSharesANetworkStaysTogether) {
  MakeNetwork("p_default", R"(,"Labels":{"com.docker.compose.project":"p"})");
  for (const char* name : {"c0", "c1", "c2", "c3"}) {
    EXPECT_EQ(Create(name, InProject("p_default")).status, 201);
    EXPECT_EQ(NodeOf(name), NodeOf("c0"));
  }
  EXPECT_EQ(Holders("/networks/p_default"), 1);
  const std::string other = NodeOf("c0") == NameOf(0) ? NameOf(1) : NameOf(0);
  std::string body = InProject("p_default");
  body.insert(1, R"("Env":["constraint:node==)" + other + R"("],)");
  const Answer refused = Create("c4", body);
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.body.find("compose project p is on " + NodeOf("c0")), std::string::npos)
      << refused.body;
}

TEST_F(NetworksTest, LabelsTellAfterARestart) {
  const std::string id = MakeNetwork("back", R"(,"Options":{"x":"y"})");
  Restart();
  for (std::size_t at = 0; at < 3; ++at) {
    EXPECT_EQ(Create("c" + std::to_string(at), In("back", NameOf(at))).status, 201);
    EXPECT_NE(AskEngine(at, "GET", "/networks/back").body.find(R"("x":"y")"), std::string::npos);
  }
  EXPECT_TRUE(Has(Names(Ask("GET", "/networks")), "back"));
  EXPECT_EQ(Ask("GET", "/networks/" + id).status, 200);
  EXPECT_EQ(Ask("DELETE", "/networks/back").status, 204);
  EXPECT_EQ(Holders("/networks/back"), 0);
}

// down and up again: the volumes are where they were, and the rest comes to them.
TEST_F(NetworksTest, AProjectComesBackToItsVolumes) {
  const std::string labels = R"(,"Labels":{"com.docker.compose.project":"p"})";
  Ask("POST", "/volumes/create", R"({"Name":"p_data")" + labels + "}");
  MakeNetwork("p_default", labels);
  EXPECT_EQ(Create("web", InProject("p_default")).status, 201);
  EXPECT_EQ(Create("db", InProject("p_default", "p_data")).status, 201);
  const std::string home = NodeOf("web");
  EXPECT_EQ(NodeOf("db"), home);
  EXPECT_EQ(Ask("DELETE", "/containers/web").status, 204);
  EXPECT_EQ(Ask("DELETE", "/containers/db").status, 204);
  EXPECT_EQ(Ask("DELETE", "/networks/p_default").status, 204);
  // What is there meanwhile makes the other nodes look better.
  for (int i = 0; i < 2; ++i) {
    const std::string body = In("bridge", home);
    EXPECT_EQ(Create("filler" + std::to_string(i), body).status, 201);
  }
  MakeNetwork("p_default", labels);
  EXPECT_EQ(Create("web", InProject("p_default")).status, 201);
  EXPECT_EQ(Create("db", InProject("p_default", "p_data")).status, 201);
  EXPECT_EQ(NodeOf("web"), home);
  EXPECT_EQ(NodeOf("db"), home);
  EXPECT_EQ(Holders("/networks/p_default"), 1);
}

TEST_F(NetworksTest, ANetworkThatANodeHasOfItsOwnIsNotTakenForOurs) {
  MakeNetwork("back");
  std::size_t free = 0;
  while (AskEngine(free, "GET", "/networks/back").status == 200) ++free;
  AskEngine(free, "POST", "/networks/create", R"({"Name":"back"})");
  const Answer refused = Create("web", In("back", NameOf(free)));
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_NE(refused.body.find(NameOf(free)), std::string::npos) << refused.body;
}

TEST_F(NetworksTest, AnInspectOfAPlainNameShowsTheClustersNetwork) {
  const std::string id = MakeNetwork(
      "back", R"(,"Labels":{"com.docker.swarm.constraints":"[\"node==)" + NameOf(2) + R"(\"]"})");
  ASSERT_EQ(AskEngine(2, "GET", "/networks/back").status, 200);
  const Answer own = AskEngine(0, "POST", "/networks/create", R"({"Name":"back"})");
  ASSERT_EQ(own.status, 201) << own.body;
  const Answer plain = Ask("GET", "/networks/back");
  EXPECT_NE(plain.body.find(id), std::string::npos) << plain.body;
  const Answer of_node = Ask("GET", "/networks/" + NameOf(0) + "/back");
  EXPECT_EQ(of_node.status, 200);
  EXPECT_EQ(of_node.body.find(id), std::string::npos) << of_node.body;
}

}  // namespace
}  // namespace swarm
