#include "sim/sim_engine.h"

#include <gtest/gtest.h>

#include "sim/tar.h"
#include "unit/sim/sim_support.h"
#include "wire/containers.h"
#include "wire/engine.h"
#include "wire/events.h"
#include "wire/images.h"
#include "wire/json.h"

namespace swarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string Frame(std::string_view text, char stream = '\1') {
  return std::string(1, stream) + std::string(6, '\0') + static_cast<char>(text.size()) +
         std::string(text);
}

class SimEngineTest : public SimTest {};

TEST_F(SimEngineTest, IsReadAsAnEngine) {
  UseEngine({.id = "THE:ID",
             .name = "n1",
             .labels = {{"zone", "external"}},
             .processors = 2,
             .memory = 1 << 30});
  Node node;
  node.address = "sim-0001:2375";
  ASSERT_TRUE(ApplyVersion(Call("GET", "/version").body, node).ok());
  ASSERT_TRUE(ApplyInfo(Call("GET", "/v1.41/info").body, WallTime{}, node).ok());
  EXPECT_EQ(node.id, "THE:ID");
  EXPECT_EQ(node.name, "n1");
  EXPECT_EQ(node.api_version, "1.41");
  EXPECT_EQ(node.total, (Resources{2'000'000'000, 1 << 30}));
  EXPECT_EQ(node.labels.at("zone"), "external");
  const Reply ping = Call("GET", "/_ping");
  EXPECT_EQ(ping.body, "OK");
  EXPECT_EQ(*FindHeader(ping.headers, "Api-Version"), "1.41");
  EXPECT_TRUE(Call("HEAD", "/_ping").body.empty());
}

// docker run: create, attach, wait with its head at once, start; then the output, the code, and
// nothing left.
TEST_F(SimEngineTest, RunsAContainerAsTheCommandLineClientDoes) {
  const std::string id = Create(
      "web", R"({"Image":"busybox","Cmd":["sh","-c","echo hi; echo no >&2; sleep 2; exit 7"],)"
             R"("HostConfig":{"AutoRemove":true}})");
  auto output = Upgrade("/v1.41/containers/" + id + "/attach?stderr=1&stdout=1&stream=1");
  auto wait = Open("POST", "/v1.41/containers/" + id + "/wait?condition=removed");
  EXPECT_EQ(Call("POST", "/v1.41/containers/" + id + "/start").status, 204);
  Settle();
  EXPECT_EQ(output->text(), Frame("hi\n") + Frame("no\n", '\2'));
  EXPECT_FALSE(output->ended());
  EXPECT_TRUE(wait->text().empty());
  Pass(seconds(2));
  EXPECT_TRUE(output->ended());
  EXPECT_EQ(wait->text(), "{\"Error\":null,\"StatusCode\":7}\n");
  EXPECT_TRUE(wait->ended());
  EXPECT_EQ(engine_->container_count(), 0u);
}

TEST_F(SimEngineTest, AttachesWithoutUpgradeAsARawStreamOf200) {
  const std::string id = Create("raw", R"({"Image":"busybox","Cmd":["sh","-c","echo hi"]})");
  absl::StatusOr<Reply> reply =
      Ask(How::kRaw, "POST", "/containers/" + id + "/attach?stdout=1&stream=1");
  ASSERT_TRUE(reply.ok() && reply->tunnel) << reply.status();
  EXPECT_EQ(reply->status, 200);
  StreamReader output(std::move(reply->tunnel));
  EXPECT_EQ(Call("POST", "/containers/" + id + "/start").status, 204);
  Settle();
  EXPECT_EQ(output.text(), Frame("hi\n"));
}

TEST_F(SimEngineTest, GivesInputBackUntilTheClientHalfCloses) {
  const std::string id = Create(
      "box",
      R"({"Image":"busybox","Cmd":["cat"],"OpenStdin":true,"StdinOnce":true,"AttachStdin":true})");
  auto client = Upgrade("/containers/" + id + "/attach?stdin=1&stdout=1&stream=1");
  Write(*client, "foo");  // before the start
  ASSERT_EQ(Call("POST", "/containers/box/start").status, 204);
  Write(*client, "bar");
  Settle();
  EXPECT_EQ(client->text(), Frame("foo") + Frame("bar"));
  EXPECT_FALSE(client->ended());
  OnLoop([&] { client->stream().CloseWrite(); });
  EXPECT_TRUE(client->ended());
  EXPECT_TRUE(client->status().ok());
  EXPECT_NE(Call("GET", "/containers/box/json").body.find("\"Status\":\"exited\""),
            std::string::npos);
}

TEST_F(SimEngineTest, KeepsWhatItDoesNotKnow) {
  const std::string id = Create(
      "box", R"({"Image":"busybox","Env":["A=b"],"Future":{"x":1.50},"HostConfig":{"Foo":1e400}})");
  const std::string body = Call("GET", "/containers/" + id.substr(0, 12) + "/json").body;
  EXPECT_NE(body.find(R"("Future":{"x":1.50})"), std::string::npos) << body;
  const char* const host =
      R"("HostConfig":{"Foo":1e400,"LogConfig":{"Type":"json-file","Config":{}},"NetworkMode":"default"})";
  EXPECT_NE(body.find(host), std::string::npos) << body;
}

struct RefusalCase {
  const char* name;
  const char* method;
  const char* target;
  const char* body;
  int status;
  const char* text;
};

class SimRefusalTest : public SimTest, public testing::WithParamInterface<RefusalCase> {};

TEST_P(SimRefusalTest, IsInTheEnginesWords) {
  Create("stopped", R"({"Image":"busybox"})");
  Create("up", R"({"Image":"nginx"})");
  ASSERT_EQ(Call("POST", "/containers/up/start").status, 204);
  const Reply reply = Call(GetParam().method, GetParam().target, GetParam().body);
  EXPECT_EQ(reply.status, GetParam().status) << reply.body;
  EXPECT_NE(reply.body.find(GetParam().text), std::string::npos) << reply.body;
}

INSTANTIATE_TEST_SUITE_P(
    , SimRefusalTest,
    testing::Values(
        RefusalCase{"NoRoute", "GET", "/nothing", "", 404, "page not found"},
        RefusalCase{"TooNew", "GET", "/v1.99/info", "", 400,
                    "client version 1.99 is too new. Maximum supported API version is 1.41"},
        RefusalCase{"TooOld", "GET", "/v1.1/info", "", 400, "client version 1.1 is too old"},
        RefusalCase{"NoContainerToAttach", "POST", "/containers/nosuch/attach", "", 404,
                    "No such container: nosuch\n"},
        RefusalCase{"NoContainer", "GET", "/containers/nosuch/json", "", 404,
                    "No such container: nosuch"},
        RefusalCase{"NoImage", "POST", "/containers/create", R"({"Image":"nosuch"})", 404,
                    "No such image: nosuch:latest"},
        RefusalCase{"NotJson", "POST", "/containers/create", "{", 400, "invalid JSON"},
        RefusalCase{"NameTaken", "POST", "/containers/create?name=up", R"({"Image":"busybox"})",
                    409, "Conflict. The container name \\\"/up\\\" is already in use by container"},
        RefusalCase{"BadName", "POST", "/containers/create?name=a/b", R"({"Image":"busybox"})", 400,
                    "Invalid container name"},
        RefusalCase{"RunningRemoved", "DELETE", "/containers/up", "", 409,
                    "You cannot remove a running container"},
        RefusalCase{"StoppedKilled", "POST", "/containers/stopped/kill", "", 409, "is not running"},
        RefusalCase{"BadSignal", "POST", "/containers/up/kill?signal=NOPE", "", 400,
                    "Invalid signal: NOPE"},
        RefusalCase{"RenameTaken", "POST", "/containers/stopped/rename?name=up", "", 409,
                    "Error when allocating new name: Conflict"},
        RefusalCase{"StoppedTop", "GET", "/containers/stopped/top", "", 409, "is not running"},
        RefusalCase{"ExecOnStopped", "POST", "/containers/stopped/exec", R"({"Cmd":["true"]})", 409,
                    "is not running"},
        RefusalCase{"ExecNothing", "POST", "/containers/up/exec", R"({"Cmd":[]})", 400,
                    "No exec command specified"},
        RefusalCase{"NoExec", "GET", "/exec/abcdef012345/json", "", 404, "No such exec instance"},
        RefusalCase{"NoLogStream", "GET", "/containers/up/logs", "", 400, "at least one stream"},
        RefusalCase{"ClusterFilter", "GET",
                    "/containers/json?filters=%7B%22node%22%3A%5B%22a%22%5D%7D", "", 400,
                    "Invalid filter 'node'"},
        RefusalCase{"NoFile", "GET", "/containers/up/archive?path=/nosuch", "", 404,
                    "Could not find the file"},
        RefusalCase{"PullDenied", "POST", "/images/create?fromImage=missing/x&tag=1", "", 404,
                    "pull access denied"},
        RefusalCase{"NoSuchImage", "GET", "/images/nosuch/json", "", 404,
                    "No such image: nosuch:latest"},
        RefusalCase{"StopStopped", "POST", "/containers/stopped/stop", "", 304, ""},
        RefusalCase{"StartRunning", "POST", "/containers/up/start", "", 304, ""}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(SimEngineTest, HoldsPortsWhileContainersRun) {
  const std::string body =
      R"({"Image":"nginx","HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"8080"}]}}})";
  Create("aa", body);
  Create("bb", body);
  EXPECT_EQ(Call("POST", "/containers/aa/start").status, 204);
  const Reply refused = Call("POST", "/containers/bb/start");
  EXPECT_EQ(refused.status, 500);
  EXPECT_NE(refused.body.find("Bind for 0.0.0.0:8080 failed: port is already allocated"),
            std::string::npos);
  EXPECT_NE(refused.body.find("driver failed programming external connectivity on endpoint bb"),
            std::string::npos);
  Node node;
  node.name = "n1";
  const auto list =
      ParseContainerList(Call("GET", "/containers/json?all=1").body, node, NameStyle::kPlain);
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[1].container.bound_ports,
            (std::vector<PortBinding>{{"", 8080, 8080, 80, "tcp"}}));
  EXPECT_TRUE((*list)[0].container.bound_ports.empty());
  EXPECT_EQ(Call("POST", "/containers/aa/stop").status, 204);
  EXPECT_EQ(Call("POST", "/containers/bb/start").status, 204);
}

TEST_F(SimEngineTest, PicksPortsItself) {
  Create("aa", R"({"Image":"nginx","HostConfig":{"PublishAllPorts":true}})");
  Create(
      "bb",
      R"({"Image":"nginx","HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"7000-7001"}]}}})");
  Create(
      "box",
      R"({"Image":"nginx","HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"7000-7001"}]}}})");
  for (const char* name : {"aa", "bb", "box"}) {
    EXPECT_EQ(Call("POST", std::string("/containers/") + name + "/start").status, 204);
  }
  const auto port_of = [this](const std::string& name) {
    ContainerRecord record;
    EXPECT_TRUE(
        ApplyInspect(Call("GET", "/containers/" + name + "/json").body, {}, {}, record).ok());
    return record.container.bound_ports.empty() ? 0 : record.container.bound_ports[0].host_first;
  };
  EXPECT_EQ(port_of("aa"), 32768);
  EXPECT_EQ(port_of("bb"), 7000);
  EXPECT_EQ(port_of("box"), 7001);
}

TEST_F(SimEngineTest, ChangesStates) {
  const std::string id = Create("box", R"({"Image":"nginx","Labels":{"a":"b"}})");
  const auto status = [this] {
    Node node;
    const auto list =
        ParseContainerList(Call("GET", "/containers/json?all=1").body, node, NameStyle::kPlain);
    if (!list.ok() || list->empty()) return std::string("none");
    return std::string(ContainerStateName(list->front().container.state)) + " " +
           list->front().container.names[0];
  };
  EXPECT_EQ(status(), "created box");
  Call("POST", "/containers/box/start");
  EXPECT_EQ(status(), "running box");
  EXPECT_EQ(Call("POST", "/containers/box/pause").status, 204);
  EXPECT_EQ(status(), "paused box");
  EXPECT_EQ(Call("POST", "/containers/box/unpause").status, 204);
  EXPECT_EQ(Call("POST", "/containers/box/rename?name=d1").status, 204);
  EXPECT_EQ(status(), "running d1");
  EXPECT_EQ(Call("POST", "/containers/d1/restart").status, 204);
  EXPECT_EQ(Call("POST", "/containers/d1/kill?signal=WINCH").status, 204);
  EXPECT_EQ(status(), "running d1");
  EXPECT_EQ(Call("POST", "/containers/d1/kill").status, 204);
  EXPECT_EQ(status(), "exited d1");
  EXPECT_EQ(Call("POST", "/containers/d1/update", R"({"Memory":4096,"NanoCpus":0})").status, 200);
  EXPECT_NE(Call("GET", "/containers/d1/json").body.find("\"Memory\":4096"), std::string::npos);
  EXPECT_EQ(Call("DELETE", "/containers/" + id).status, 204);
  EXPECT_EQ(status(), "none");
}

TEST_F(SimEngineTest, TellsWhatHappens) {
  auto events = Open("GET", "/v1.41/events");
  Create("box", R"({"Image":"busybox","Cmd":["false"],"Labels":{"l":"m"}})");
  Call("POST", "/containers/box/start");
  Call("DELETE", "/containers/box");
  Settle();
  ObjectSplitter splitter(1 << 20);
  std::vector<std::string> objects;
  ASSERT_TRUE(splitter.Feed(events->text(), objects).ok());
  std::string actions;
  std::int64_t last = 0;
  for (const std::string& object : objects) {
    const auto event = ParseEvent(object, Node{});
    ASSERT_TRUE(event.ok()) << object;
    actions.append(event->action).append(" ");
    EXPECT_EQ(event->attributes.at("name"), event->type == "network" ? "bridge" : "box");
    EXPECT_EQ(event->attributes.contains("l"), event->type == "container");
    EXPECT_GT(event->time_nano, last);
    last = event->time_nano;
  }
  EXPECT_EQ(actions, "create connect start die disconnect destroy ");
  // What was missed comes with since, up to until.
  auto replay =
      Open("GET",
           "/events?since=1420070400&until=1420070401&filters=%7B%22event%22%3A%5B%22die%22%5D%7D");
  Settle();
  EXPECT_FALSE(replay->ended());
  Pass(seconds(1));
  EXPECT_TRUE(replay->ended());
  EXPECT_NE(replay->text().find("\"exitCode\":\"1\""), std::string::npos);
  EXPECT_EQ(replay->text().find("destroy"), std::string::npos);
}

TEST_F(SimEngineTest, RunsExecs) {
  const std::string container = Create("box", R"({"Image":"nginx","Env":["A=b"]})");
  Call("POST", "/containers/box/start");
  const auto create = [this](const std::string& body) {
    return Call("POST", "/containers/box/exec", body).body.substr(7, 64);
  };
  const std::string echo = create(R"({"Cmd":["sh","-c","env && nosuch || exit 3"]})");
  auto output = Upgrade("/exec/" + echo + "/start", R"({"Detach":false,"Tty":false})");
  Settle();
  EXPECT_EQ(output->text(), Frame("A=b\n") + Frame("sh: nosuch: not found\n", '\2'));
  EXPECT_TRUE(output->ended());
  EXPECT_NE(Call("GET", "/exec/" + echo + "/json").body.find("\"ExitCode\":3"), std::string::npos);
  EXPECT_EQ(Call("POST", "/exec/" + echo + "/start", "{}").status, 409);
  EXPECT_EQ(Call("GET", "/exec/" + echo.substr(0, 12) + "/json").status, 404);

  const std::string count = create(R"({"Cmd":["wc","-c"],"AttachStdin":true})");
  auto counter = Upgrade("/exec/" + count + "/start", "{}");
  for (int i = 0; i < 100; ++i) Write(*counter, std::string(1000, 'x'));
  OnLoop([&] { counter->stream().CloseWrite(); });
  EXPECT_EQ(counter->text(), Frame("100000\n"));

  const std::string detached = create(R"({"Cmd":["sleep","5"]})");
  EXPECT_EQ(Call("POST", "/exec/" + detached + "/start", R"({"Detach":true})").status, 200);
  EXPECT_NE(Call("GET", "/exec/" + detached + "/json").body.find("\"Running\":true"),
            std::string::npos);
  Pass(seconds(5));
  EXPECT_NE(Call("GET", "/exec/" + detached + "/json").body.find("\"Running\":false"),
            std::string::npos);
}

TEST_F(SimEngineTest, AnEngineWithLatencyAnswersBeforeItsProcessSpeaks) {
  UseEngine({}, milliseconds(5));
  Create("box", R"({"Image":"busybox","Cmd":["sleep","60"]})");
  Call("POST", "/containers/box/start");
  const std::string exec =
      Call("POST", "/containers/box/exec", R"({"Cmd":["echo","hello"]})").body.substr(7, 64);
  auto output = Upgrade("/exec/" + exec + "/start", "{}");
  EXPECT_EQ(output->text(), "");
  EXPECT_FALSE(output->ended());
  Pass(milliseconds(100));
  EXPECT_EQ(output->text(), Frame("hello\n"));
  EXPECT_TRUE(output->ended());
}

TEST_F(SimEngineTest, ATerminalOutlivesItsClients) {
  Create("box",
         R"({"Image":"busybox","Cmd":["cat"],"Tty":true,"OpenStdin":true,"StdinOnce":true})");
  Call("POST", "/containers/box/start");
  const std::string target = "/containers/box/attach?stream=1&stdin=1&stdout=1";
  auto first = Upgrade(target, "");
  Write(*first, "one");
  OnLoop([&] { first->stream().CloseWrite(); });
  first->Drop();
  Settle();
  EXPECT_NE(Call("GET", "/containers/box/json").body.find("\"Running\":true"), std::string::npos);
  auto second = Upgrade(target, "");
  Write(*second, "two\x04");
  EXPECT_EQ(second->text(), "two");
  EXPECT_NE(Call("GET", "/containers/box/json").body.find("\"Running\":false"), std::string::npos);
}

TEST_F(SimEngineTest, FollowsLogs) {
  Create(
      "box",
      R"({"Image":"busybox","Cmd":["sh","-c","while true; do echo tick; sleep 1; done"],"Tty":true})");
  Call("POST", "/containers/box/start");
  Pass(milliseconds(2500));
  auto tail = Open("GET", "/containers/box/logs?stdout=1&tail=1");
  Settle();
  EXPECT_EQ(tail->text(), "tick\n");
  EXPECT_TRUE(tail->ended());
  auto follow = Open("GET", "/containers/box/logs?stdout=1&follow=1");
  Pass(seconds(2));
  EXPECT_EQ(follow->text(), "tick\ntick\ntick\ntick\ntick\n");
  follow->Drop();
  Call("POST", "/containers/box/kill");
  auto timed = Open("GET", "/containers/box/logs?stdout=1&timestamps=1&tail=1");
  Settle();
  EXPECT_EQ(timed->text(), "2015-01-01T00:00:04Z tick\n");
}

TEST_F(SimEngineTest, MovesFiles) {
  Create("box", R"({"Image":"busybox","Cmd":["cat","/tmp/a.txt"]})");
  EXPECT_EQ(Call("PUT", "/containers/box/archive?path=/tmp", WriteTar({{"a.txt", "hello"}})).status,
            200);
  const Reply head = Call("HEAD", "/containers/box/archive?path=/tmp/a.txt");
  EXPECT_EQ(head.status, 200);
  ASSERT_NE(FindHeader(head.headers, "X-Docker-Container-Path-Stat"), nullptr);
  const auto files = ReadTar(Call("GET", "/containers/box/archive?path=/tmp/a.txt").body);
  ASSERT_TRUE(files.ok());
  EXPECT_EQ(files->at("a.txt"), "hello");
  Call("POST", "/containers/box/start");
  auto logs = Open("GET", "/containers/box/logs?stdout=1");
  Settle();
  EXPECT_EQ(logs->text(), Frame("hello"));
  EXPECT_TRUE(ReadTar(Call("GET", "/containers/box/export").body)->contains("tmp/a.txt"));
}

TEST_F(SimEngineTest, PullsImages) {
  EXPECT_EQ(Call("POST", "/containers/create", R"({"Image":"quay.io/some/app:1"})").status, 404);
  const std::string progress = Call("POST", "/images/create?fromImage=quay.io/some/app&tag=1").body;
  EXPECT_NE(progress.find("Downloaded newer image for quay.io/some/app:1"), std::string::npos);
  EXPECT_EQ(Call("POST", "/containers/create", R"({"Image":"quay.io/some/app:1"})").status, 201);
  const auto images = ParseImageList(Call("GET", "/images/json").body);
  ASSERT_TRUE(images.ok());
  EXPECT_EQ(images->images.size(), DefaultSimImages().size() + 1);
  EXPECT_NE(Call("GET", "/images/quay.io/some/app:1/json").body.find(images->images.back().id),
            std::string::npos);
}

TEST_F(SimEngineTest, ForgetsAtARestartWhatEnginesForget) {
  Create("box", R"({"Image":"nginx"})");
  Call("POST", "/containers/box/start");
  const std::string exec =
      Call("POST", "/containers/box/exec", R"({"Cmd":["true"]})").body.substr(7, 64);
  auto events = Open("GET", "/events");
  auto wait = Open("POST", "/containers/box/wait");
  OnLoop([this] { engine_->Restart(); });
  EXPECT_FALSE(events->status().ok());
  EXPECT_FALSE(wait->status().ok());
  EXPECT_EQ(Call("GET", "/exec/" + exec + "/json").status, 404);
  EXPECT_NE(Call("GET", "/containers/box/json").body.find("\"ExitCode\":137"), std::string::npos);
}

TEST_F(SimEngineTest, MeasuresAndCountsByVirtualTime) {
  Create("box", R"({"Image":"nginx"})");
  Call("POST", "/containers/box/start");
  auto stats = Open("GET", "/containers/box/stats");
  Pass(seconds(3));
  EXPECT_EQ(std::count(stats->text().begin(), stats->text().end(), '\n'), 4);
  Pass(minutes(5));
  EXPECT_NE(Call("GET", "/containers/json").body.find("\"Status\":\"Up 5 minutes\""),
            std::string::npos);
  OnLoop([this] { engine_->SetClockSkew(-minutes(3)); });
  EXPECT_NE(Call("GET", "/info").body.find("\"SystemTime\":\"2015-01-01T00:02:03Z\""),
            std::string::npos);
}

}  // namespace
}  // namespace swarm
