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
  const auto made = ReadRecreation(
      Described(
          R"({"NetworkMode":"app","Binds":["/a:/b"]})",
          R"(,"Mounts":[{"Type":"bind","Source":"/a"}],"NetworkSettings":{"Networks":{"app":{"Aliases":)"
          R"(["web","aaaaaaaaaaaa"],"IPAMConfig":{"IPv4Address":"10.1.0.9"},"IPAddress":"10.1.0.9"}}})"),
      "n1");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(made->hindrances.empty());
  EXPECT_EQ(
      made->body,
      R"({"Hostname":null,"Image":"nginx","Env":["A=b"],"Labels":{"x":"y",)"
      R"("com.docker.swarm.moved-from":")" +
          kId +
          R"(","com.docker.swarm.moved-running":"false"},"HostConfig":)"
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
      // Connected to a network after it was made.
      {R"({"NetworkMode":"default"})",
       R"(,"NetworkSettings":{"Networks":{"bridge":{},"mynet":{}}})",
       "it is on several networks: bridge, mynet"},
      {R"({"NetworkMode":"bridge"})", R"(,"NetworkSettings":{"Networks":{"mynet":{}}})",
       "it is on the network mynet, and was created on bridge"},
      {R"({"NetworkMode":"app"})", R"(,"NetworkSettings":{"Networks":{"db":{}}})",
       "it is on the network db, and was created on app"},
      {R"({"NetworkMode":"default"})", R"(,"NetworkSettings":{"Networks":{}})",
       "it is on no network any more, and was created on bridge"},
      {R"({"NetworkMode":"0123456789abcdef"})",
       R"(,"NetworkSettings":{"Networks":{"app":{"NetworkID":"0123456789abcdef0123"}}})", ""},
      {R"({"NetworkMode":"host"})", R"(,"NetworkSettings":{"Networks":{"host":{}}})", ""},
      {R"({"NetworkMode":"none"})", R"(,"NetworkSettings":{"Networks":{"none":{}}})", ""},
  };
  for (const Case& wanted : cases) {
    const auto made = ReadRecreation(Described(wanted.host, wanted.rest), "n1");
    ASSERT_TRUE(made.ok()) << made.status();
    const std::string first = made->hindrances.empty() ? "" : made->hindrances.front();
    EXPECT_EQ(first, wanted.hindrance) << wanted.host << wanted.rest;
  }
}

std::string BodyOf(const std::string& inspect) {
  const auto made = ReadRecreation(inspect, "node-1.example");
  EXPECT_TRUE(made.ok()) << made.status();
  return made.ok() ? made->body : std::string();
}

std::string Named(const std::string& names, const std::string& host) {
  return "{\"Id\":\"" + kId + "\",\"Config\":{" + names + "},\"HostConfig\":{" + host + "}}";
}

TEST(Recreation, TheHostsOwnNameStaysThere) {
  const std::string nulls = R"("Hostname":null,"Domainname":null)";
  const std::string empty = R"("Hostname":"node-1.example","Domainname":"")";
  const std::string two = R"("Hostname":"node-1","Domainname":"example")";
  const std::string other = R"("Hostname":"db","Domainname":"example")";
  const std::string host = R"("NetworkMode":"host")", uts = R"("UTSMode":"host")";
  EXPECT_NE(BodyOf(Named(empty, host)).find(nulls), std::string::npos);
  EXPECT_NE(BodyOf(Named(two, host)).find(nulls), std::string::npos);
  EXPECT_NE(BodyOf(Named(two, uts)).find(nulls), std::string::npos);
  // What was wished for.
  EXPECT_NE(BodyOf(Named(other, host)).find(other), std::string::npos);
  EXPECT_NE(BodyOf(Named(two, "")).find(two), std::string::npos);
}

TEST(Recreation, SaysWhoseItIs) {
  const std::string labels = R"("Labels":{"com.docker.swarm.moved-from":")" + kId +
                             R"(","com.docker.swarm.moved-running":"true"})";
  const std::string up = R"(,"State":{"Running":true},"Name":"/web","Image":"sha256:1"})";
  const std::string old =
      R"("Labels":{"com.docker.swarm.moved-from":"b","com.docker.swarm.moved-running":"false"})";
  for (const std::string& before : {std::string(), std::string(R"("Labels":null)"), old}) {
    std::string inspect = Named(before, "");
    inspect.pop_back();
    const auto made = ReadRecreation(inspect + up, "n1");
    ASSERT_TRUE(made.ok()) << made.status();
    EXPECT_NE(made->body.find(labels), std::string::npos) << made->body;
    EXPECT_EQ(made->name, "web");
    EXPECT_EQ(made->image, "sha256:1");
  }
}

TEST(Recreation, ReadsTheState) {
  struct Case {
    const char* state;
    bool is_up, is_paused, is_restarting, is_dead, is_unstarted = false;
  };
  const Case cases[] = {
      {R"({"Running":true})", true, false, false, false},
      {R"({"Running":true,"Paused":true})", true, true, false, false},
      {R"({"Running":false,"Restarting":true})", true, false, true, false},
      {R"({"Running":false,"Dead":true,"ExitCode":3})", false, false, false, true},
      {R"({"Status":"removing"})", false, false, false, true},
      {R"({"Status":"created"})", false, false, false, false, true},
      {"{}", false, false, false, false},
  };
  for (const Case& wanted : cases) {
    const auto made =
        ReadRecreation(Described("{}", std::string(",\"State\":") + wanted.state), "n1");
    ASSERT_TRUE(made.ok()) << made.status();
    EXPECT_EQ(made->is_up, wanted.is_up) << wanted.state;
    EXPECT_EQ(made->is_paused, wanted.is_paused) << wanted.state;
    EXPECT_EQ(made->is_restarting, wanted.is_restarting) << wanted.state;
    EXPECT_EQ(made->is_dead, wanted.is_dead) << wanted.state;
    EXPECT_EQ(made->is_unstarted, wanted.is_unstarted) << wanted.state;
  }
}

TEST(Recreation, NamesTheContainersItNeeds) {
  const auto made = ReadRecreation(
      Described(R"({"NetworkMode":"container:web","IpcMode":"container:abc","PidMode":"host",)"
                R"("Links":["/db:/here/db"],"VolumesFrom":["data:ro"]})"),
      "n1");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->needs, (std::vector<std::string>{"web", "abc", "db", "data"}));
}

TEST(Recreation, StrangeDescriptions) {
  for (const char* text : {"", "[]", "{}", R"({"Id":"short","Config":{},"HostConfig":{}})"}) {
    EXPECT_FALSE(ReadRecreation(text, "n1").ok()) << text;
  }
}

}  // namespace
}  // namespace swarm
