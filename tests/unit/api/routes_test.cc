// Every documented endpoint: served, or refused by design; none unrouted.
#include <cstdio>
#include <set>

#include "api/router.h"
#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

struct Endpoint {
  const char* method;
  const char* path;  // as a client asks; a container is web (id aaa...) on n1
  int status;        // with two idle engines that answer 200
  const char* seen;  // the one request that an engine got, or "" for none
};

constexpr char kWeb[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

// In the order of the Docker Engine API's documentation.
constexpr Endpoint kEndpoints[] = {
    {"GET", "/_ping", 200, ""},
    {"HEAD", "/_ping", 200, ""},
    {"GET", "/version", 200, ""},
    {"GET", "/info", 200, ""},
    {"GET", "/events?until=1", 200, ""},
    {"GET", "/system/df?type=image", 200, "GET /v1.41/system/df?type=image"},
    {"POST", "/auth", 200, "POST /v1.41/auth"},
    {"GET", "/debug/pprof/heap", 404, ""},
    {"OPTIONS", "/anything", 200, ""},
    {"GET", "/unknown", 404, ""},
    {"GET", "/swarmd/v1/metrics", 200, ""},
    {"GET", "/swarmd/v1/nodes", 200, ""},
    {"GET", "/swarmd/v1/nodes/n1", 200, ""},
    {"POST", "/swarmd/v1/nodes/n1/cordon", 200, ""},
    {"POST", "/swarmd/v1/nodes/n1/uncordon", 200, ""},
    {"POST", "/swarmd/v1/nodes/n1/drain?plan=1", 200, ""},

    {"GET", "/containers/json", 200, ""},
    {"GET", "/containers/ps", 200, ""},
    {"POST", "/containers/create", 201, ""},
    {"GET", "/containers/web/json?size=1", 200, "GET /v1.41/containers/%/json?size=1"},
    {"GET", "/containers/web/top?ps_args=-ef", 200, "GET /v1.41/containers/%/top?ps_args=-ef"},
    {"GET", "/containers/web/logs?stdout=1&tail=3", 200,
     "GET /v1.41/containers/%/logs?stdout=1&tail=3"},
    {"GET", "/containers/web/changes", 200, "GET /v1.41/containers/%/changes"},
    {"GET", "/containers/web/export", 200, "GET /v1.41/containers/%/export"},
    {"GET", "/containers/web/stats?stream=0", 200, "GET /v1.41/containers/%/stats?stream=0"},
    {"POST", "/containers/web/resize?h=30&w=100", 200,
     "POST /v1.41/containers/%/resize?h=30&w=100"},
    {"POST", "/containers/web/start", 204, ""},
    {"POST", "/containers/web/stop?t=3", 204, ""},
    {"POST", "/containers/web/restart?t=3", 204, ""},
    {"POST", "/containers/web/kill?signal=HUP", 204, ""},
    {"POST", "/containers/web/pause", 204, ""},
    {"POST", "/containers/web/unpause", 204, ""},
    {"POST", "/containers/web/update", 204, ""},
    {"POST", "/containers/web/rename?name=new", 204, ""},
    {"POST", "/containers/web/attach?stream=1", 200, "POST /v1.41/containers/%/attach?stream=1"},
    {"GET", "/containers/web/attach/ws?stream=1", 200,
     "GET /v1.41/containers/%/attach/ws?stream=1"},
    {"POST", "/containers/web/wait?condition=removed", 200,
     "POST /v1.41/containers/%/wait?condition=removed"},
    {"DELETE", "/containers/web?force=1", 204, ""},
    {"HEAD", "/containers/web/archive?path=%2Fetc", 200,
     "HEAD /v1.41/containers/%/archive?path=%2Fetc"},
    {"GET", "/containers/web/archive?path=/etc", 200,
     "GET /v1.41/containers/%/archive?path=%2Fetc"},
    {"PUT", "/containers/web/archive?path=/etc", 200,
     "PUT /v1.41/containers/%/archive?path=%2Fetc"},
    {"POST", "/containers/web/copy", 404, ""},
    {"POST", "/containers/prune", 200, "POST /v1.41/containers/prune"},
    {"POST", "/containers/web/exec", 200, "POST /v1.41/containers/%/exec"},
    {"POST", "/exec/%/start", 200, "POST /v1.41/exec/%/start"},
    {"POST", "/exec/%/resize?h=1&w=2", 200, "POST /v1.41/exec/%/resize?h=1&w=2"},
    {"GET", "/exec/%/json", 200, "GET /v1.41/exec/%/json"},
    {"GET", "/containers/web/checkpoints", 200, "GET /v1.41/containers/%/checkpoints"},
    {"POST", "/containers/web/checkpoints", 200, "POST /v1.41/containers/%/checkpoints"},
    {"DELETE", "/containers/web/checkpoints/one", 200,
     "DELETE /v1.41/containers/%/checkpoints/one"},

    {"GET", "/images/json", 200, ""},
    {"GET", "/images/search?term=x", 200, "GET /v1.41/images/search?term=x"},
    {"GET", "/images/busybox/json", 200, "GET /v1.41/images/sha256%3A%/json"},
    {"GET", "/images/busybox/history", 200, "GET /v1.41/images/sha256%3A%/history"},
    {"GET", "/images/busybox/attestations", 200, "GET /v1.41/images/sha256%3A%/attestations"},
    {"POST", "/images/create?fromImage=busybox", 200,
     "POST /v1.41/images/create?fromImage=busybox"},
    {"POST", "/images/load", 200, "POST /v1.41/images/load"},
    {"GET", "/images/busybox/get", 200, "GET /v1.41/images/busybox/get"},
    {"GET", "/images/get?names=busybox", 200, "GET /v1.41/images/busybox/get"},
    {"POST", "/images/busybox/push?tag=latest", 200, "POST /v1.41/images/busybox/push?tag=latest"},
    {"POST", "/images/busybox/tag?repo=x", 200, "POST /v1.41/images/sha256%3A%/tag?repo=x"},
    {"DELETE", "/images/busybox", 200, "DELETE /v1.41/images/busybox"},
    {"POST", "/images/prune", 200, "POST /v1.41/images/prune"},
    {"GET", "/distribution/busybox/json", 200, "GET /v1.41/distribution/busybox/json"},
    {"POST", "/commit?container=web", 200,
     "POST "
     "/v1.41/commit?container=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    {"POST", "/build?t=app", 200, "POST /v1.41/build?t=app"},
    {"POST", "/build/cancel?id=x", 200, "POST /v1.41/build/cancel?id=x"},
    {"POST", "/build/prune", 200, "POST /v1.41/build/prune"},
    {"POST", "/session", 400, ""},
    {"POST", "/grpc", 200, "POST /v1.41/grpc"},
    {"GET", "/images/viz", 501, ""},
    {"POST", "/images/busybox/insert", 404, ""},

    {"GET", "/networks/", 200, "GET /v1.41/networks"},
    {"GET", "/networks", 200, "GET /v1.41/networks"},
    {"GET", "/networks/bridge", 200, "GET /v1.41/networks/bridge"},
    {"POST", "/networks/create", 200, "POST /v1.41/networks/create"},
    {"POST", "/networks/n1/foo/connect", 200, "POST /v1.41/networks/foo/connect"},
    {"POST", "/networks/n1/foo/disconnect", 200, "POST /v1.41/networks/foo/disconnect"},
    {"DELETE", "/networks/n1/foo", 200, "DELETE /v1.41/networks/foo"},
    {"POST", "/networks/prune?filters=%7B%22node%22:%5B%22none%22%5D%7D", 200, ""},
    {"GET", "/volumes", 200, "GET /v1.41/volumes"},
    {"GET", "/volumes/data", 200, "GET /v1.41/volumes/data"},
    {"POST", "/volumes/create", 200, "POST /v1.41/volumes/create"},
    {"PUT", "/volumes/data", 503, ""},
    {"DELETE", "/volumes/n1/data", 200, "DELETE /v1.41/volumes/data"},
    {"POST", "/volumes/prune", 200, "POST /v1.41/volumes/prune"},

    {"GET", "/plugins", 200, "GET /v1.41/plugins"},
    {"GET", "/plugins/p/json", 200, "GET /v1.41/plugins/p/json"},
    {"GET", "/plugins/privileges?remote=p", 200, "GET /v1.41/plugins/privileges?remote=p"},
    {"DELETE", "/plugins/p", 501, ""},
    {"POST", "/plugins/p/enable", 501, ""},
    {"POST", "/plugins/p/disable", 501, ""},
    {"POST", "/plugins/pull", 501, ""},
    {"POST", "/plugins/p/push", 501, ""},
    {"POST", "/plugins/p/upgrade", 501, ""},
    {"POST", "/plugins/p/set", 501, ""},
    {"POST", "/plugins/create", 501, ""},

    {"GET", "/swarm", 503, ""},
    {"GET", "/swarm/unlockkey", 503, ""},
    {"POST", "/swarm/init", 503, ""},
    {"POST", "/swarm/join", 503, ""},
    {"POST", "/swarm/leave", 503, ""},
    {"POST", "/swarm/update", 503, ""},
    {"POST", "/swarm/unlock", 503, ""},
    {"GET", "/nodes", 503, ""},
    {"GET", "/nodes/n1", 503, ""},
    {"DELETE", "/nodes/n1", 503, ""},
    {"POST", "/nodes/n1/update", 503, ""},
    {"GET", "/services", 503, ""},
    {"POST", "/services/create", 503, ""},
    {"GET", "/services/s", 503, ""},
    {"DELETE", "/services/s", 503, ""},
    {"POST", "/services/s/update", 503, ""},
    {"GET", "/services/s/logs", 503, ""},
    {"GET", "/tasks", 503, ""},
    {"GET", "/tasks/t", 503, ""},
    {"GET", "/tasks/t/logs", 503, ""},
    {"GET", "/secrets", 503, ""},
    {"POST", "/secrets/create", 503, ""},
    {"GET", "/secrets/s", 503, ""},
    {"DELETE", "/secrets/s", 503, ""},
    {"POST", "/secrets/s/update", 503, ""},
    {"GET", "/configs", 503, ""},
    {"POST", "/configs/create", 503, ""},
    {"GET", "/configs/c", 503, ""},
    {"DELETE", "/configs/c", 503, ""},
    {"POST", "/configs/c/update", 503, ""},
};

std::string WithId(std::string text) {
  for (std::size_t at = text.find("/%/"); at != std::string::npos; at = text.find("/%/")) {
    text.replace(at + 1, 1, kWeb);
  }
  const std::size_t image = text.find("%3A%");
  if (image != std::string::npos) text.replace(image + 3, 1, std::string(64, '9'));
  return text;
}

class RoutesTest : public ApiTest {
 protected:
  void SetUp() override {
    cluster_.AddNode("n1", "1.41", "1.12");
    AddContainer("n1", 'a', "web", ContainerState::kRunning, 100);
    AddImage("n1", std::string(64, '9'), {"busybox:latest"});
    cluster_.execs[FullId('a')] = cluster_.nodes[0]->address;
    cluster_.script = [](const Seen&) {
      Reply reply;
      reply.body = "{}";
      return reply;
    };
  }

  static std::string BodyFor(const Endpoint& endpoint) {
    const std::string path = endpoint.path;
    const bool json = path == "/auth" || path.ends_with("/create") || path.ends_with("/update") ||
                      path.ends_with("/exec") || path.ends_with("/start") ||
                      path.ends_with("connect");
    if (std::string(endpoint.method) != "POST" || !json) return "";
    if (path == "/networks/create" || path == "/volumes/create") return "{\"Name\":\"n1/x\"}";
    if (path.ends_with("connect")) return "{\"Container\":\"web\"}";
    return path == "/containers/create" ? "{\"Image\":\"busybox\"}" : "{}";
  }
};

TEST_F(RoutesTest, EveryEndpointIsServedOrRefusedByDesign) {
  std::set<const Route*> reached;
  int served = 0, refused = 0;
  std::printf("%-8s %-44s %s\n", "method", "endpoint", "operation");
  for (const Endpoint& endpoint : kEndpoints) {
    for (const std::string version : {"", "/v1.41", "/v1.24"}) {
      SCOPED_TRACE(version + " " + endpoint.method + " " + endpoint.path);
      cluster_.seen.clear();
      const std::size_t operated = cluster_.operated.size();
      Reply reply = Send(endpoint.method, version + WithId(endpoint.path), BodyFor(endpoint));
      EXPECT_EQ(reply.status, endpoint.status) << reply.body;
      std::string wanted = WithId(endpoint.seen);
      if (version == "/v1.24" && !wanted.empty()) wanted.replace(wanted.find("1.41"), 4, "1.24");
      const std::string seen = cluster_.seen.empty() ? "" : cluster_.seen.front().line;
      EXPECT_EQ(seen, wanted);
      EXPECT_LE(cluster_.seen.size(), 1U);
      EXPECT_EQ(cluster_.operated.size() - operated, endpoint.status == 204 ? 1U : 0U);
      if (reply.status >= 400) {
        EXPECT_TRUE(reply.body.starts_with("{\"message\":\"")) << reply.body;
      }
      for (const char* field : {"Api-Version", "Docker-Experimental", "Ostype", "Server"}) {
        EXPECT_NE(FindHeader(reply.headers, field), nullptr) << field;
      }
    }
    const std::string full = WithId(endpoint.path);
    const absl::StatusOr<RouteMatch> match =
        FindRoute(endpoint.method, full.substr(0, full.find('?')));
    const bool catch_all =
        std::string(endpoint.method) == "OPTIONS" || std::string(endpoint.path) == "/unknown";
    EXPECT_EQ(match.ok(), !catch_all) << endpoint.method << " " << endpoint.path;
    if (!match.ok()) continue;
    reached.insert(match->route);
    const bool is_served = match->route->handler != nullptr;
    EXPECT_NE(is_served, match->route->refusal != Refusal::kNone);
    (is_served ? served : refused) += 1;
    std::printf("%-8s %-44s %s\n", endpoint.method, std::string(match->route->pattern).c_str(),
                is_served ? "served" : "refused by design");
  }
  for (const Route& route : Routes()) {
    // POST /images/create is reached above as a pull; its import has tests of its own.
    EXPECT_TRUE(reached.contains(&route)) << "no test for " << route.method << " " << route.pattern;
  }
  std::printf("%d served, %d refused by design, 0 unrouted\n", served, refused);
  EXPECT_EQ(served + refused, static_cast<int>(Routes().size()));
}

TEST_F(RoutesTest, RefusalsSayWhatToDo) {
  Reply swarm = Send("POST", "/v1.41/swarm/init");
  EXPECT_NE(swarm.body.find("This node is not a swarm manager."), std::string::npos);
  EXPECT_NE(swarm.body.find("swarm mode"), std::string::npos);
  Reply plugin = Send("POST", "/v1.41/plugins/pull");
  EXPECT_NE(plugin.body.find("docker -H NODE plugin install PLUGIN"), std::string::npos)
      << plugin.body;
  EXPECT_TRUE(cluster_.seen.empty());
}

struct Precedence {
  const char* method;
  const char* path;
  const char* pattern;  // "" = none
  const char* name;
};

TEST(Router, VerbFirstNameGreedy) {
  constexpr Precedence kCases[] = {
      {"GET", "/containers/json", "/containers/json", ""},
      {"GET", "/containers/json/json", "/containers/{}/json", "json"},
      {"GET", "/containers/n1/web/json", "/containers/{}/json", "n1/web"},
      {"GET", "/containers/n1%2Fweb/json", "/containers/{}/json", "n1/web"},
      {"GET", "/containers/%6eode/top", "/containers/{}/top", "node"},
      {"GET", "/containers/web/attach/ws", "/containers/{}/attach/ws", "web"},
      {"POST", "/containers/create", "/containers/create", ""},
      {"POST", "/containers/create/exec", "/containers/{}/exec", "create"},
      {"DELETE", "/containers/n1/web", "/containers/{}", "n1/web"},
      {"DELETE", "/containers/web/checkpoints/x", "/containers/{}/checkpoints/{}", "web"},
      {"GET", "/images/localhost:5999/t1/json", "/images/{}/json", "localhost:5999/t1"},
      {"POST", "/images/a/b/c/push", "/images/{}/push", "a/b/c"},
      {"GET", "/images/get", "/images/get", ""},
      {"GET", "/images/get/get", "/images/{}/get", "get"},
      {"GET", "/networks/n1/bridge", "/networks/{}", "n1/bridge"},
      {"GET", "/networks/", "/networks/", ""},
      {"GET", "/plugins/vieux/sshfs:latest/json", "/plugins/{}/json", "vieux/sshfs:latest"},
      {"GET", "/services/s/logs", "/services/{}/logs", "s"},
      {"PUT", "/containers/web/json", "", ""},
      {"DELETE", "/containers", "", ""},
      {"DELETE", "/containers/", "", ""},
      {"GET", "/containers//json", "", ""},
      {"POST", "/_ping", "", ""},
      {"GET", "/Containers/json", "", ""},
      {"GET", "/containers/web/%6ason", "", ""},
      {"GET", "/", "", ""},
      {"GET", "//containers/json", "", ""},
      {"get", "/containers/json", "", ""},
  };
  for (const Precedence& wanted : kCases) {
    SCOPED_TRACE(std::string(wanted.method) + " " + wanted.path);
    const absl::StatusOr<RouteMatch> match = FindRoute(wanted.method, wanted.path);
    if (*wanted.pattern == '\0') {
      EXPECT_TRUE(absl::IsNotFound(match.status()));
      continue;
    }
    ASSERT_TRUE(match.ok());
    EXPECT_EQ(match->route->pattern, wanted.pattern);
    EXPECT_EQ(match->name, wanted.name);
  }
}

TEST(Router, BadPathsAreRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(FindRoute("GET", "/containers/%zz/json").status()));
  std::string deep = "/containers";
  for (int at = 0; at < 100; ++at) deep += "/x";
  EXPECT_TRUE(absl::IsNotFound(FindRoute("GET", deep + "/json").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadTarget("containers/json").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadTarget("").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadTarget("http://x/containers/json").status()));
}

TEST(Router, TargetsAreTakenApart) {
  const absl::StatusOr<Target> target = ReadTarget("/v1.41/containers/json?all=1&x=?");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->version, (ApiVersion{1, 41}));
  EXPECT_EQ(target->path, "/containers/json");
  EXPECT_EQ(target->query, "all=1&x=?");
  EXPECT_FALSE(ReadTarget("/version")->version.has_value());
  EXPECT_EQ(ReadTarget("/v1.41")->path, "/");
}

}  // namespace
}  // namespace swarm::testing
