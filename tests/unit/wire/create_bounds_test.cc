// What one create body may name, and that a little more is told with its number.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

#include "swarmlib/status.h"
#include "wire/create.h"

namespace swarm {
namespace {

absl::StatusOr<ParsedCreate> Parse(const std::string& body) {
  return ParseCreate(body, "web", "", "", CreateRules{});
}

// `count` members or elements, comma between them.
std::string Many(int count, const std::function<std::string(std::string)>& one) {
  std::string all;
  for (int i = 0; i < count; ++i) {
    if (i > 0) all += ',';
    all += one(std::to_string(i));
  }
  return all;
}

struct BoundCase {
  const char* name;
  int most;
  std::function<std::string(int)> body;
  const char* what;
};

class CreateBoundTest : public testing::TestWithParam<BoundCase> {};

TEST_P(CreateBoundTest, TakesSoManyAndTellsTheNumberOfMore) {
  const BoundCase& bound = GetParam();
  EXPECT_TRUE(Parse(bound.body(bound.most)).ok()) << Parse(bound.body(bound.most)).status();
  for (const int count : {bound.most + 1, bound.most * 5}) {
    const auto refused = Parse(bound.body(count));
    ASSERT_FALSE(refused.ok()) << count;
    EXPECT_EQ(HttpStatusOf(refused.status()), 400);
    const std::string message(MessageOf(refused.status()));
    EXPECT_NE(message.find(bound.what), std::string::npos) << message;
    EXPECT_NE(message.find(std::to_string(count)), std::string::npos) << message;
    EXPECT_NE(message.find(std::to_string(bound.most)), std::string::npos) << message;
  }
}

std::string Env(const std::string& lines) { return "{\"Env\":[" + lines + "]}"; }

std::string Host(const std::string& fields) { return "{\"HostConfig\":{" + fields + "}}"; }

INSTANTIATE_TEST_SUITE_P(
    , CreateBoundTest,
    testing::Values(
        BoundCase{"Networks", 1'000,
                  [](int count) {
                    return R"({"NetworkingConfig":{"EndpointsConfig":{)" +
                           Many(count, [](auto i) { return "\"n" + i + "\":{}"; }) + "}}}";
                  },
                  "networks"},
        BoundCase{"NetworksOfOneName", 1'000,
                  [](int count) {
                    return R"({"NetworkingConfig":{"EndpointsConfig":{)" +
                           Many(count, [](auto) { return "\"n1/net\":{}"; }) + "}}}";
                  },
                  "networks"},
        BoundCase{"Links", 1'000,
                  [](int count) {
                    return Host("\"Links\":[" +
                                Many(count, [](auto i) { return "\"c" + i + ":c\""; }) + "]");
                  },
                  "Links"},
        BoundCase{"VolumesFrom", 1'000,
                  [](int count) {
                    return Host("\"VolumesFrom\":[" +
                                Many(count, [](auto i) { return "\"c" + i + "\""; }) + "]");
                  },
                  "VolumesFrom"},
        BoundCase{"Volumes", 1'000,
                  [](int count) {
                    return Host("\"Binds\":[" +
                                Many(count, [](auto i) { return "\"v" + i + "v:/d\""; }) + "]");
                  },
                  "volumes"},
        BoundCase{"Binds", 10'000,
                  [](int count) {
                    return Host("\"Binds\":[" + Many(count, [](auto) { return "\"/a:/d\""; }) +
                                "]");
                  },
                  "Binds"},
        BoundCase{"Mounts", 10'000,
                  [](int count) {
                    return Host("\"Mounts\":[" +
                                Many(count, [](auto) { return R"({"Type":"tmpfs"})"; }) + "]");
                  },
                  "Mounts"},
        BoundCase{"Labels", 65'536,
                  [](int count) {
                    return "{\"Labels\":{" +
                           Many(count, [](auto i) { return "\"" + i + "\":\"\""; }) + "}}";
                  },
                  "labels"},
        BoundCase{"Constraints", 128,
                  [](int count) {
                    return Env(Many(count, [](auto i) { return "\"constraint:a" + i + "==b\""; }));
                  },
                  "constraint:"},
        BoundCase{"Affinities", 128,
                  [](int count) {
                    return R"({"Labels":{"com.docker.swarm.affinities":"[)" +
                           Many(count, [](auto i) { return R"(\"a)" + i + R"(==b\")"; }) + "]\"}}";
                  },
                  "affinity:"},
        BoundCase{"Whitelists", 128,
                  [](int count) {
                    return Env(Many(count, [](auto i) { return "\"whitelist:n1==a" + i + "\""; }));
                  },
                  "whitelist:"},
        BoundCase{"ExpressionsOfAllKinds", 128,
                  [](int count) {
                    return Env(
                        R"("constraint:zz==b","whitelist:n1==b",)" +
                        Many(count - 2, [](auto i) { return "\"affinity:a" + i + "==b\""; }));
                  },
                  "together"},
        BoundCase{"RegularExpressions", 16,
                  [](int count) {
                    return Env(
                        Many(count, [](auto i) { return "\"affinity:container==/a" + i + "/\""; }));
                  },
                  "by pattern"},
        BoundCase{"PatternsOfAllKinds", 16,
                  [](int count) {
                    return Env(
                        R"("constraint:zone=b","affinity:container==b*",)" +
                        Many(count - 2, [](auto i) { return "\"affinity:image==/a" + i + "/\""; }));
                  },
                  "by pattern"},
        BoundCase{"WhitelistNames", 10'000,
                  [](int count) {
                    std::string lines;
                    for (int left = count; left > 0; left -= 1'000) {
                      if (!lines.empty()) lines += ',';
                      std::string names = "whitelist:n1==" + std::to_string(left);
                      for (int i = 1; i < std::min(left, 1'000); ++i) names += "|n";
                      lines += '"' + names + '"';
                    }
                    return Env(lines);
                  },
                  "names in whitelists"},
        BoundCase{"PublishedPorts", 20'000,
                  [](int count) {
                    const auto one = [](auto i) {
                      const int port = std::stoi(i) % 65'000 + 1;
                      return "{\"HostPort\":\"" + std::to_string(port) + "\"}";
                    };
                    return Host(R"("PortBindings":{"80/tcp":[)" + Many(count, one) + "]}");
                  },
                  "published ports"},
        BoundCase{"PublishedPortsOfTheEnginesChoice", 20'000,
                  [](int count) {
                    const auto one = [](auto i) {
                      const int port = std::stoi(i) % 65'000 + 1;
                      return "\"" + std::to_string(port) + "/udp\":null";
                    };
                    return Host("\"PortBindings\":{" + Many(count, one) + "}");
                  },
                  "published ports"},
        BoundCase{"ExposedPorts", 20'000,
                  [](int count) {
                    std::string keys;
                    for (int left = count; left > 0; left -= 15'000) {
                      if (!keys.empty()) keys += ',';
                      keys += "\"1-" + std::to_string(std::min(left, 15'000)) + "/tcp\":{}";
                    }
                    return "{\"ExposedPorts\":{" + keys +
                           "},\"HostConfig\":{\"NetworkMode\":\"host\"}}";
                  },
                  "exposed ports"},
        BoundCase{"Fields", 1'000,
                  [](int count) {
                    return "{" + Many(count, [](auto i) { return "\"F" + i + "\":1"; }) + "}";
                  },
                  "fields of the body"},
        BoundCase{
            "FieldsOfHostConfig", 1'000,
            [](int count) { return Host(Many(count, [](auto i) { return "\"F" + i + "\":1"; })); },
            "fields of HostConfig"}),
    [](const auto& info) { return std::string(info.param.name); });

// Repeated ones count once.
TEST(CreateBounds, RepeatedExpressionsAreOne) {
  std::string lines = Many(127, [](auto i) { return "\"constraint:a" + i + "==b\""; });
  lines += "," + Many(150'000, [](auto) { return "\"constraint:zz==b\""; });
  const auto parsed = Parse("{\"Env\":[" + lines + "]}");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->spec.constraints.size(), 128U);
  EXPECT_EQ(parsed->spec.constraints.back().text, "zz==b");
}

// Nobody waits for the compiler of expressions that will be refused.
TEST(CreateBounds, PatternsAreCountedBeforeTheyAreCompiled) {
  const auto refused =
      Parse(Env(Many(17, [](auto i) { return "\"constraint:a" + i + "==/(/\""; })));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(MessageOf(refused.status()).find("17"), std::string_view::npos) << refused.status();
  const auto wrong = Parse(Env("\"constraint:aa==/(/\""));
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(MessageOf(wrong.status()).find("does not compile"), std::string_view::npos);
}

// A range is worth its ports, in a body of a few bytes.
TEST(CreateBounds, ExposedRangesAreCountedByPorts) {
  const auto refused = Parse(
      R"({"ExposedPorts":{"1-65535/tcp":{},"1-65535/udp":{}},"HostConfig":{"NetworkMode":"host"}})");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(HttpStatusOf(refused.status()), 400);
  EXPECT_NE(MessageOf(refused.status()).find("131070"), std::string_view::npos);
}

// A key of any length costs its bytes once.
TEST(CreateBounds, LongKeysAreNoFields) {
  const std::string key(4'000'000, 'M');
  const auto parsed = Parse(R"({"HostConfig":{"Memory":5,")" + key + R"(":1}})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->spec.request.memory, 5);
  std::string written = "\\u004d\\u0065\\u006D\\u006f\\u0072\\u0079";
  EXPECT_EQ(Parse(Host("\"" + written + "\":7"))->spec.request.memory, 7) << "Memory in escapes";
}

}  // namespace
}  // namespace swarm
