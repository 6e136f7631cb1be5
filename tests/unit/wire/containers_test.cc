#include "wire/containers.h"

#include <gtest/gtest.h>

#include "swarmlib/status.h"
#include "wire/inspect_editor.h"
#include "wire/json.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Node TestNode() {
  Node node;
  node.address = "10.0.0.1:2375";
  node.id = "ABCD";
  node.name = "n1";
  node.ip = "10.0.0.1";
  node.state = NodeState::kHealthy;
  node.total = {2'000'000'000, 1024};
  node.labels = {{"zone", "external"}};
  return node;
}

// Rows as engines of 20.10 (first), and 28.5 (second) give them.
constexpr char kWeb[] = "aa11000000000000000000000000000000000000000000000000000000000000";

std::string WithWeb(std::string text) {
  for (std::size_t at = 0; (at = text.find("\"Id\":\"a\"", at)) != std::string::npos;)
    text.replace(at + 6, 1, kWeb);
  return text;
}

constexpr char kList[] =
    R"([{"Id":"aa11000000000000000000000000000000000000000000000000000000000000","Names":["/other/alias","/web"],"Image":"nginx","ImageID":"sha256:11","Command":"nginx -g",)"
    R"("Created":1420070400,"Ports":[{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},)"
    R"({"IP":"::","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},{"PrivatePort":443,"Type":"tcp"}],)"
    R"j("Labels":{"com.docker.swarm.id":"5151515151515151515151515151515151515151515151515151515151515151","tier":"web"},"State":"running","Status":"Up 3 hours (healthy)",)j"
    R"("HostConfig":{"NetworkMode":"default"},"NetworkSettings":{"Networks":{"bridge":{"NetworkID":"net1"}}},)"
    R"("Mounts":[{"Type":"volume","Name":"v1","Source":"","Destination":"/data","RW":true}]},)"
    "\n"
    R"( {"Id":"bb22000000000000000000000000000000000000000000000000000000000000","Names":["/db"],"Image":"mysql","ImageID":"sha256:22","ImageManifestDescriptor":{"size":1.50},)"
    R"("Command":"mysqld","Created":1420070000,"Ports":[],"Labels":null,"State":"exited",)"
    R"("Status":"Exited (137) 2 days ago","HostConfig":{"NetworkMode":"bridge","Annotations":{"x":"y"}},)"
    R"("NetworkSettings":{"Networks":{}},"Mounts":[]}])";

TEST(ParseContainerListTest, ReadsRowsOfRealEngines) {
  const auto records = ParseContainerList(kList, TestNode(), NameStyle::kBoth);
  ASSERT_TRUE(records.ok()) << records.status();
  ASSERT_EQ(records->size(), 2u);
  const Container& web = (*records)[0].container;
  EXPECT_EQ(web.id, kWeb);
  EXPECT_EQ(web.swarm_id, "5151515151515151515151515151515151515151515151515151515151515151");
  EXPECT_EQ(web.node, "10.0.0.1:2375");
  EXPECT_EQ(web.names, (std::vector<std::string>{"web", "other/alias"}));
  EXPECT_EQ(web.image, "nginx");
  EXPECT_EQ(web.image_id, "sha256:11");
  EXPECT_EQ(web.command, "nginx -g");
  EXPECT_EQ(web.created, WallTime(seconds(1420070400)));
  EXPECT_EQ(web.state, ContainerState::kRunning);
  EXPECT_TRUE(web.has_health);
  EXPECT_EQ(web.health, "healthy");
  EXPECT_EQ(web.network_mode, "default");
  EXPECT_EQ(web.networks, (std::vector<std::string>{"bridge"}));
  EXPECT_EQ(web.network_ids, (std::vector<std::string>{"net1"}));
  EXPECT_EQ(web.volumes, (std::vector<std::string>{"v1", "/data"}));
  EXPECT_EQ(web.bound_ports, (std::vector<PortBinding>{{"", 8080, 8080, 80, "tcp"}}));
  EXPECT_EQ(web.exposed_ports, (std::vector<PortBinding>{{"", 443, 443, 443, "tcp"}}));
  const Container& db = (*records)[1].container;
  EXPECT_EQ(db.state, ContainerState::kExited);
  EXPECT_EQ(db.exit_code, 137);
  EXPECT_FALSE(db.has_health);
}

std::string RowText(const ContainerRecord& record) {
  return record.row.head + "\"S\"" + record.row.tail;
}

TEST(ParseContainerListTest, EditsOnlyWhatDiffersInACluster) {
  const auto records = ParseContainerList(kList, TestNode(), NameStyle::kBoth);
  ASSERT_TRUE(records.ok());
  EXPECT_EQ(
      RowText((*records)[0]),
      R"({"Id":"aa11000000000000000000000000000000000000000000000000000000000000","Names":["/web","/n1/web","/n1/other/alias"],"Image":"nginx","ImageID":"sha256:11",)"
      R"("Command":"nginx -g","Created":1420070400,)"
      R"("Ports":[{"IP":"10.0.0.1","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},{"PrivatePort":443,"Type":"tcp"}],)"
      R"("Labels":{"com.docker.swarm.id":"5151515151515151515151515151515151515151515151515151515151515151","tier":"web"},"State":"running","Status":"S",)"
      R"("HostConfig":{"NetworkMode":"default"},"NetworkSettings":{"Networks":{"bridge":{"NetworkID":"net1"}}},)"
      R"("Mounts":[{"Type":"volume","Name":"v1","Source":"","Destination":"/data","RW":true}],"Node":"n1"})");
  EXPECT_NE(RowText((*records)[1]).find(R"("ImageManifestDescriptor":{"size":1.50})"),
            std::string::npos);
}

struct NamesCase {
  const char* name;
  NameStyle style;
  const char* names;
};

class NamesTest : public testing::TestWithParam<NamesCase> {};

TEST_P(NamesTest, AreShownAsWished) {
  const auto records = ParseContainerList(WithWeb(R"([{"Id":"a","Names":["/web","/x/y"]}])"),
                                          TestNode(), GetParam().style);
  ASSERT_TRUE(records.ok());
  EXPECT_EQ(RowText(records->front()),
            WithWeb(R"({"Id":"a","Names":)") + GetParam().names + R"(,"Node":"n1","Status":"S"})");
}

INSTANTIATE_TEST_SUITE_P(
    , NamesTest,
    testing::Values(NamesCase{"Both", NameStyle::kBoth, R"(["/web","/n1/web","/n1/x/y"])"},
                    NamesCase{"Node", NameStyle::kNode, R"(["/n1/web","/n1/x/y"])"},
                    NamesCase{"Plain", NameStyle::kPlain, R"(["/web","/x/y"])"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ParseContainerListTest, TakesTheStateOfOldEnginesFromTheirWords) {
  const std::pair<const char*, ContainerState> cases[] = {
      {"Up 5 minutes", ContainerState::kRunning},
      {"Up 5 minutes (Paused)", ContainerState::kPaused},
      {"Exited (0) 1 hour ago", ContainerState::kExited},
      {"Restarting (1) 2 seconds ago", ContainerState::kRestarting},
      {"Dead", ContainerState::kDead},
      {"Removal In Progress", ContainerState::kRemoving},
      {"Created", ContainerState::kCreated},
      {"", ContainerState::kCreated}};
  for (const auto& [status, state] : cases) {
    const auto records = ParseContainerList(WithWeb(R"([{"Id":"a","Status":")") + status + "\"}]",
                                            TestNode(), NameStyle::kBoth);
    ASSERT_TRUE(records.ok());
    EXPECT_EQ(records->front().container.state, state) << status;
  }
}

TEST(ContainerListReader, ReadsNoMoreAtOnceThanAsked) {
  const Node node = TestNode();
  std::string list = "[";
  for (int i = 0; i < 10; ++i) {
    list += i == 0 ? "" : " ,\n";
    list += i == 4 ? R"({"Id":"none"})" : WithWeb(R"({"Id":"a"})");
  }
  list += " ] ";
  const std::size_t all = list.size();
  ContainerListReader by_rows(list, node, NameStyle::kPlain);
  std::vector<std::size_t> rows;
  while (!by_rows.done()) {
    const auto some = by_rows.Next(3, all);
    ASSERT_TRUE(some.ok()) << some.status();
    rows.push_back(some->size());
  }
  // The fifth one is left out, but was looked at; the last call finds the end.
  EXPECT_EQ(rows, (std::vector<std::size_t>{3, 2, 3, 1}));
  EXPECT_EQ(by_rows.skipped(), std::vector<std::string>{"\"none\""});
  ContainerListReader by_bytes(list, node, NameStyle::kPlain);
  rows.clear();
  while (!by_bytes.done()) {
    const auto some = by_bytes.Next(all, 150);  // two rows have more
    ASSERT_TRUE(some.ok()) << some.status();
    rows.push_back(some->size());
  }
  EXPECT_EQ(rows, (std::vector<std::size_t>{2, 2, 2, 2, 1}));
}

TEST(ContainerListReader, ComesUponABadRowWhereItIs) {
  const Node node = TestNode();
  const std::string list = WithWeb(R"([{"Id":"a"},{"Id":"a"},{"Id":1}])");
  ContainerListReader reader(list, node, NameStyle::kPlain);
  const auto good = reader.Next(2, list.size());
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_EQ(good->size(), 2U);
  EXPECT_FALSE(reader.done());
  const auto bad = reader.Next(2, list.size());
  EXPECT_TRUE(absl::IsInvalidArgument(bad.status()));
  EXPECT_NE(MessageOf(bad.status()).find("row 2 has a number as Id"), std::string::npos);
  EXPECT_FALSE(reader.done());
}

struct BadListCase {
  const char* name;
  const char* body;
  const char* message;
};

class BadListTest : public testing::TestWithParam<BadListCase> {};

TEST_P(BadListTest, NamesTheRow) {
  const auto records = ParseContainerList(WithWeb(GetParam().body), TestNode(), NameStyle::kBoth);
  ASSERT_FALSE(records.ok());
  EXPECT_NE(MessageOf(records.status()).find(GetParam().message), std::string_view::npos)
      << records.status();
}

INSTANTIATE_TEST_SUITE_P(
    , BadListTest,
    testing::Values(BadListCase{"Object", "{}", "not a JSON array"},
                    BadListCase{"Empty", "", "not a JSON array"},
                    BadListCase{"CutShort", R"([{"Id":"a"},{"Id":)", "row 1"},
                    BadListCase{"NoEnd", R"([{"Id":"a"})", "row 1 is cut short"},
                    BadListCase{"NoId", R"([{"Id":"a"},{"Names":[]}])", "row 1 has no Id"},
                    BadListCase{"NumberAsRow", R"([7])", "row 0 is a number"},
                    BadListCase{"WrongType", R"([{"Id":"a","Names":"web"}])",
                                "row 0 has a string as Names"},
                    BadListCase{"NoComma", R"([{"Id":"a"} {"Id":"b"}])", "row 1"},
                    BadListCase{"Tail", "[] x", "row 0"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ParseContainerListTest, TakesTimesThatItCannotHoldAsNone) {
  const auto records = ParseContainerList(WithWeb(R"([{"Id":"a","Created":9223372036854775807}])"),
                                          TestNode(), NameStyle::kBoth);
  ASSERT_TRUE(records.ok());
  EXPECT_EQ(records->front().container.created, WallTime{});
}

TEST(ParseContainerListTest, LeavesOutWhatHasNoContainersId) {
  std::vector<std::string> skipped;
  const auto records = ParseContainerList(
      WithWeb(R"([{"Id":"x y"},{"Id":"a"},{"Id":"AA11"},{"Names":["/q"],"Id":"../z"}])"),
      TestNode(), NameStyle::kBoth, &skipped);
  ASSERT_TRUE(records.ok()) << records.status();
  ASSERT_EQ(records->size(), 1U);
  EXPECT_EQ(records->front().container.id, kWeb);
  EXPECT_EQ(skipped, (std::vector<std::string>{"\"x y\"", "\"AA11\"", "\"../z\""}));
}

TEST(ApplyInspectTest, TurnsSharesBackIntoCores) {
  CreateRules rules;
  rules.cpu_shares_as_cores = true;
  Node node = TestNode();
  node.total.nano_cpus = 4'000'000'000;
  for (const std::int64_t cores : {1, 2, 3, 4, 7}) {
    const std::string body = WithSharesOfCores(
        "{\"State\":{},\"HostConfig\":{\"CpuShares\":" + std::to_string(cores) + "}}", node);
    ContainerRecord record;
    ASSERT_TRUE(ApplyInspect(body, rules, node, record).ok());
    EXPECT_EQ(record.container.request.nano_cpus, cores * 1'000'000'000) << body;
  }
}

TEST(ParseContainerListTest, TakesNothingAsNothing) {
  for (const char* body : {"[]", "null", " [ ] \n"}) {
    const auto records = ParseContainerList(body, TestNode(), NameStyle::kBoth);
    ASSERT_TRUE(records.ok()) << body;
    EXPECT_TRUE(records->empty());
  }
}

constexpr char kInspect[] =
    R"({"Id":"aa11000000000000000000000000000000000000000000000000000000000000","Created":"2015-01-01T00:00:00.5Z","Path":"nginx","State":{"Status":"running","Running":true,)"
    R"("Paused":false,"ExitCode":0,"Error":"","StartedAt":"2015-01-01T00:00:01Z","FinishedAt":"0001-01-01T00:00:00Z",)"
    R"("Health":{"Status":"starting","FailingStreak":0,"Log":[]}},"Image":"sha256:11","Name":"/web",)"
    R"("HostConfig":{"NetworkMode":"default","PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"8080"}]},)"
    R"("Memory":1048576,"NanoCpus":500000000,"CpuShares":0},"Mounts":[],)"
    R"("Config":{"Image":"nginx","ExposedPorts":{"80/tcp":{}},"Labels":{"com.docker.swarm.id":"5959595959595959595959595959595959595959595959595959595959595959"}},)"
    R"("NetworkSettings":{"Bridge":"","Ports":{"443/tcp":null,"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"},)"
    R"({"HostIp":"::","HostPort":"8080"}]},"Networks":{"bridge":{"NetworkID":"n9"}}}})";

TEST(ApplyInspectTest, AddsWhatListsDoNotTell) {
  ContainerRecord record;
  ASSERT_TRUE(ApplyInspect(kInspect, {}, TestNode(), record).ok());
  const Container& container = record.container;
  EXPECT_EQ(container.id, "aa11000000000000000000000000000000000000000000000000000000000000");
  EXPECT_EQ(container.names, (std::vector<std::string>{"web"}));
  EXPECT_EQ(container.swarm_id, "5959595959595959595959595959595959595959595959595959595959595959");
  EXPECT_EQ(container.created, WallTime(seconds(1420070400)) + std::chrono::milliseconds(500));
  EXPECT_EQ(container.started_at, WallTime(seconds(1420070401)));
  EXPECT_EQ(container.finished_at, WallTime{});
  EXPECT_EQ(container.state, ContainerState::kRunning);
  EXPECT_EQ(container.health, "starting");
  EXPECT_EQ(container.request, (Resources{500'000'000, 1'048'576}));
  EXPECT_EQ(container.wanted_ports, (std::vector<PortBinding>{{"", 8080, 8080, 80, "tcp"}}));
  EXPECT_EQ(container.bound_ports, (std::vector<PortBinding>{{"", 8080, 8080, 80, "tcp"}}));
  EXPECT_EQ(container.network_ids, (std::vector<std::string>{"n9"}));
}

TEST(ApplyInspectTest, RefusesWhatIsNoContainer) {
  ContainerRecord record;
  EXPECT_FALSE(ApplyInspect("{}", {}, TestNode(), record).ok());
  EXPECT_FALSE(ApplyInspect("[]", {}, TestNode(), record).ok());
  EXPECT_FALSE(ApplyInspect("{", {}, TestNode(), record).ok());
  EXPECT_FALSE(ApplyInspect(R"({"Id":"a b","State":{}})", {}, TestNode(), record).ok());
}

TEST(ApplyInspectTest, ReadsTheFlagsOfOldEngines) {
  const std::pair<const char*, ContainerState> cases[] = {
      {R"("Running":true)", ContainerState::kRunning},
      {R"("Running":true,"Paused":true)", ContainerState::kPaused},
      {R"("Running":true,"Restarting":true)", ContainerState::kRestarting},
      {R"("Running":false,"StartedAt":"2015-01-01T00:00:01Z")", ContainerState::kExited},
      {R"("Running":false,"StartedAt":"0001-01-01T00:00:00Z")", ContainerState::kCreated}};
  for (const auto& [flags, state] : cases) {
    ContainerRecord record;
    ASSERT_TRUE(
        ApplyInspect(std::string("{\"State\":{") + flags + "}}", {}, TestNode(), record).ok());
    EXPECT_EQ(record.container.state, state) << flags;
  }
}

TEST(InspectForClientTest, AddsTheNodeAndItsAddress) {
  const auto body = InspectForClient(kInspect, TestNode());
  ASSERT_TRUE(body.ok());
  EXPECT_NE(
      body->find(R"("Ports":{"443/tcp":null,"80/tcp":[{"HostIp":"10.0.0.1","HostPort":"8080"}]})"),
      std::string::npos)
      << *body;
  EXPECT_TRUE(
      body->ends_with(R"(,"Node":{"ID":"ABCD","IP":"10.0.0.1","Addr":"10.0.0.1:2375","Name":"n1",)"
                      R"("Cpus":2,"Memory":1024,"Labels":{"zone":"external"}}})"))
      << *body;
  EXPECT_NE(body->find(R"("PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"8080"}]})"),
            std::string::npos);
}

TEST(InspectEditorTest, KeepsNothingOfTheLastAnswer) {
  InspectEditor editor;
  auto first = std::make_shared<Node>(TestNode());
  auto second = std::make_shared<Node>(TestNode());
  second->name = "renamed";
  std::string long_answer, short_answer;
  ASSERT_TRUE(editor.Append(kInspect, first, long_answer).ok());
  EXPECT_EQ(long_answer, *InspectForClient(kInspect, *first));
  EXPECT_FALSE(editor.Append("[]", first, short_answer).ok());
  EXPECT_FALSE(editor.Append("{", first, short_answer).ok());
  EXPECT_EQ(short_answer, "");
  // The same address, described anew; an answer that has a node already; an empty one.
  ASSERT_TRUE(editor.Append("{\"Node\":1,\"Id\":\"x\"}", second, short_answer).ok());
  EXPECT_TRUE(short_answer.starts_with("{\"Node\":{\"ID\":\"ABCD\"")) << short_answer;
  EXPECT_NE(short_answer.find("\"Name\":\"renamed\""), std::string::npos) << short_answer;
  EXPECT_TRUE(short_answer.ends_with("},\"Id\":\"x\"}")) << short_answer;
  short_answer.clear();
  ASSERT_TRUE(editor.Append("{}", first, short_answer).ok());
  EXPECT_TRUE(short_answer.starts_with("{\"Node\":{\"ID\"")) << short_answer;
  EXPECT_TRUE(short_answer.ends_with("}}")) << short_answer;
}

TEST(InspectEditorTest, AnAnswerThatComesAgainIsTheSame) {
  InspectEditor editor;
  const auto node = std::make_shared<Node>(TestNode());
  auto renamed = std::make_shared<Node>(TestNode());
  renamed->name = "renamed";
  // The first three begin alike and take turns in one place; the last one is too long to be kept.
  const std::string start = "{\"Id\":\"" + std::string(100, 'a') + "\",\"Name\":\"";
  const std::string bodies[] = {start + "x\"}", start + "y\"}", start + "x",
                                start + std::string(InspectEditor::kMostKeptBytes, 'z') + "\"}"};
  for (int round = 0; round < 3; ++round) {
    for (const std::string& body : bodies) {
      for (const NodePointer& one : {NodePointer(node), NodePointer(renamed)}) {
        for (int times = 0; times < 2; ++times) {
          std::string edited = "before";
          const absl::StatusOr<std::string> wanted = InspectForClient(body, *one);
          EXPECT_EQ(editor.Append(body, one, edited).ok(), wanted.ok());
          EXPECT_EQ(edited, "before" + (wanted.ok() ? *wanted : std::string()));
        }
      }
    }
  }
}

struct StatusCase {
  const char* name;
  ContainerState state;
  const char* health;  // null = none
  Duration since;
  const char* text;
};

class StatusTest : public testing::TestWithParam<StatusCase> {};

TEST_P(StatusTest, IsInTheWordsOfTheEngine) {
  const WallTime now(hours(24 * 365 * 45));
  Container container;
  container.state = GetParam().state;
  container.exit_code = 7;
  container.started_at = container.finished_at = now - GetParam().since;
  container.has_health = GetParam().health != nullptr;
  if (container.has_health) container.health = GetParam().health;
  EXPECT_EQ(StatusText(container, NodeState::kHealthy, now), GetParam().text);
  EXPECT_EQ(StatusText(container, NodeState::kUnhealthy, now), "Host Down");
}

INSTANTIATE_TEST_SUITE_P(
    , StatusTest,
    testing::Values(
        StatusCase{"Created", ContainerState::kCreated, nullptr, seconds(0), "Created"},
        StatusCase{"JustUp", ContainerState::kRunning, nullptr, seconds(0),
                   "Up Less than a second"},
        StatusCase{"AheadOfUs", ContainerState::kRunning, nullptr, seconds(-90),
                   "Up Less than a second"},
        StatusCase{"OneSecond", ContainerState::kRunning, nullptr, seconds(1), "Up 1 second"},
        StatusCase{"Seconds", ContainerState::kRunning, nullptr, seconds(59), "Up 59 seconds"},
        StatusCase{"Minute", ContainerState::kRunning, nullptr, seconds(119), "Up About a minute"},
        StatusCase{"Minutes", ContainerState::kRunning, nullptr, minutes(59), "Up 59 minutes"},
        StatusCase{"Hour", ContainerState::kRunning, nullptr, minutes(60), "Up About an hour"},
        StatusCase{"Hours", ContainerState::kRunning, nullptr, minutes(90), "Up 2 hours"},
        StatusCase{"ManyHours", ContainerState::kRunning, nullptr, hours(47), "Up 47 hours"},
        StatusCase{"Days", ContainerState::kRunning, nullptr, hours(48), "Up 2 days"},
        StatusCase{"Weeks", ContainerState::kRunning, nullptr, hours(24 * 14), "Up 2 weeks"},
        StatusCase{"Months", ContainerState::kRunning, nullptr, hours(24 * 60), "Up 2 months"},
        StatusCase{"Years", ContainerState::kRunning, nullptr, hours(24 * 365 * 2), "Up 2 years"},
        StatusCase{"Paused", ContainerState::kPaused, nullptr, seconds(5), "Up 5 seconds (Paused)"},
        StatusCase{"Healthy", ContainerState::kRunning, "healthy", hours(3),
                   "Up 3 hours (healthy)"},
        StatusCase{"Unhealthy", ContainerState::kRunning, "unhealthy", hours(3),
                   "Up 3 hours (unhealthy)"},
        StatusCase{"Starting", ContainerState::kRunning, "starting", seconds(3),
                   "Up 3 seconds (health: starting)"},
        StatusCase{"Restarting", ContainerState::kRestarting, nullptr, seconds(5),
                   "Restarting (7) 5 seconds ago"},
        StatusCase{"Exited", ContainerState::kExited, nullptr, minutes(5),
                   "Exited (7) 5 minutes ago"},
        StatusCase{"Removing", ContainerState::kRemoving, nullptr, seconds(0),
                   "Removal In Progress"},
        StatusCase{"Dead", ContainerState::kDead, nullptr, seconds(0), "Dead"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(RowHoldsUntilTest, IsWhenTheWordsMayChange) {
  auto node = std::make_shared<Node>(TestNode());
  node->state = NodeState::kHealthy;
  node->clock_offset = seconds(-60);
  const WallTime now(seconds(10'000));
  struct Case {
    ContainerState state;
    WallTime started, finished, until;
  };
  const WallTime never{}, ever = WallTime::max(), recent(seconds(9'840)), earlier(seconds(9'900));
  const Case cases[] = {{ContainerState::kRunning, recent, never, now + seconds(20)},
                        {ContainerState::kPaused, recent, never, now + seconds(20)},
                        {ContainerState::kExited, recent, earlier, now + seconds(1)},
                        {ContainerState::kRestarting, recent, recent, now + seconds(20)},
                        {ContainerState::kRunning, never, never, ever},
                        {ContainerState::kCreated, never, never, ever},
                        {ContainerState::kDead, recent, recent, ever},
                        {ContainerState::kRemoving, recent, recent, ever}};
  for (const Case& wanted : cases) {
    ContainerEntry entry;
    entry.node = node;
    entry.container.state = wanted.state;
    entry.container.started_at = wanted.started;
    entry.container.finished_at = wanted.finished;
    EXPECT_EQ(RowHoldsUntil(entry, now), wanted.until) << static_cast<int>(wanted.state);
    auto down = std::make_shared<Node>(*node);
    down->state = NodeState::kUnhealthy;
    entry.node = down;
    EXPECT_EQ(RowHoldsUntil(entry, now), ever);
  }
}

TEST(AppendRowTest, PutsTheStatusInItsPlaceByTheEnginesClock) {
  auto node = std::make_shared<Node>(TestNode());
  node->clock_offset = seconds(-60);
  ContainerEntry entry;
  entry.node = node;
  entry.container.state = ContainerState::kRunning;
  entry.container.started_at = WallTime(seconds(1000));
  entry.row = {R"({"Status":)", "}"};
  std::string text;
  AppendRow(text, entry, WallTime(seconds(1065)));
  EXPECT_EQ(text, R"({"Status":"Up 5 seconds"})");
}

TEST(SetRowStateTest, ChangesTheStateAndNothingElse) {
  struct Case {
    ListFragment row, wanted;
  };
  const Case cases[] = {
      {{R"({"Names":["/a"],"State":"created","Status":)", "}"},
       {R"({"Names":["/a"],"State":"running","Status":)", "}"}},
      {{R"({"Labels":{"x":"\"State\":\"created\""},"Status":)", R"(,"State":"exited"})"},
       {R"({"Labels":{"x":"\"State\":\"created\""},"Status":)", R"(,"State":"running"})"}},
      {{R"({"Id":"a","Status":)", "}"}, {R"({"Id":"a","Status":)", "}"}}};  // before API 1.23
  for (const Case& test : cases) {
    ListFragment row = test.row;
    SetRowState(row, "running");
    EXPECT_EQ(row.head, test.wanted.head);
    EXPECT_EQ(row.tail, test.wanted.tail);
  }
}

}  // namespace
}  // namespace swarm
