#include "wire/attachments.h"

#include <gtest/gtest.h>

#include "wire/create.h"

namespace swarm {
namespace {

absl::StatusOr<ParsedCreate> Parse(const std::string& host_config, const std::string& more = {}) {
  return ParseCreate(R"({"Image":"busybox","HostConfig":{)" + host_config + "}" + more + "}", "",
                     "", std::string(64, 'f'), {});
}

struct VolumesCase {
  const char* host_config;
  std::vector<NamedVolume> volumes;
  const char* pinned;  // the node, or ""
  const char* sent;    // a part of the body
};

TEST(Attachments, NamedVolumesOfACreate) {
  const VolumesCase cases[] = {
      {R"("Binds":["data:/d"])", {{"data", true}}, "", R"("Binds":["data:/d"])"},
      {R"("Binds":["data:/d:ro","data:/e","more.1:/m"])",
       {{"data", true}, {"more.1", true}},
       "",
       ""},
      {R"("Binds":["/etc:/d","/anonymous","./x:/y","C:\\data:C:\\data"])", {}, "", ""},
      {R"("Binds":["n1/data:/d:ro"])", {}, "n1", R"("Binds":["data:/d:ro"])"},
      {R"("Binds":["n1/a/b:/d"])", {}, "", R"("Binds":["n1/a/b:/d"])"},
      {R"("Binds":null,"Mounts":null)", {}, "", ""},
      {R"("Mounts":[{"Type":"volume","Source":"data","Target":"/d"}])", {{"data", true}}, "", ""},
      {R"("Mounts":[{"Type":"volume","Target":"/d"},{"Type":"bind","Source":"data","Target":"/d"}])",
       {},
       "",
       ""},
      {R"("Mounts":[{"Type":"volume","Source":"n2/data","Target":"/d"}])",
       {},
       "n2",
       R"("Source":"data")"},
      {R"("Mounts":[{"Type":"volume","Source":"va","VolumeOptions":{"NoCopy":true}},)"
       R"({"Type":"volume","Source":"vb","VolumeOptions":{"Labels":{"x":"y"}}},)"
       R"({"Type":"volume","Source":"vc","VolumeOptions":{"DriverConfig":{"Name":"nfs"}}}])",
       {{"va", true}, {"vb", false}, {"vc", false}},
       "",
       ""},
      {R"("Binds":["data:/d"],"VolumeDriver":"nfs")", {{"data", false}}, "", ""},
      {R"("Binds":["data:/d"],"VolumeDriver":"local")", {{"data", true}}, "", ""},
  };
  for (const VolumesCase& wanted : cases) {
    SCOPED_TRACE(wanted.host_config);
    const absl::StatusOr<ParsedCreate> parsed = Parse(wanted.host_config);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->volumes, wanted.volumes);
    const std::vector<Expression>& constraints = parsed->spec.constraints;
    const std::string pinned = constraints.empty() ? "" : constraints.front().value;
    EXPECT_EQ(pinned, wanted.pinned);
    EXPECT_NE(parsed->body.find(wanted.sent), std::string::npos) << parsed->body;
  }
}

TEST(Attachments, BadShapesAreRefused) {
  for (const char* host_config :
       {R"("Binds":"data:/d")", R"("Binds":[1])", R"("Mounts":[{"Type":1}])",
        R"("Mounts":[{"Type":"volume","Source":{}}])", R"("VolumeDriver":[])",
        R"("Mounts":[{"Type":"volume","Source":"va","VolumeOptions":[]}])"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Parse(host_config).status())) << host_config;
  }
}

TEST(Attachments, NetworksOfACreate) {
  const std::string endpoints =
      R"(,"NetworkingConfig":{"EndpointsConfig":{"back":{},"front":null,"n1/own":{},"default":{}}})";
  const absl::StatusOr<ParsedCreate> parsed = Parse(R"("NetworkMode":"back")", endpoints);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->networks, (std::vector<std::string>{"back", "front"}));
  for (const char* mode : {"", "default", "bridge", "host", "none", "container:web"}) {
    const auto other = Parse(std::string(R"("NetworkMode":")") + mode + "\"");
    ASSERT_TRUE(other.ok()) << mode;
    EXPECT_TRUE(other->networks.empty()) << mode;
  }
  const std::string body =
      R"({"HostConfig":{"NetworkMode":"abc"},"NetworkingConfig":{"EndpointsConfig":{"abc":{"A":1},"x":{}}}})";
  EXPECT_EQ(
      WithNetworkNames(body, {{"abc", "back"}, {"front", "x"}}),
      R"({"HostConfig":{"NetworkMode":"back"},"NetworkingConfig":{"EndpointsConfig":{"back":{"A":1},"x":{}}}})");
}

TEST(Attachments, RequestsForObjects) {
  const std::string body =
      R"({"Name":"data","Driver":"local","Labels":{"com.docker.compose.project":"p","a":"b"},"X":1e400})";
  const absl::StatusOr<ObjectRequest> request = ParseObjectRequest(body);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->name, "data");
  EXPECT_EQ(request->driver, "local");
  EXPECT_EQ(request->project, "p");
  const Labels ours = {{std::string(kVolumeIdLabel), "1"}, {"a", "over"}};
  EXPECT_EQ(
      WithNameAndLabels(body, "other", ours),
      R"({"Name":"other","Driver":"local","Labels":{"a":"over","com.docker.swarm.volume.id":"1","com.docker.compose.project":"p"},"X":1e400})");
  EXPECT_EQ(WithNameAndLabels("{}", "n", {}), R"({"Name":"n"})");
  EXPECT_EQ(WithNameAndLabels(R"({"Labels":null})", "n", ours),
            R"({"Labels":{"a":"over","com.docker.swarm.volume.id":"1"},"Name":"n"})");
  EXPECT_EQ(WithCheckDuplicate(R"({"Name":"n"})"), R"({"Name":"n","CheckDuplicate":true})");
  EXPECT_EQ(WithCheckDuplicate(R"({"CheckDuplicate":false})"), R"({"CheckDuplicate":true})");
  for (const char* bad :
       {"", "[]", R"({"Name":1})", R"({"Labels":[]})", R"({"Name":"a","name":"b"})"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseObjectRequest(bad).status())) << bad;
  }
}

TEST(Attachments, OurLabelsAreHidden) {
  const std::string text =
      R"({"Labels":{"com.docker.swarm.network.id":"1","a":"b","com.docker.swarm.network.spec":"{}"}})";
  JsonDocument document;
  ASSERT_TRUE(document.Parse(text).ok());
  TextEdits edits;
  HideLabels(document.root(), edits);
  EXPECT_EQ(edits.Apply(text, 0, text.size()), R"({"Labels":{"a":"b"}})");
  TextEdits none;
  const std::string plain = R"({"Labels":null})";
  ASSERT_TRUE(document.Parse(plain).ok());
  HideLabels(document.root(), none);
  EXPECT_TRUE(none.empty());
}

TEST(Attachments, VolumeNames) {
  for (const char* name : {"v1", "data", "p_data", "A.b-c", "00"}) EXPECT_TRUE(IsVolumeName(name));
  for (const char* name : {"", ".", "..", "-a", "a/b", "a b", "a:b", "é"})
    EXPECT_FALSE(IsVolumeName(name)) << name;
}

}  // namespace
}  // namespace swarm
