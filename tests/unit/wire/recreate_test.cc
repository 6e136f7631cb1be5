#include "wire/recreate.h"

#include <gtest/gtest.h>

namespace swarm {
namespace {

const std::string kId(64, 'a');

std::string Described(const std::string& host, const std::string& rest = {}) {
  return "{\"Id\":\"" + kId +
         R"(","Config":{"Hostname":"aaaaaaaaaaaa","Image":"nginx","Env":["A=b"],"Labels":{"x":"y"}},)"
         R"("HostConfig":)" +
         host + rest + "}";
}

TEST(Recreation, IsTheSameConfiguration) {
  const auto made = ReadRecreation(Described(
      R"({"NetworkMode":"app","Binds":["/a:/b"]})",
      R"(,"Mounts":[{"Type":"bind","Source":"/a"}],"NetworkSettings":{"Networks":{"app":{"Aliases":)"
      R"(["web","aaaaaaaaaaaa"],"IPAMConfig":{"IPv4Address":"10.1.0.9"},"IPAddress":"10.1.0.9"}}})"));
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(made->hindrances.empty());
  EXPECT_EQ(
      made->body,
      R"({"Hostname":null,"Image":"nginx","Env":["A=b"],"Labels":{"x":"y"},"HostConfig":)"
      R"({"NetworkMode":"app","Binds":["/a:/b"]},"NetworkingConfig":{"EndpointsConfig":{"app":)"
      R"({"Aliases":["web"],"IPAMConfig":{"IPv4Address":"10.1.0.9"}}}}})");
}

TEST(Recreation, SaysWhatWouldNotFollow) {
  struct Case {
    const char* host;
    const char* rest;
    const char* hindrance;
  };
  const Case cases[] = {
      {R"({"NetworkMode":"default"})", "", ""},
      {R"({"NetworkMode":"bridge"})", R"(,"NetworkSettings":{"Networks":{"bridge":{}}})", ""},
      {R"({"AutoRemove":true})", "", "it is removed when it stops"},
      {R"({"IpcMode":"container:x"})", "", "its IpcMode is another container's"},
      {R"({"Links":["/db:/web/db"]})", "", "it has Links of other containers"},
      {R"({"Links":null,"VolumesFrom":["db"]})", "", "it has VolumesFrom of other containers"},
      {"{}", R"(,"Mounts":[{"Type":"volume","Name":"data"}])", "its volume data stays on the node"},
      {R"({"NetworkMode":"app"})", R"(,"NetworkSettings":{"Networks":{"app":{},"db":{}}})",
       "it is on several networks: app, db"},
  };
  for (const Case& wanted : cases) {
    const auto made = ReadRecreation(Described(wanted.host, wanted.rest));
    ASSERT_TRUE(made.ok()) << made.status();
    const std::string first = made->hindrances.empty() ? "" : made->hindrances.front();
    EXPECT_EQ(first, wanted.hindrance) << wanted.host << wanted.rest;
  }
}

TEST(Recreation, StrangeDescriptions) {
  for (const char* text : {"", "[]", "{}", R"({"Id":"short","Config":{},"HostConfig":{}})"}) {
    EXPECT_FALSE(ReadRecreation(text).ok()) << text;
  }
}

}  // namespace
}  // namespace swarm
