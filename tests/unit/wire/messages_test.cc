#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "swarmlib/status.h"
#include "wire/api_version.h"
#include "wire/engine.h"
#include "wire/errors.h"
#include "wire/filters.h"
#include "wire/progress.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

TEST(ApiVersionTest, IsTwoNumbers) {
  EXPECT_EQ(ParseApiVersion("1.41"), (ApiVersion{1, 41}));
  EXPECT_GT(*ParseApiVersion("1.41"), *ParseApiVersion("1.5"));
  for (const char* text : {"", "1", "1.", ".1", "1.x", "1.4.1", "v1.4", "1.-4", "1.99999"}) {
    EXPECT_EQ(ParseApiVersion(text), std::nullopt) << text;
  }
  EXPECT_EQ(ApiVersionText({1, 24}), "1.24");
  EXPECT_EQ(ClampApiVersion({1, 16}, {1, 24}, {1, 41}), (ApiVersion{1, 24}));
  EXPECT_EQ(ClampApiVersion({1, 51}, {1, 24}, {1, 41}), (ApiVersion{1, 41}));
  EXPECT_EQ(ClampApiVersion({1, 30}, {1, 24}, {1, 41}), (ApiVersion{1, 30}));
}

struct ErrorCase {
  const char* name;
  absl::Status error;
  ApiVersion client;
  int status;
  const char* body;
};

class ErrorReplyTest : public testing::TestWithParam<ErrorCase> {};

TEST_P(ErrorReplyTest, HasTheShapeOfTheClientsVersion) {
  const Reply reply = ErrorReply(GetParam().error, GetParam().client);
  EXPECT_EQ(reply.status, GetParam().status);
  EXPECT_EQ(reply.body, GetParam().body);
  const bool is_json = GetParam().client >= ApiVersion{1, 24};
  EXPECT_EQ(*FindHeader(reply.headers, "content-type"),
            is_json ? "application/json" : "text/plain; charset=utf-8");
}

INSTANTIATE_TEST_SUITE_P(
    , ErrorReplyTest,
    testing::Values(
        ErrorCase{"Json",
                  NotFound("No such container: \"x\""),
                  {1, 24},
                  404,
                  "{\"message\":\"No such container: \\\"x\\\"\"}\n"},
        ErrorCase{"Text", NotFound("No such container: x"), {1, 23}, 404, "No such container: x\n"},
        ErrorCase{"NoNodeFits",
                  FailedPrecondition("no node"),
                  {1, 41},
                  409,
                  "{\"message\":\"no node\"}\n"},
        ErrorCase{
            "NoNodeFitsForOldClients", FailedPrecondition("no node"), {1, 16}, 500, "no node\n"},
        ErrorCase{"NameTakenForOldClients", AlreadyExists("taken"), {1, 16}, 409, "taken\n"},
        ErrorCase{"EnginesConflictForOldClients",
                  HttpError(409, "taken", R"({"message":"taken"})"),
                  {1, 16},
                  409,
                  "taken\n"},
        ErrorCase{"EnginesOwnBody",
                  HttpError(404, "gone", "{\"message\":\"gone\",\"more\":1}"),
                  {1, 41},
                  404,
                  "{\"message\":\"gone\",\"more\":1}"},
        ErrorCase{"EnginesText",
                  HttpError(500, "oops", "oops\n"),
                  {1, 41},
                  500,
                  "{\"message\":\"oops\"}\n"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(EngineMessageTest, IsTheTextOfEitherForm) {
  EXPECT_EQ(EngineMessage("{\"message\":\"Conflict.\"}\n"), "Conflict.");
  EXPECT_EQ(EngineMessage("plain text\n"), "plain text");
  EXPECT_EQ(EngineMessage("{\"other\":1}"), "{\"other\":1}");
}

struct FilterCase {
  const char* name;
  const char* json;
  bool is_good;
  const char* normal;  // as FormatFilters writes it
};

class FiltersTest : public testing::TestWithParam<FilterCase> {};

TEST_P(FiltersTest, BothShapesAreRead) {
  const auto filters = ParseFilters(GetParam().json);
  ASSERT_EQ(filters.ok(), GetParam().is_good) << filters.status();
  if (!filters.ok()) {
    EXPECT_EQ(HttpStatusOf(filters.status()), 400);
    return;
  }
  EXPECT_EQ(FormatFilters(*filters), GetParam().normal);
  EXPECT_EQ(*ParseFilters(FormatFilters(*filters)), *filters);
}

INSTANTIATE_TEST_SUITE_P(
    , FiltersTest,
    testing::Values(FilterCase{"Nothing", "", true, "{}"}, FilterCase{"Null", "null", true, "{}"},
                    FilterCase{"Empty", "{}", true, "{}"},
                    FilterCase{"OfTheCommandLine",
                               R"({"label":{"a=b":true},"status":{"exited":true,"dead":true}})",
                               true,
                               R"({"label":{"a=b":true},"status":{"exited":true,"dead":true}})"},
                    FilterCase{"OfDockerPy", R"({"status":["exited"],"label":["a","b"]})", true,
                               R"({"label":{"a":true,"b":true},"status":{"exited":true}})"},
                    FilterCase{"NotJson", "{", false, ""}, FilterCase{"Array", "[]", false, ""},
                    FilterCase{"Text", R"({"a":"b"})", false, ""},
                    FilterCase{"Numbers", R"({"a":[1]})", false, ""},
                    FilterCase{"NoBoolean", R"({"a":{"b":"c"}})", false, ""}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(QueryTest, IsDecodedInOrder) {
  const Query query = ParseQuery("all=1&name=a%2Fb&name=c+d&flag&x=%zz&&e=");
  EXPECT_EQ(
      query,
      (Query{
          {"all", "1"}, {"name", "a/b"}, {"name", "c d"}, {"flag", ""}, {"x", "%zz"}, {"e", ""}}));
  EXPECT_EQ(*FindQuery(query, "name"), "a/b");
  EXPECT_EQ(FindQuery(query, "nothing"), nullptr);
  EXPECT_EQ(FormatQuery({{"a", "b c"}, {"d", "e/f&"}}), "a=b%20c&d=e%2Ff%26");
  EXPECT_TRUE(ParseQuery("").empty());
}

TEST(QueryTest, ReadsBooleansAsEnginesDo) {
  for (const char* text : {"1", "true", "True", "on", "yes", "x"})
    EXPECT_TRUE(ParseBoolean(text)) << text;
  for (const char* text : {"", "0", "no", "false", "False", "none"})
    EXPECT_FALSE(ParseBoolean(text)) << text;
}

TEST(ProgressTest, WritesAndReadsLines) {
  EXPECT_EQ(ProgressLine("n1", "Pulling \"x\""),
            "{\"status\":\"Pulling \\\"x\\\"\",\"id\":\"n1\"}\r\n");
  EXPECT_EQ(ProgressLine("", "done"), "{\"status\":\"done\"}\r\n");
  EXPECT_EQ(
      PrefixProgress(R"({"status":"Downloading","progressDetail":{"current":1},"id":"abc"})", "n1"),
      R"({"status":"Downloading","progressDetail":{"current":1},"id":"n1/abc"})");
  EXPECT_EQ(PrefixProgress(R"({"status":"done"})", "n1"), R"({"status":"done","id":"n1"})");
  EXPECT_EQ(PrefixProgress("no json", "n1"), "no json");
  EXPECT_EQ(ProgressError(ErrorLine("it \"broke\"")), "it \"broke\"");
  EXPECT_EQ(ProgressError(R"({"error":"old"})"), "old");
  EXPECT_EQ(ProgressError(R"({"status":"fine"})"), "");
  EXPECT_EQ(ProgressError("no json"), "");
}

constexpr char kInfo[] =
    R"({"ID":"AAAA:BBBB","Containers":0,"Driver":"overlay2","SystemStatus":null,"KernelVersion":"6.1.0",)"
    R"("OperatingSystem":"Debian GNU/Linux 12","OSType":"linux","Architecture":"x86_64","NCPU":2,)"
    R"("MemTotal":2097152000,"Name":"dockerhost01","Labels":["zone=external","a=b=c","node=liar","ostype=other"],)"
    R"("ServerVersion":"28.5.2"})";

TEST(EngineTest, IsReadFromInfo) {
  Node node;
  node.address = "10.0.0.1:2375";
  ASSERT_TRUE(ApplyInfo(kInfo, WallTime{}, node).ok());
  EXPECT_EQ(node.id, "AAAA:BBBB");
  EXPECT_EQ(node.name, "dockerhost01");
  EXPECT_EQ(node.total, (Resources{2'000'000'000, 2'097'152'000}));
  EXPECT_EQ(node.labels, (Labels{{"a", "b=c"},
                                 {"kernelversion", "6.1.0"},
                                 {"operatingsystem", "Debian GNU/Linux 12"},
                                 {"ostype", "linux"},
                                 {"storagedriver", "overlay2"},
                                 {"zone", "external"}}));
  EXPECT_EQ(node.engine_version, "28.5.2");
}

TEST(EngineTest, TellsHowFarItsClockIsOff) {
  const WallTime now = *ParseTime("2026-01-01T00:00:00Z");
  const struct {
    const char* system_time;
    Duration offset;
  } cases[] = {
      {"2026-01-01T01:00:00.2Z", std::chrono::hours(1)},
      {"2025-12-31T23:59:50+00:00", std::chrono::seconds(-10)},
      {"2026-01-01T02:00:00.4+02:00", {}},
      {"", {}},
      {"yesterday", {}},
      {"1700-01-01T00:00:00Z", {}},
      {"0001-01-01T00:00:00Z", {}},
  };
  for (const auto& [system_time, offset] : cases) {
    SCOPED_TRACE(system_time);
    std::string info = kInfo;
    info.insert(1, "\"SystemTime\":\"" + std::string(system_time) + "\",");
    Node node;
    ASSERT_TRUE(ApplyInfo(info, now, node).ok());
    EXPECT_EQ(node.clock_offset, offset);
    ASSERT_TRUE(ApplyInfo(info, WallTime{}, node).ok());
    EXPECT_EQ(node.clock_offset, Duration{});
  }
}

struct NotAnEngineCase {
  const char* name;
  const char* body;
  const char* reason;
};

class NotAnEngineTest : public testing::TestWithParam<NotAnEngineCase> {};

TEST_P(NotAnEngineTest, IsToldInWords) {
  Node node;
  node.address = "10.0.0.1:2375";
  const absl::Status status = ApplyInfo(GetParam().body, WallTime{}, node);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(MessageOf(status).find(GetParam().reason), std::string_view::npos) << status;
  EXPECT_NE(MessageOf(status).find("10.0.0.1:2375"), std::string_view::npos);
  EXPECT_TRUE(node.id.empty());
}

INSTANTIATE_TEST_SUITE_P(
    , NotAnEngineTest,
    testing::Values(
        NotAnEngineCase{"Html", "<html>", "not a JSON object"},
        NotAnEngineCase{"TooMuchMemory", R"({"ID":"a","NCPU":2,"MemTotal":9223372036854775807})",
                        "9223372036854775807 bytes of memory"},
        NotAnEngineCase{"NoId", R"({"NCPU":1,"MemTotal":1})", "no ID"},
        NotAnEngineCase{"Manager",
                        R"({"ID":"a","ServerVersion":"swarm/1.2.9","NCPU":1,"MemTotal":1})",
                        "cluster manager"},
        NotAnEngineCase{"NoMemory", R"({"ID":"a","NCPU":1,"MemTotal":0})",
                        "no processors or no memory"},
        NotAnEngineCase{"LineEndInItsSystem",
                        R"({"ID":"a","NCPU":1,"MemTotal":1,"OSType":"linux\r\nX: 1"})",
                        "gives as its OSType \"linux\\r\\nX: 1\", which holds control bytes"},
        NotAnEngineCase{"BadLabel", R"({"ID":"a","NCPU":1,"MemTotal":1,"Labels":["zone"]})",
                        "\"zone\", which is not of the form key=value"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(EngineTest, IsReadFromVersion) {
  Node node;
  ASSERT_TRUE(
      ApplyVersion(R"({"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12"})", node)
          .ok());
  EXPECT_EQ(node.api_version, "1.41");
  EXPECT_EQ(node.min_api_version, "1.12");
  ASSERT_TRUE(ApplyVersion(R"({"Version":"1.4.1","ApiVersion":"1.16"})", node).ok());
  EXPECT_EQ(node.min_api_version, "1.12");
  EXPECT_FALSE(ApplyVersion(R"({"Version":"0.9","ApiVersion":"1.10"})", node).ok());
  EXPECT_FALSE(ApplyVersion(R"({"Version":"x"})", node).ok());
  EXPECT_FALSE(ApplyVersion("x", node).ok());
}

}  // namespace
}  // namespace swarm
