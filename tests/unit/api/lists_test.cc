#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

class ListsTest : public ApiTest {
 protected:
  void SetUp() override {
    AddUsual();
    AddContainer("n1", 'd', "api", ContainerState::kRunning, 300, [](Container& container) {
      container.labels = {{"tier", "front"}, {"zone", "external"}};
      container.image = "nginx:latest";
      container.image_id = "sha256:" + std::string(64, '1');
      container.networks = {"bridge", "back"};
      container.network_ids = {"beef0001", "cafe0001"};
      container.volumes = {"data", "/data"};
      container.wanted_ports = {{"", 8080, 8080, 80, "tcp"}};
      container.bound_ports = container.wanted_ports;
      container.exposed_ports = {{"", 0, 0, 53, "udp"}};
      container.has_health = true;
      container.health = "healthy";
    });
    AddContainer("n2", 'e', "failed", ContainerState::kExited, 250,
                 [](Container& container) { container.exit_code = 137; });
    AddImage("n1", std::string(64, '1'), {"nginx:latest", "web:v2"});
  }

  // The names shown, in order.
  std::string Names(const std::string& query) {
    Reply reply = Send("GET", "/v1.41/containers/json?" + query);
    const std::string body = BodyOf(reply);
    if (reply.status != 200) return std::to_string(reply.status) + " " + body;
    std::string names;
    for (std::size_t at = body.find("\"/"); at != std::string::npos;
         at = body.find("\"/", at + 1)) {
      const std::size_t end = body.find('"', at + 1);
      if (!names.empty()) names += ' ';
      names += body.substr(at + 2, end - at - 2);
    }
    return names;
  }

  static std::string Filters(const std::string& json) { return "filters=" + PercentEncode(json); }
};

TEST_F(ListsTest, QueriesAndFilters) {
  struct Case {
    std::string query;
    std::string names;
  };
  const std::string id_a = FullId('a');
  const Case cases[] = {
      {"", "api db web"},
      {"all=0", "api db web"},
      {"all=false", "api db web"},
      {"all=1", "api failed db web old"},
      {"all=True", "api failed db web old"},
      {"limit=-1", "api db web"},
      {"limit=0", "api db web"},
      {"limit=2", "api failed"},
      {"limit=2&all=1", "api failed"},
      {"size=1", "api db web"},
      {"before=db", "web old"},
      {"since=db", "api failed"},
      {"all=1&" + Filters("{\"before\":[\"n2/failed\"],\"since\":[\"old\"]}"), "db web"},
      {Filters("{\"before\":[\"api\"]}"), "db web"},
      {Filters("{\"id\":{\"" + id_a.substr(0, 12) + "\":true}}"), "web"},
      {Filters("{\"id\":[\"" + id_a + "\"]}"), "web"},
      {"all=1&" + Filters("{\"id\":[\"" + id_a + "\",\"" + FullId('d') + "\",\"" + id_a + "\"]}"),
       "api web"},
      {Filters("{\"id\":[\"" + id_a + "\"],\"name\":[\"db\"]}"), ""},
      {Filters("{\"id\":[\"" + FullId('7') + "\"]}"), ""},
      {Filters("{\"id\":[\"" + id_a + "\",\"d\"]}"), "api web"},
      {Filters("{\"name\":[\"^/web$\"]}"), "web"},
      {Filters("{\"name\":[\"^web$\"]}"), "web"},
      {Filters("{\"name\":[\"e\"]}"), "web"},
      {Filters("{\"name\":[\"^n2/\"]}"), "db"},
      {Filters("{\"name\":[\"^/n1/web$\",\"^db$\"]}"), "db web"},
      {Filters("{\"name\":[\"(\"]}"), ""},
      {Filters("{\"label\":[\"tier\"]}"), "api"},
      {Filters("{\"label\":[\"tier=front\",\"zone=external\"]}"), "api"},
      {Filters("{\"label\":[\"tier=front\",\"zone=internal\"]}"), ""},
      {Filters("{\"status\":[\"exited\"]}"), "failed old"},
      {Filters("{\"status\":[\"exited\",\"running\"]}"), "api failed db web old"},
      {"all=1&" + Filters("{\"exited\":[\"137\"]}"), "failed"},
      {"all=1&" + Filters("{\"exited\":[\"0\",\"137\"]}"), "failed old"},
      {Filters("{\"health\":[\"healthy\"]}"), "api"},
      {Filters("{\"health\":[\"none\"]}"), "db web"},
      {Filters("{\"ancestor\":[\"nginx\"]}"), "api"},
      {Filters("{\"ancestor\":[\"web:v2\"]}"), "api"},
      {Filters("{\"ancestor\":[\"busybox\"]}"), "db web"},
      {Filters("{\"ancestor\":[\"n1/nginx\"]}"), "api"},
      {Filters("{\"ancestor\":[\"nosuch\"]}"), ""},
      {Filters("{\"network\":[\"back\"]}"), "api"},
      {Filters("{\"network\":[\"cafe\"]}"), "api"},
      {Filters("{\"network\":[\"n2/back\"]}"), ""},
      {Filters("{\"network\":[\"n1/back\"]}"), "api"},
      {Filters("{\"volume\":[\"/data\"]}"), "api"},
      {Filters("{\"volume\":[\"n1/data\"]}"), "api"},
      {Filters("{\"publish\":[\"8080\"]}"), "api"},
      {Filters("{\"publish\":[\"8079-8081/tcp\"]}"), "api"},
      {Filters("{\"publish\":[\"8080/udp\"]}"), ""},
      {Filters("{\"publish\":[\"80\"]}"), ""},
      {Filters("{\"expose\":[\"80\"]}"), "api"},
      {Filters("{\"expose\":[\"53/udp\"]}"), "api"},
      {Filters("{\"expose\":[\"53\"]}"), ""},
      {Filters("{\"is-task\":[\"true\"]}"), ""},
      {Filters("{\"is-task\":[\"false\"]}"), "api db web"},
      {Filters("{\"node\":[\"n2\"]}"), "db"},
      {Filters("{\"node\":[\"ID-n1\"]}"), "api web"},
      {Filters("{\"node\":[\"n*\"]}"), "api db web"},
      {Filters("{}"), "api db web"},
      {Filters("null"), "api db web"},
  };
  for (const Case& wanted : cases) EXPECT_EQ(Names(wanted.query), wanted.names) << wanted.query;
}

TEST_F(ListsTest, SizesAreAskedOfTheEngines) {
  cluster_.script = [](const Seen& seen) -> absl::StatusOr<Reply> {
    Reply reply;
    if (seen.node == "n1") {
      reply.body = "[{\"Id\":\"" + FullId('a') + "\",\"SizeRw\":5,\"SizeRootFs\":70}]";
    } else {
      reply.status = 500;
    }
    return reply;
  };
  Reply reply = Send("GET", "/v1.41/containers/json?size=1&" + Filters("{\"name\":[\"^web$\"]}"));
  const std::string body = BodyOf(reply);
  EXPECT_NE(body.find("[{\"SizeRw\":5,\"SizeRootFs\":70,\"Id\":\"" + FullId('a')),
            std::string::npos)
      << body;
  EXPECT_EQ(cluster_.seen[0].line, "GET /v1.41/_ping");
  EXPECT_EQ(cluster_.seen[2].line, "GET /v1.41/containers/json?all=1&size=1");
  EXPECT_EQ(Names(Filters("{\"name\":[\"^db$\"]}") + "&size=1"), "db");
}

TEST_F(ListsTest, BadQueriesAreRefused) {
  struct Case {
    std::string query;
    int status;
    std::string text;
  };
  const Case cases[] = {
      {Filters("{"), 400, "invalid"},
      {Filters("[1]"), 400, "invalid"},
      {Filters("{\"name\":1}"), 400, "invalid"},
      {Filters("{\"nosuch\":[\"x\"]}"), 400, "invalid filter 'nosuch'"},
      {Filters("{\"status\":[\"sleepy\"]}"), 400, "invalid filter 'status=sleepy'"},
      {Filters("{\"health\":[\"ill\"]}"), 400, "invalid filter 'health=ill'"},
      {Filters("{\"exited\":[\"x\"]}"), 400, "invalid filter 'exited=x'"},
      {Filters("{\"publish\":[\"70000\"]}"), 400, "invalid filter 'publish=70000'"},
      {Filters("{\"is-task\":[\"maybe\"]}"), 400, "invalid filter 'is-task=maybe'"},
      {Filters("{\"before\":[\"nosuch\"]}"), 404, "No such container: nosuch"},
      {"limit=many", 400, "many"},
  };
  for (const Case& wanted : cases) {
    Reply reply = Send("GET", "/v1.41/containers/json?" + wanted.query);
    EXPECT_EQ(reply.status, wanted.status) << wanted.query << reply.body;
    EXPECT_NE(reply.body.find(wanted.text), std::string::npos)
        << wanted.query << ": " << reply.body;
  }
}

TEST_F(ListsTest, NodesThatAreNotHealthy) {
  cluster_.ChangeNode("n2", [](Node& node) { node.state = NodeState::kUnhealthy; });
  Reply running = Send("GET", "/v1.41/containers/json");
  EXPECT_EQ(HeaderOf(running, "X-Swarmd-Unreachable"), "n2");
  EXPECT_EQ(Names(""), "api web");
  EXPECT_EQ(Names("all=1"), "api failed db web old");
  Reply all = Send("GET", "/v1.41/containers/json?all=1");
  EXPECT_NE(BodyOf(all).find("\"Names\":[\"/db\"],\"Status\":\"Host Down\"}"), std::string::npos)
      << BodyOf(all);
}

// The addresses of the pieces that both answers have.
std::size_t Shared(const Reply& left, const Reply& right) {
  return static_cast<std::size_t>(
      std::count_if(left.pieces.begin(), left.pieces.end(), [&right](const auto& piece) {
        return std::find(right.pieces.begin(), right.pieces.end(), piece) != right.pieces.end();
      }));
}

TEST_F(ListsTest, OnlyWhatHasChangedIsMadeAnew) {
  const char* const all = "/v1.41/containers/json?all=1";
  Reply first = Send("GET", all);
  ASSERT_EQ(first.pieces.size(), 4U);  // five containers in groups of two, and the end
  EXPECT_TRUE(first.pieces.front()->starts_with("[{"));
  EXPECT_EQ(*first.pieces.back(), "]\n");
  EXPECT_EQ(Shared(first, Send("GET", all)), 3U);

  cluster_.Change("db", [](Container& container) { container.state = ContainerState::kExited; });
  Reply changed = Send("GET", all);
  EXPECT_EQ(Shared(first, changed), 2U);
  EXPECT_NE(BodyOf(changed).find("\"/db\"],\"Status\":\"Exited"), std::string::npos);
  EXPECT_EQ(Shared(changed, Send("GET", all)), 3U);
  // The list of the running ones is kept beside it.
  Reply running = Send("GET", "/v1.41/containers/json");
  EXPECT_EQ(Names(""), "api web");
  EXPECT_EQ(Shared(running, changed), 0U);
  EXPECT_EQ(Shared(changed, Send("GET", all)), 3U);
}

TEST_F(ListsTest, WhatTimeChangesIsMadeAnew) {
  const WallTime start = clock_.Wall();
  cluster_.containers.clear();
  const std::pair<const char*, int> ages[] = {{"young", 50}, {"grown", 600}, {"old", 100'000}};
  for (const auto& [name, age] : ages) {
    for (const char* twin : {"-one", "-two"}) {
      AddContainer("n1", 'f', std::string(name) + twin, ContainerState::kRunning, 5'000 - age,
                   [start, age = age](Container& container) {
                     container.started_at = start - std::chrono::seconds(age);
                   });
    }
  }
  const char* const target = "/v1.41/containers/json";
  Reply first = Send("GET", target);
  ASSERT_EQ(first.pieces.size(), 4U);
  EXPECT_NE(first.pieces[0]->find("Up 50 seconds"), std::string::npos);
  Step(std::chrono::milliseconds(900));
  EXPECT_EQ(Shared(first, Send("GET", target)), 3U);
  Step(std::chrono::milliseconds(100));
  Reply second = Send("GET", target);
  EXPECT_EQ(Shared(first, second), 2U);
  EXPECT_NE(second.pieces[0]->find("Up 51 seconds"), std::string::npos);
  Step(std::chrono::seconds(59));
  Reply minute = Send("GET", target);
  EXPECT_EQ(Shared(first, minute), 1U);
  EXPECT_NE(minute.pieces[1]->find("Up 11 minutes"), std::string::npos);
}

TEST_F(ListsTest, AnAnswerWithAFilterIsKeptForItsSecond) {
  const std::string target =
      "/v1.41/containers/json?" + Filters("{\"status\":[\"running\",\"exited\"]}");
  Reply first = Send("GET", target);
  ASSERT_EQ(first.pieces.size(), 1U);
  EXPECT_TRUE(first.pieces[0]->starts_with("[{"));
  EXPECT_TRUE(first.pieces[0]->ends_with("}]\n"));
  EXPECT_EQ(Shared(first, Send("GET", target)), 1U);
  ++cluster_.generation_number;
  Reply changed = Send("GET", target);
  EXPECT_EQ(Shared(first, changed), 0U);
  Step(std::chrono::seconds(1));
  EXPECT_EQ(Shared(changed, Send("GET", target)), 0U);
}

TEST_F(ListsTest, LongListsComeInPieces) {
  for (int at = 0; at < 5'000; ++at) {
    AddContainer("n1", 'f', "extra" + std::to_string(at), ContainerState::kRunning, 1'000 + at);
  }
  for (const std::string& query : {std::string(), Filters("{\"status\":[\"running\"]}")}) {
    Reply reply = Send("GET", "/v1.41/containers/json?" + query);
    // The beginning leaves before the end is made.
    std::size_t begun = 0;
    for (const auto& piece : reply.pieces) begun += piece->size();
    EXPECT_LE(begun, 300U << 10U);
    ASSERT_NE(reply.body_stream, nullptr);
    const std::string body = BodyOf(reply);
    Reply kept = Send("GET", "/v1.41/containers/json?" + query);
    EXPECT_EQ(kept.body_stream, nullptr);
    EXPECT_GT(kept.pieces.size(), 3U);
    for (const auto& piece : kept.pieces) EXPECT_LE(piece->size(), 128U << 10U);
    EXPECT_EQ(BodyOf(kept), body);
    EXPECT_TRUE(body.starts_with("[{"));
    EXPECT_EQ(body.find("}{"), std::string::npos);
    EXPECT_EQ(body.find(",]"), std::string::npos);
    EXPECT_NE(body.find("extra4999"), std::string::npos);
    EXPECT_NE(body.find("\"/web\""), std::string::npos);
  }
}

TEST_F(ListsTest, ALongListThatIsLeftIsNotKept) {
  for (int at = 0; at < 4'000; ++at) {
    AddContainer("n1", 'f', "extra" + std::to_string(at), ContainerState::kRunning, 1'000 + at);
  }
  for (const std::string& query : {std::string(), Filters("{\"status\":[\"running\"]}")}) {
    Reply left = Send("GET", "/v1.41/containers/json?" + query);
    ASSERT_NE(left.body_stream, nullptr);
    left.body_stream.reset();
    Reply whole = Send("GET", "/v1.41/containers/json?" + query);
    EXPECT_TRUE(BodyOf(whole).ends_with("}]\n"));
  }
  Reply limited = Send("GET", "/v1.41/containers/json?limit=600");
  const std::string body = BodyOf(limited);
  EXPECT_TRUE(body.ends_with("}]\n"));
  EXPECT_EQ(std::count(body.begin(), body.end(), '{'), 600);
}

TEST_F(ListsTest, EmptyListIsAnArray) {
  cluster_.containers.clear();
  Reply reply = Send("GET", "/v1.41/containers/json");
  EXPECT_EQ(BodyOf(reply), "[]\n");
}

TEST_F(ListsTest, NetworksAndVolumesOfAllNodes) {
  cluster_.script = [](const Seen& seen) {
    Reply reply;
    const bool volumes = seen.line.find("/volumes") != std::string::npos;
    if (volumes) {
      reply.body =
          "{\"Volumes\":[{\"Name\":\"data\",\"Driver\":\"local\",\"Scope\":\"local\"}],"
          "\"Warnings\":null}";
    } else {
      reply.body =
          "[{\"Name\":\"bridge\",\"Id\":\"" + seen.node +
          "1\",\"Scope\":\"local\"},{\"Name\":\"wide\",\"Id\":\"w\",\"Scope\":\"global\",\"X\":1}]";
    }
    return reply;
  };
  Reply networks = Send("GET", "/v1.41/networks");
  EXPECT_EQ(BodyOf(networks),
            "[{\"Name\":\"n1/bridge\",\"Id\":\"n11\",\"Scope\":\"local\"},"
            "{\"Name\":\"wide\",\"Id\":\"w\",\"Scope\":\"global\",\"X\":1},"
            "{\"Name\":\"n2/bridge\",\"Id\":\"n21\",\"Scope\":\"local\"}]\n");
  Reply volumes = Send("GET", "/v1.41/volumes");
  EXPECT_EQ(BodyOf(volumes),
            "{\"Volumes\":[{\"Name\":\"n1/data\",\"Driver\":\"local\",\"Scope\":\"local\"},"
            "{\"Name\":\"n2/data\",\"Driver\":\"local\",\"Scope\":\"local\"}],\"Warnings\":[]}\n");
  cluster_.seen.clear();
  Send("GET", "/v1.41/networks?" + Filters("{\"node\":[\"n2\"],\"driver\":[\"bridge\"]}"));
  ASSERT_EQ(cluster_.seen.size(), 1U);
  EXPECT_EQ(cluster_.seen[0].line,
            "GET /v1.41/networks?filters=" + PercentEncode("{\"driver\":{\"bridge\":true}}"));
}

// One engine hangs: everything that is asked of all is answered within a second, and says so.
TEST_F(ListsTest, ANodeThatHangsDoesNotHoldTheOthers) {
  cluster_.script = [](const Seen& seen) -> absl::StatusOr<Reply> {
    if (seen.node == "n1") return FakeEngine::Silence();
    Reply reply;
    if (seen.line.find("/networks/") != std::string::npos) {
      reply.body = "{\"Name\":\"web\"}";
    } else if (seen.line.find("/networks") != std::string::npos) {
      reply.body = "[{\"Name\":\"web\",\"Id\":\"w\",\"Scope\":\"local\"}]";
    } else if (seen.line.find("/volumes") != std::string::npos) {
      reply.body = "{\"Volumes\":[],\"Warnings\":null}";
    } else {
      reply.body = "[{\"Id\":\"" + FullId('b') + "\",\"SizeRw\":5}]";
    }
    return reply;
  };
  struct Case {
    const char* target;
    const char* shown;
    const char* unreachable;
  };
  const Case cases[] = {
      {"/v1.41/networks", "n2/web", "n1"},
      {"/v1.41/volumes", "node n1 are not listed", "n1"},
      {"/v1.41/networks/web", "{\"Name\":\"web\"}", "(none)"},
      {"/v1.41/containers/json?size=1", "\"SizeRw\":5", "(none)"},
  };
  for (const Case& wanted : cases) {
    cluster_.seen.clear();
    auto into = std::make_shared<std::optional<Reply>>();
    loop_.Spawn(Run(*api_, MakeRequest("GET", wanted.target), into));
    Settle();
    EXPECT_FALSE(into->has_value()) << wanted.target;
    const TimePoint asked = clock_.Now();
    ASSERT_TRUE(loop_.StepTime(clock_));
    Settle();
    ASSERT_TRUE(into->has_value()) << wanted.target;
    EXPECT_LT(clock_.Now() - asked, std::chrono::milliseconds(950));
    EXPECT_EQ((*into)->status, 200) << wanted.target;
    EXPECT_EQ(HeaderOf(**into, "X-Swarmd-Unreachable"), wanted.unreachable) << wanted.target;
    EXPECT_NE(BodyOf(**into).find(wanted.shown), std::string::npos) << wanted.target;
    EXPECT_TRUE(cluster_.seen[0].options.stop.stop_requested());
  }
}

TEST_F(ListsTest, KeptListsAreBoundedInBytes) {
  AddContainer("n1", 'f', "large", ContainerState::kRunning, 500);
  auto large = std::make_shared<ContainerEntry>(*cluster_.containers.back());
  large->row.head.insert(1, "\"X\":\"" + std::string(std::size_t{40} << 20, 'x') + "\",");
  cluster_.containers.back() = large;
  const auto is_kept = [this](const std::string& query) {
    const std::string target = "/v1.41/containers/json?" + query;
    Reply first = Send("GET", target);
    BodyOf(first);  // kept once it was read whole
    const Reply second = Send("GET", target);
    const Reply third = Send("GET", target);
    EXPECT_FALSE(third.pieces.empty());
    return second.pieces == third.pieces;
  };
  const std::string only_large = Filters("{\"name\":[\"^large$\"]}");
  EXPECT_TRUE(is_kept(only_large));
  EXPECT_FALSE(is_kept(only_large + "&all=1"));
  EXPECT_TRUE(is_kept(Filters("{\"name\":[\"^web$\"]}")));
}

TEST_F(ListsTest, TheFirstNodeThatHasAnObjectOfTheClusterIsEnough) {
  cluster_.script = [](const Seen& seen) -> absl::StatusOr<Reply> {
    if (seen.node == "n2") return FakeEngine::Silence();
    Reply reply;
    reply.body = R"({"Name":"web","Labels":{"com.docker.swarm.volume.id":"1"}})";
    return reply;
  };
  Reply reply = Send("GET", "/v1.41/volumes/web");  // without time passing
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(cluster_.seen[1].options.stop.stop_requested());
}

TEST_F(ListsTest, AnObjectOfTheClusterIsEnoughBehindANodeThatHangs) {
  cluster_.script = [](const Seen& seen) -> absl::StatusOr<Reply> {
    if (seen.node == "n1") return FakeEngine::Silence();
    Reply reply;
    reply.body = R"({"Name":"web","Labels":{"com.docker.swarm.volume.id":"1"}})";
    return reply;
  };
  Reply reply = Send("GET", "/v1.41/volumes/web");  // without time passing
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(cluster_.seen[0].options.stop.stop_requested());
}

TEST_F(ListsTest, ANodeThatFailsDoesNotFailTheList) {
  cluster_.script = [](const Seen& seen) -> absl::StatusOr<Reply> {
    if (seen.node == "n1") return Unavailable("node n1 is not healthy");
    Reply reply;
    reply.body = "{\"Volumes\":null,\"Warnings\":null}";
    return reply;
  };
  Reply reply = Send("GET", "/v1.41/volumes");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(HeaderOf(reply, "X-Swarmd-Unreachable"), "n1");
  EXPECT_NE(BodyOf(reply).find("\"Volumes\":[]"), std::string::npos);
  EXPECT_NE(BodyOf(reply).find("node n1"), std::string::npos);
}

TEST_F(ListsTest, LookupsOfInspectAnswer404) {
  cluster_.script = [](const Seen&) {
    Reply reply;
    reply.status = 404;
    reply.body = "{\"message\":\"whatever\"}";
    return reply;
  };
  for (const char* path :
       {"/containers/nosuch/json", "/images/nosuch/json", "/networks/nosuch", "/volumes/nosuch",
        "/plugins/nosuch/json", "/networks/..", "/volumes/a%2F..%2Fb"}) {
    Reply reply = Send("GET", std::string("/v1.41") + path);
    EXPECT_EQ(reply.status, 404) << path;
    EXPECT_TRUE(reply.body.starts_with("{\"message\":")) << path << reply.body;
  }
  for (const Seen& seen : cluster_.seen)
    EXPECT_EQ(seen.line.find(".."), std::string::npos) << seen.line;
}

TEST_F(ListsTest, NetworkOfOneNode) {
  cluster_.script = [](const Seen& seen) {
    Reply reply;
    reply.status = seen.node == "n2" ? 200 : 404;
    reply.body = "{\"Name\":\"only\"}";
    return reply;
  };
  EXPECT_EQ(Send("GET", "/v1.41/networks/only").status, 200);
  cluster_.seen.clear();
  EXPECT_EQ(Send("GET", "/v1.41/networks/n1/only").status, 404);
  ASSERT_EQ(cluster_.seen.size(), 1U);
  EXPECT_EQ(cluster_.seen[0].line, "GET /v1.41/networks/only");
}

}  // namespace
}  // namespace swarm::testing
