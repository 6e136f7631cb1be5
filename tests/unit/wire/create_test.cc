#include "wire/create.h"

#include <gtest/gtest.h>

#include "swarmlib/status.h"
#include "wire/json.h"

namespace swarm {
namespace {

constexpr char kSwarmId[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

absl::StatusOr<ParsedCreate> Parse(std::string_view body, bool shares_as_cores = false) {
  return ParseCreate(body, "web", "", "", CreateRules{shares_as_cores});
}

// As `docker run -d --name web -e constraint:zone==external -p 8080:80 -m 512m --cpus 1.5 nginx` of
// CLI 28.5 sends it.
constexpr char kBody28[] =
    R"({"Hostname":"","Domainname":"","User":"","AttachStdin":false,"AttachStdout":false,"AttachStderr":false,)"
    R"("ExposedPorts":{"80/tcp":{}},"Tty":false,"OpenStdin":false,"StdinOnce":false,)"
    R"("Env":["constraint:zone==external","A=b \u00e9","affinity:container==~db","whitelist:node==n1|n2"],)"
    R"("Cmd":null,"Image":"nginx","Volumes":{},"WorkingDir":"","Entrypoint":null,"Labels":{"tier":"web"},)"
    R"("HostConfig":{"Binds":null,"ContainerIDFile":"","LogConfig":{"Type":"","Config":{}},"NetworkMode":"default",)"
    R"("PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"8080"}]},"RestartPolicy":{"Name":"no","MaximumRetryCount":0},)"
    R"("Links":null,"Memory":536870912,"NanoCpus":1500000000,"CpuShares":0,"Foo":{"Future":[1.50,1e400]}},)"
    R"("NetworkingConfig":{"EndpointsConfig":{"default":{"IPAMConfig":null,"MacAddress":""}}}})";

TEST(ParseCreateTest, ReadsAndEditsTheBodyOfARealClient) {
  const auto parsed = ParseCreate(kBody28, "/web", "linux/amd64", kSwarmId, {});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const ContainerSpec& spec = parsed->spec;
  EXPECT_EQ(spec.name, "web");
  EXPECT_EQ(spec.image, "nginx");
  EXPECT_EQ(spec.platform, "linux/amd64");
  EXPECT_EQ(spec.swarm_id, kSwarmId);
  ASSERT_EQ(spec.constraints.size(), 1u);
  EXPECT_EQ(spec.constraints[0].text, "zone==external");
  ASSERT_EQ(spec.affinities.size(), 1u);
  EXPECT_TRUE(spec.affinities[0].soft);
  ASSERT_EQ(spec.whitelists.size(), 1u);
  EXPECT_EQ(spec.request, (Resources{1'500'000'000, 536'870'912}));
  EXPECT_EQ(spec.ports, (std::vector<PortBinding>{{"", 8080, 8080, 80, "tcp"}}));
  EXPECT_EQ(spec.labels.at("tier"), "web");

  const std::string& body = parsed->body;
  EXPECT_NE(body.find(R"("Env":["A=b \u00e9"],"Cmd")"), std::string::npos) << body;
  EXPECT_NE(body.find(R"("Foo":{"Future":[1.50,1e400]})"), std::string::npos) << body;
  EXPECT_NE(
      body.find(
          R"("Labels":{"tier":"web","com.docker.swarm.affinities":"[\"container==~db\"]",)"
          R"("com.docker.swarm.constraints":"[\"zone==external\"]","com.docker.swarm.id":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",)"
          R"("com.docker.swarm.whitelists":"[\"node==n1|n2\"]"})"),
      std::string::npos)
      << body;
  // What was written is what a restarted manager reads.
  const auto again = ParseCreate(body, "web", "linux/amd64", "other", {});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->body, body);
  EXPECT_EQ(again->spec.constraints, spec.constraints);
  EXPECT_EQ(again->spec.swarm_id, kSwarmId);
}

struct EnvCase {
  const char* name;
  const char* line;
  const char* constraints;  // label written, "" = none
  const char* affinities;
};

class EnvTest : public testing::TestWithParam<EnvCase> {};

TEST_P(EnvTest, IsTakenOutAndWrittenBack) {
  const auto parsed =
      Parse(std::string(R"({"Image":"a","Env":["X=1",")") + GetParam().line + R"(","Y=2"]})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const auto label = [&](std::string_view key) {
    const auto found = parsed->spec.labels.find(key);
    return found == parsed->spec.labels.end() ? std::string() : found->second;
  };
  EXPECT_EQ(label(kConstraintsLabel), GetParam().constraints);
  EXPECT_EQ(label(kAffinitiesLabel), GetParam().affinities);
  EXPECT_NE(parsed->body.find(R"("Env":["X=1","Y=2"])"), std::string::npos) << parsed->body;
}

INSTANTIATE_TEST_SUITE_P(
    , EnvTest,
    testing::Values(EnvCase{"Equal", "constraint:zone==external", R"(["zone==external"])", ""},
                    EnvCase{"Single", "constraint:storage=ssd", R"(["storage=ssd"])", ""},
                    EnvCase{"NotEqual", "constraint:zone!=us*", R"(["zone!=us*"])", ""},
                    EnvCase{"Regex", "constraint:node==/dockerhost0[12]/",
                            R"(["node==/dockerhost0[12]/"])", ""},
                    EnvCase{"AffinityContainer", "affinity:container=nginx", "",
                            R"(["container=nginx"])"},
                    EnvCase{"AffinityImage", "affinity:image=nginx", "", R"(["image=nginx"])"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ParseCreateTest, UnitesEnvAndLabels) {
  const auto parsed = Parse(
      R"({"Env":["constraint:zone==b","constraint:zone==a","reschedule:on-node-failure"],)"
      R"("Labels":{"com.docker.swarm.constraints":"[\"zone==a\",\"disk==~ssd\"]","com.docker.swarm.id":"3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d"}})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->spec.labels.at(std::string(kConstraintsLabel)),
            R"(["zone==a","disk==~ssd","zone==b"])");
  EXPECT_EQ(parsed->spec.labels.at(std::string(kReschedulePoliciesLabel)),
            R"(["on-node-failure"])");
  EXPECT_EQ(parsed->spec.constraints.size(), 3u);
  EXPECT_EQ(parsed->spec.swarm_id,
            "3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d");
  EXPECT_NE(parsed->body.find(R"("Env":[])"), std::string::npos);
}

struct RefusedCase {
  const char* name;
  std::string body;
  int status;
  const char* message;  // a part of it
};

class RefusedTest : public testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedTest, SaysWhatIsWrong) {
  const auto parsed = Parse(GetParam().body);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(HttpStatusOf(parsed.status()), GetParam().status);
  EXPECT_NE(MessageOf(parsed.status()).find(GetParam().message), std::string_view::npos)
      << parsed.status();
}

INSTANTIATE_TEST_SUITE_P(
    , RefusedTest,
    testing::Values(
        RefusedCase{"Empty", "", 400, "EOF"},
        RefusedCase{"NotJson", "{\"Image\":", 400, "invalid JSON"},
        RefusedCase{"Array", "[]", 400, "must be an object"},
        RefusedCase{"Trailing", "{} {}", 400, "unexpected content"},
        RefusedCase{"TooLarge", std::string(kMostCreateBytes + 1, ' '), 413, "larger than"},
        RefusedCase{"TooDeep", R"({"x":)" + std::string(64, '[') + std::string(64, ']') + "}", 400,
                    "64 levels"},
        RefusedCase{"EnvNumber", R"({"Env":1})", 400,
                    "\"Env\" must be an array of strings, not a number"},
        RefusedCase{"EnvOfNumbers", R"({"Env":[1]})", 400, "\"Env\""},
        RefusedCase{"ImageArray", R"({"Image":[]})", 400,
                    "\"Image\" must be a string, not an array"},
        RefusedCase{"LabelsArray", R"({"Labels":["a"]})", 400, "\"Labels\" must be an object"},
        RefusedCase{"HostConfigText", R"({"HostConfig":"x"})", 400, "\"HostConfig\""},
        RefusedCase{"MemoryText", R"({"HostConfig":{"Memory":"1"}})", 400,
                    "\"Memory\" must be a number"},
        RefusedCase{"MemoryFraction", R"({"HostConfig":{"Memory":1.5}})", 400, "whole number"},
        RefusedCase{"MemoryTooLarge", R"({"HostConfig":{"Memory":9223372036854775808}})", 400,
                    "64 bits"},
        RefusedCase{"EnvTwice", R"({"Env":[],"env":["constraint:a==b"]})", 400, "more than once"},
        RefusedCase{"HostConfigTwice", R"({"HostConfig":{},"HostConfig":{}})", 400,
                    "more than once"},
        RefusedCase{"NetworkModeTwice",
                    R"({"HostConfig":{"NetworkMode":"a","networkMode":"host"}})", 400, "once"},
        RefusedCase{"LabelTwice",
                    R"({"Labels":{"com.docker.swarm.id":"a","com.docker.swarm.id":"b"}})", 400,
                    "once"},
        RefusedCase{"BadExpression", R"({"Env":["constraint:zone"]})", 400, "constraint"},
        RefusedCase{"BadRegex", R"({"Env":["constraint:zone==/(/"]})", 400, "constraint"},
        RefusedCase{"BadLabelArray", R"({"Labels":{"com.docker.swarm.constraints":"zone==a"}})",
                    400, "must hold a JSON array of strings"},
        RefusedCase{"LabelArrayOfNumbers", R"({"Labels":{"com.docker.swarm.affinities":"[1]"}})",
                    400, "affinities"},
        RefusedCase{"BadPolicy", R"({"Env":["reschedule:always"]})", 400, "off or on-node-failure"},
        RefusedCase{"TwoPolicies", R"({"Env":["reschedule:off","reschedule:on-node-failure"]})",
                    400, "more than one"},
        RefusedCase{"BadContainerPort", R"({"HostConfig":{"PortBindings":{"80x/tcp":null}}})", 400,
                    "invalid port specification: \"80x\""},
        RefusedCase{"BadHostPort",
                    R"({"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"70000"}]}}})", 400,
                    "invalid port specification: \"70000\""},
        RefusedCase{"ReversedRange",
                    R"({"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"9-8"}]}}})", 400,
                    "invalid port specification"},
        RefusedCase{"BadProtocol", R"({"HostConfig":{"PortBindings":{"80/icmp":null}}})", 400,
                    "80/icmp"},
        RefusedCase{"BindingText", R"({"HostConfig":{"PortBindings":{"80/tcp":["8080"]}}})", 400,
                    "PortBindings"},
        RefusedCase{"HostPortNumber",
                    R"({"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":80}]}}})", 400,
                    "\"HostPort\""}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ParseCreateTest, RefusesBadNames) {
  for (const char* name : {"a", "-web", "we b", "n1/web", "web!", "//web"}) {
    const auto parsed = ParseCreate("{}", name, "", "", {});
    ASSERT_FALSE(parsed.ok()) << name;
    EXPECT_EQ(MessageOf(parsed.status()), "Invalid container name (" + std::string(name) +
                                              "), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
  }
  EXPECT_TRUE(ParseCreate("{}", "", "", "", {}).ok());
}

struct PortCase {
  const char* name;
  const char* host_config;
  std::vector<PortBinding> ports;
};

class PortTest : public testing::TestWithParam<PortCase> {};

TEST_P(PortTest, IsRead) {
  const auto parsed = Parse(std::string(R"({"HostConfig":)") + GetParam().host_config + "}");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->spec.ports, GetParam().ports);
}

INSTANTIATE_TEST_SUITE_P(
    , PortTest,
    testing::Values(
        PortCase{"None", "{}", {}}, PortCase{"NullBindings", R"({"PortBindings":null})", {}},
        PortCase{"NullList", R"({"PortBindings":{"80/tcp":null}})", {{"", 0, 0, 80, "tcp"}}},
        PortCase{"EmptyList", R"({"PortBindings":{"80/tcp":[]}})", {{"", 0, 0, 80, "tcp"}}},
        PortCase{
            "EmptyPort", R"({"PortBindings":{"80":[{"HostPort":""}]}})", {{"", 0, 0, 80, "tcp"}}},
        PortCase{"Range",
                 R"({"PortBindings":{"7070/tcp":[{"HostPort":"7000-7005"}]}})",
                 {{"", 7000, 7005, 7070, "tcp"}}},
        PortCase{
            "Udp", R"({"PortBindings":{"53/udp":[{"HostPort":"53"}]}})", {{"", 53, 53, 53, "udp"}}},
        PortCase{
            "Sctp", R"({"PortBindings":{"9/sctp":[{"HostPort":"9"}]}})", {{"", 9, 9, 9, "sctp"}}},
        PortCase{"Address",
                 R"({"PortBindings":{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"80"}]}})",
                 {{"127.0.0.1", 80, 80, 80, "tcp"}}},
        PortCase{
            "Wildcards",
            R"({"PortBindings":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"80"},{"HostIp":"::","HostPort":"80"}]}})",
            {{"", 80, 80, 80, "tcp"}}},
        PortCase{"Several",
                 R"({"PortBindings":{"80/tcp":[{"HostPort":"1"},{"HostPort":"2"}]}})",
                 {{"", 1, 1, 80, "tcp"}, {"", 2, 2, 80, "tcp"}}},
        PortCase{"HostNetwork",
                 R"({"NetworkMode":"host","PortBindings":{"80/tcp":[{"HostPort":"1"}]}})",
                 {}},
        PortCase{"NoNetwork",
                 R"({"NetworkMode":"none","PortBindings":{"80/tcp":[{"HostPort":"1"}]}})",
                 {}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ParseCreateTest, HostNetworkTakesTheExposedPorts) {
  const auto parsed =
      Parse(R"({"ExposedPorts":{"80/tcp":{},"53/udp":{}},"HostConfig":{"NetworkMode":"host"}})");
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(parsed->spec.host_network);
  EXPECT_EQ(parsed->spec.exposed,
            (std::vector<PortBinding>{{"", 80, 80, 80, "tcp"}, {"", 53, 53, 53, "udp"}}));
}

struct ResourceCase {
  const char* name;
  const char* body;
  bool shares_as_cores;
  Resources request;
};

class ResourceTest : public testing::TestWithParam<ResourceCase> {};

TEST_P(ResourceTest, IsAsked) {
  const auto parsed = Parse(GetParam().body, GetParam().shares_as_cores);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->spec.request, GetParam().request);
}

INSTANTIATE_TEST_SUITE_P(
    , ResourceTest,
    testing::Values(
        ResourceCase{"Nothing", "{}", false, {0, 0}},
        ResourceCase{"Nano", R"({"HostConfig":{"NanoCpus":250000000}})", false, {250'000'000, 0}},
        ResourceCase{"Quota", R"({"HostConfig":{"CpuQuota":50000}})", false, {500'000'000, 0}},
        ResourceCase{"QuotaAndPeriod",
                     R"({"HostConfig":{"CpuQuota":50000,"CpuPeriod":25000}})",
                     false,
                     {2'000'000'000, 0}},
        ResourceCase{"HugeQuota",
                     R"({"HostConfig":{"CpuQuota":9223372036854775807,"CpuPeriod":1}})",
                     false,
                     {(std::int64_t{1} << 20) * 1'000'000'000, 0}},
        ResourceCase{
            "HugeAmounts",
            R"({"HostConfig":{"Memory":9223372036854775807,"NanoCpus":9223372036854775807}})",
            false,
            {(std::int64_t{1} << 20) * 1'000'000'000, std::int64_t{1} << 53}},
        ResourceCase{"NoLimit", R"({"HostConfig":{"CpuQuota":-1,"Memory":-1}})", false, {0, 0}},
        ResourceCase{"SharesAreShares", R"({"HostConfig":{"CpuShares":512}})", false, {0, 0}},
        ResourceCase{
            "SharesAsCores", R"({"HostConfig":{"CpuShares":2}})", true, {2'000'000'000, 0}},
        ResourceCase{
            "OldMemory", R"({"Memory":1048576,"CpuShares":1})", true, {1'000'000'000, 1'048'576}},
        ResourceCase{"NewOverOld", R"({"Memory":7,"HostConfig":{"Memory":9}})", false, {0, 9}}),
    [](const auto& info) { return std::string(info.param.name); });

struct EditCase {
  const char* name;
  const char* body;
  const char* edited;
};

class EditTest : public testing::TestWithParam<EditCase> {};

TEST_P(EditTest, GivesTheEngineWhatItUnderstands) {
  const auto parsed = Parse(GetParam().body);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->body, GetParam().edited);
}

INSTANTIATE_TEST_SUITE_P(
    , EditTest,
    testing::Values(
        EditCase{"Untouched", R"( {"A" : 1.0, "Env":["a=b"], "HostConfig" : {}} )",
                 R"( {"A" : 1.0, "Env":["a=b"], "HostConfig" : {}} )"},
        EditCase{"OldAmounts", R"({"Memory":5,"MemorySwap":-1,"Cpuset":"0,1"})",
                 R"({"HostConfig":{"CpusetCpus":"0,1","Memory":5,"MemorySwap":-1}})"},
        EditCase{"OldAmountsBesideHostConfig",
                 R"({"Memory":5,"HostConfig":{"Memory":0,"Dns":null}})",
                 R"({"HostConfig":{"Dns":null,"Memory":5}})"},
        EditCase{"NodeLink",
                 R"({"HostConfig":{"Links":["/n1/db:db","x:y"],"VolumesFrom":["n1/data:ro"]}})",
                 R"({"HostConfig":{"Links":["db:db","x:y"],"VolumesFrom":["data:ro"]}})"},
        EditCase{"NoNode", R"({"HostConfig":{"Links":["a/b/c:d"],"NetworkMode":"n1/"}})",
                 R"({"HostConfig":{"Links":["a/b/c:d"],"NetworkMode":"n1/"}})"},
        EditCase{"NodeContainer",
                 R"({"HostConfig":{"IpcMode":"container:n1/db","PidMode":"host"}})",
                 R"({"HostConfig":{"IpcMode":"container:db","PidMode":"host"}})"},
        EditCase{
            "NodeNetwork",
            R"({"HostConfig":{"NetworkMode":"n1/net"},"NetworkingConfig":{"EndpointsConfig":{"n1/net":{"A":1}}}})",
            R"({"HostConfig":{"NetworkMode":"net"},"NetworkingConfig":{"EndpointsConfig":{"net":{"A":1}}},)"
            R"("Labels":{"com.docker.swarm.constraints":"[\"node==n1\"]"}})"},
        EditCase{
            "NullLabels", R"({"Labels":null,"Env":["constraint:a1==b"],"HostConfig":{}})",
            R"({"Labels":{"com.docker.swarm.constraints":"[\"a1==b\"]"},"Env":[],"HostConfig":{}})"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ParseCreateTest, NamesItsNeighbours) {
  const auto parsed =
      Parse(R"({"HostConfig":{"Links":["db:d","/n1/cache:c"],"VolumesFrom":["data:ro","other"],)"
            R"("NetworkMode":"container:n1/net","IpcMode":"container:ipc","PidMode":""}})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->spec.links, (std::vector<std::string>{"db", "n1/cache"}));
  EXPECT_EQ(parsed->spec.volumes_from, (std::vector<std::string>{"data", "other"}));
  EXPECT_EQ(parsed->spec.joined, (std::vector<std::string>{"n1/net", "ipc"}));
  EXPECT_FALSE(parsed->spec.host_network);
}

// Work must not grow with the square of what a client sends.
TEST(ParseCreateTest, IsBoundedInWork) {
  std::string expressions;
  for (int i = 0; i < 100'000; ++i) expressions += "\"constraint:a" + std::to_string(i) + "==b\",";
  const auto many = Parse("{\"Env\":[" + expressions + "\"X=1\"]}");
  ASSERT_FALSE(many.ok());
  EXPECT_NE(MessageOf(many.status()).find("are given: 100000, at most 128"), std::string_view::npos)
      << many.status();
  std::string bindings;
  for (int i = 0; i < 19'998; ++i) bindings += "{\"HostPort\":\"" + std::to_string(i + 1) + "\"},";
  const auto ports = Parse(
      R"({"ExposedPorts":{"0-9999/tcp":{},"0-9999/udp":{}},"HostConfig":{"PortBindings":{"80/tcp":[)" +
      bindings + R"({}]}}})");
  ASSERT_TRUE(ports.ok()) << ports.status();
  EXPECT_EQ(ports->spec.ports.size(), 19'999u);
}

TEST(ParseCreateTest, ReadsOneAddressInAllItsSpellings) {
  const auto parsed = Parse(
      R"({"HostConfig":{"PortBindings":{"80/tcp":[{"HostIp":"0:0:0:0:0:0:0:1","HostPort":"1"},)"
      R"({"HostIp":"::1","HostPort":"1"},{"HostIp":"::ffff:1.2.3.4","HostPort":"2"},)"
      R"({"HostIp":"::0","HostPort":"3"},{"HostIp":"::ffff:0.0.0.0","HostPort":"4"}]}}})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->spec.ports, (std::vector<PortBinding>{{"::1", 1, 1, 80, "tcp"},
                                                          {"1.2.3.4", 2, 2, 80, "tcp"},
                                                          {"", 3, 3, 80, "tcp"},
                                                          {"", 4, 4, 80, "tcp"}}));
}

TEST(ParseCreateTest, BoundsPorts) {
  std::string exposed;
  for (int i = 0; i < 8; ++i) exposed += "\"" + std::string(1, '1' + i) + "-65535/tcp\":{},";
  EXPECT_FALSE(Parse("{\"ExposedPorts\":{" + exposed + "\"1/tcp\":{}}}").ok());
  const auto with_ranges = [](int count) {
    std::string bindings;
    for (int i = 0; i < count; ++i)
      bindings += "{\"HostPort\":\"" + std::to_string(i + 1) + "-65535\"},";
    bindings.pop_back();
    return Parse("{\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[" + bindings + "]}}}");
  };
  EXPECT_TRUE(with_ranges(256).ok());
  const auto many = with_ranges(257);
  ASSERT_FALSE(many.ok());
  EXPECT_EQ(HttpStatusOf(many.status()), 400);
}

Node WithCores(int cores) {
  Node node;
  node.total.nano_cpus = cores * std::int64_t{1'000'000'000};
  return node;
}

TEST(WithSharesOfCoresTest, ReplacesOnlyWhatWasAsked) {
  EXPECT_EQ(WithSharesOfCores(R"({"HostConfig":{"CpuShares":2,"X":1}})", WithCores(4)),
            R"({"HostConfig":{"CpuShares":512,"X":1}})");
  // An update.
  EXPECT_EQ(WithSharesOfCores(R"({"Memory":5,"CpuShares":1})", WithCores(2)),
            R"({"Memory":5,"CpuShares":512})");
  EXPECT_EQ(WithSharesOfCores(R"({"CpuShares":9223372036854775807})", WithCores(1)),
            R"({"CpuShares":1073741824})");
  EXPECT_EQ(WithSharesOfCores(R"({"CpuShares":1})", WithCores(1'000'000)), R"({"CpuShares":2})");
  EXPECT_EQ(WithSharesOfCores(R"({"CpuShares":1})", WithCores(0)), R"({"CpuShares":1})");
  for (const char* none : {R"({"HostConfig":{}})", R"({"A":1})", R"({"HostConfig":null})",
                           R"({"HostConfig":{"CpuShares":0,"NanoCpus":1000000000}})",
                           R"({"HostConfig":{"NanoCpus":5}})"}) {
    EXPECT_EQ(WithSharesOfCores(none, WithCores(2)), none);
  }
}

TEST(WithSwarmIdTest, ReplacesOrAddsTheLabel) {
  EXPECT_EQ(WithSwarmId(R"({"Labels":{"com.docker.swarm.id":"a","x":"y"}})", "b"),
            R"({"Labels":{"com.docker.swarm.id":"b","x":"y"}})");
  EXPECT_EQ(WithSwarmId(R"({"labels":{"x":"y"}})", "b"),
            R"({"labels":{"x":"y","com.docker.swarm.id":"b"}})");
  for (const char* body : {R"({"Labels":null})", R"({})"}) {
    EXPECT_EQ(WithSwarmId(body, "b"), R"({"Labels":{"com.docker.swarm.id":"b"}})") << body;
  }
}

TEST(ParseCreateTest, TakesOnlyAFullIdAsSwarmId) {
  for (const char* wrong : {"web", "", "0123456789ab"}) {
    const auto parsed =
        ParseCreate(std::string(R"({"Labels":{"com.docker.swarm.id":")") + wrong + "\"}}", "web",
                    "", kSwarmId, {});
    ASSERT_TRUE(parsed.ok()) << wrong;
    EXPECT_EQ(parsed->spec.swarm_id, kSwarmId) << wrong;
    EXPECT_EQ(parsed->body, std::string(R"({"Labels":{"com.docker.swarm.id":")") + kSwarmId +
                                R"("},"HostConfig":{}})");
  }
  EXPECT_EQ(SwarmIdOf({{"com.docker.swarm.id", "web"}}), "");
}

TEST(CreatedIdTest, IsRead) {
  EXPECT_EQ(*CreatedId(std::string(R"({"Id":")") + kSwarmId + R"(","Warnings":[]})"), kSwarmId);
  for (const char* wrong : {R"({"Id":"a b"})", R"({"Id":"abc"})", R"({"Id":""})"}) {
    EXPECT_FALSE(CreatedId(wrong).ok()) << wrong;
  }
  EXPECT_FALSE(CreatedId(R"({"Warnings":[]})").ok());
  EXPECT_FALSE(CreatedId("gone").ok());
}

TEST(ParseUpdateTest, ReadsTheTopLevel) {
  EXPECT_EQ(*ParseUpdate(R"({"Memory":314572800,"NanoCpus":0,"RestartPolicy":{"Name":""}})", {}),
            (Resources{0, 314'572'800}));
  EXPECT_FALSE(ParseUpdate(R"({"Memory":"1"})", {}).ok());
}

}  // namespace
}  // namespace swarm
