// What is read for placement is what an engine of any age reads.
#include <gtest/gtest.h>

#include "swarmlib/status.h"
#include "wire/create.h"

namespace swarm {
namespace {

absl::StatusOr<ParsedCreate> Parse(std::string_view body) {
  return ParseCreate(body, "web", "", "", CreateRules{});
}

struct MoveCase {
  const char* name;
  const char* body;
  const char* sent;
};

class HostConfigMoveTest : public testing::TestWithParam<MoveCase> {};

TEST_P(HostConfigMoveTest, HasAllInHostConfig) {
  const auto parsed = Parse(GetParam().body);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->body, GetParam().sent);
  const auto again = Parse(parsed->body);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->body, parsed->body) << "once is enough";
}

INSTANTIATE_TEST_SUITE_P(
    , HostConfigMoveTest,
    testing::Values(
        MoveCase{"IsAlwaysWritten", R"({"Image":"a"})", R"({"Image":"a","HostConfig":{}})"},
        MoveCase{"NullIsNone", R"({"HostConfig":null,"Image":"a"})",
                 R"({"HostConfig":{},"Image":"a"})"},
        MoveCase{"EmptyBody", "{}", R"({"HostConfig":{}})"},
        MoveCase{"TopLevel", R"({"Privileged":true,"Image":"a","Binds":["/:/host"]})",
                 R"({"Image":"a","HostConfig":{"Binds":["/:/host"],"Privileged":true}})"},
        MoveCase{"TopLevelWithoutCase", R"({"privileged":true,"HOSTCONFIG":null})",
                 R"({"HostConfig":{"Privileged":true}})"},
        MoveCase{
            "NothingStaysWhereItIs",
            R"({"Dns":null,"VolumesFrom":"","Memory":0,"Privileged":false,"Links":[]})",
            R"({"Dns":null,"VolumesFrom":"","Memory":0,"Privileged":false,"Links":[],"HostConfig":{}})"},
        MoveCase{"AmountsBesideHostConfig",
                 R"({"Memory":5,"CpuShares":2,"HostConfig":{"Memory":0,"CpuShares":7,"Dns":null}})",
                 R"({"CpuShares":2,"HostConfig":{"CpuShares":7,"Dns":null,"Memory":5}})"},
        MoveCase{"VolumeDriverBesideHostConfig",
                 R"({"VolumeDriver":"nfs","HostConfig":{"VolumeDriver":""}})",
                 R"({"HostConfig":{"VolumeDriver":"nfs"}})"},
        MoveCase{"CpusetIsAnOldName", R"({"Cpuset":"0,1"})",
                 R"({"HostConfig":{"CpusetCpus":"0,1"}})"},
        MoveCase{"SaidTwiceAlike", R"({"Privileged":true,"HostConfig":{"Privileged":true}})",
                 R"({"Privileged":true,"HostConfig":{"Privileged":true}})"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(CreateHostConfig, TopLevelFieldsCountForThePlacement) {
  const auto parsed = Parse(
      R"({"PortBindings":{"80/tcp":[{"HostPort":"8080"}]},"VolumesFrom":["n1/data:ro"],"Links":["db:d"],)"
      R"("IpcMode":"container:ipc","Memory":1048576,"Mounts":[{"Type":"volume","Source":"vol","Target":"/d"}]})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->spec.ports, (std::vector<PortBinding>{{"", 8080, 8080, 80, "tcp"}}));
  EXPECT_EQ(parsed->spec.volumes_from, (std::vector<std::string>{"n1/data"}));
  EXPECT_EQ(parsed->spec.links, (std::vector<std::string>{"db"}));
  EXPECT_EQ(parsed->spec.joined, (std::vector<std::string>{"ipc"}));
  EXPECT_EQ(parsed->spec.request.memory, 1'048'576);
  EXPECT_EQ(parsed->volumes, (std::vector<NamedVolume>{{"vol", true}}));
  EXPECT_NE(parsed->body.find(R"("VolumesFrom":["data:ro"])"), std::string::npos) << parsed->body;
  const auto host = Parse(R"({"NetworkMode":"host","ExposedPorts":{"80/tcp":{}}})");
  ASSERT_TRUE(host.ok()) << host.status();
  EXPECT_TRUE(host->spec.host_network);
  EXPECT_EQ(host->spec.exposed.size(), 1U);
}

TEST(CreateHostConfig, FieldsBesideItAreRefused) {
  for (const char* field :
       {R"("Privileged":true)", R"("privileged":true)", R"("Binds":["/:/host"])",
        R"("PortBindings":{"80/tcp":null})", R"("NetworkMode":"host")", R"("NanoCpus":5)",
        R"("SecurityOpt":["label=disable"])"}) {
    const auto refused = Parse("{" + std::string(field) + R"(,"HostConfig":{"Memory":5}})");
    ASSERT_FALSE(refused.ok()) << field;
    EXPECT_EQ(HttpStatusOf(refused.status()), 400) << field;
    EXPECT_NE(MessageOf(refused.status()).find("beside HostConfig"), std::string_view::npos)
        << refused.status();
  }
  const auto twice = Parse(R"({"Privileged":true,"privileged":false})");
  ASSERT_FALSE(twice.ok());
  EXPECT_NE(MessageOf(twice.status()).find("more than once"), std::string_view::npos);
  const auto wrong = Parse(R"({"Memory":"5"})");
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(MessageOf(wrong.status()).find("\"Memory\" must be a number"), std::string_view::npos);
}

}  // namespace
}  // namespace swarm
