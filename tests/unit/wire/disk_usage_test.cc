#include "wire/disk_usage.h"

#include <gtest/gtest.h>

#include "wire/json.h"

namespace swarm {
namespace {

Node NodeCalled(const std::string& name) {
  Node node;
  node.name = name;
  node.address = name + ":2375";
  node.ip = "10.0.0.1";
  return node;
}

std::string Id(char digit) { return std::string(64, digit); }

std::string ContainerRow(char digit, const std::string& state, int size) {
  return "{\"Id\":\"" + Id(digit) + "\",\"Names\":[\"/c" + digit + "\"],\"State\":\"" + state +
         "\",\"Status\":\"words of " + digit + "\",\"SizeRw\":" + std::to_string(size) + "}";
}

// One engine's answer at API 1.41: an image that every engine has, and one of its own.
std::string AnswerOf(const std::string& own, char digit) {
  return R"({"LayersSize":1000,"Images":[)"
         R"({"Containers":1,"Created":5,"Id":"sha256:a","RepoTags":["a:1"],"SharedSize":100,"Size":600},)"
         R"({"Containers":0,"Created":9,"Id":"sha256:)" +
         own + R"(","RepoTags":[")" + own + R"(:1"],"SharedSize":100,"Size":500}],"Containers":[)" +
         ContainerRow(digit, "running", 7) + "," +
         ContainerRow(static_cast<char>(digit + 1), "exited", 5) +
         R"(],"Volumes":[{"Name":"data","Scope":"local","UsageData":{"RefCount":1,"Size":30}},)"
         R"({"Name":"idle","Scope":"local","UsageData":{"RefCount":0,"Size":20}},)"
         R"({"Name":"far","Scope":"global","UsageData":{"RefCount":-1,"Size":-1}}],)"
         R"("BuildCache":[{"ID":"x","InUse":true,"Shared":false,"Size":40},)"
         R"({"ID":"y","InUse":false,"Shared":false,"Size":2},)"
         R"({"ID":"z","InUse":false,"Shared":true,"Size":900}],"BuilderSize":942})";
}

class DiskUsageTest : public testing::Test {
 protected:
  // The answer of the cluster to a client of that version, parsed.
  JsonValue Formatted(const DiskUsage& usage, ApiVersion client, bool verbose = false) {
    text_ = usage.Format(client, verbose);
    EXPECT_TRUE(document_.Parse(text_).ok()) << text_;
    return document_.root();
  }

  static DiskUsage OfTwo(DiskUsageKinds kinds = {}) {
    DiskUsage usage(kinds);
    EXPECT_TRUE(usage.Add(AnswerOf("b", '1'), NodeCalled("n1")).ok());
    EXPECT_TRUE(usage.Add(AnswerOf("c", '3'), NodeCalled("n2")).ok());
    return usage;
  }

  std::string text_;
  JsonDocument document_;
};

TEST_F(DiskUsageTest, SumsGroupsAndConcatenates) {
  const JsonValue root = Formatted(OfTwo(), {1, 41});
  EXPECT_EQ(root.Find("LayersSize").integer(), 2000);
  EXPECT_EQ(root.Find("BuilderSize").integer(), 84);
  EXPECT_FALSE(root.Find("ImageUsage"));

  const std::vector<JsonValue> images = root.Find("Images").elements();
  ASSERT_EQ(images.size(), 3U) << text_;
  EXPECT_EQ(images[0].Find("Id").text(), "sha256:b");  // newest first
  EXPECT_EQ(images[0].Find("Nodes").raw(), "[\"n1\"]");
  EXPECT_EQ(images[0].Find("Size").integer(), 500);
  EXPECT_EQ(images[2].Find("Id").text(), "sha256:a");
  EXPECT_EQ(images[2].Find("Nodes").raw(), "[\"n1\",\"n2\"]");
  EXPECT_EQ(images[2].Find("Containers").integer(), 2);
  EXPECT_EQ(images[2].Find("Size").integer(), 1200);
  EXPECT_EQ(images[2].Find("SharedSize").integer(), 200);

  const std::vector<JsonValue> containers = root.Find("Containers").elements();
  ASSERT_EQ(containers.size(), 4U);
  EXPECT_EQ(containers[2].Find("Names").raw(), "[\"/c3\",\"/n2/c3\"]");
  EXPECT_EQ(containers[2].Find("Status").text(), "words of 3");
  EXPECT_EQ(containers[2].Find("SizeRw").integer(), 7);

  const std::vector<JsonValue> volumes = root.Find("Volumes").elements();
  ASSERT_EQ(volumes.size(), 6U);
  EXPECT_EQ(volumes[0].Find("Name").text(), "n1/data");
  EXPECT_EQ(volumes[4].Find("Name").text(), "n2/idle");
  EXPECT_EQ(volumes[5].Find("Name").text(), "far");

  const std::vector<JsonValue> cache = root.Find("BuildCache").elements();
  ASSERT_EQ(cache.size(), 6U);
  EXPECT_EQ(cache[5].Find("Node").text(), "n2");
}

TEST_F(DiskUsageTest, KindsThatWereNotAskedForAreNull) {
  DiskUsageKinds kinds = {false, false, true, false};
  const JsonValue root = Formatted(OfTwo(kinds), {1, 51});
  EXPECT_EQ(root.Find("LayersSize").integer(), 0);
  EXPECT_EQ(root.Find("Images").raw(), "null");
  EXPECT_EQ(root.Find("Containers").raw(), "null");
  EXPECT_EQ(root.Find("BuildCache").raw(), "null");
  EXPECT_EQ(root.Find("Volumes").elements().size(), 6U);
  EXPECT_FALSE(root.Find("BuilderSize"));
}

TEST_F(DiskUsageTest, UsagesForNewClientsFromListsOfOldEngines) {
  const JsonValue both = Formatted(OfTwo(), {1, 52});
  EXPECT_EQ(both.Find("Images").elements().size(), 3U);
  const JsonValue images = both.Find("ImageUsage");
  EXPECT_EQ(images.Find("TotalCount").integer(), 3);
  EXPECT_EQ(images.Find("ActiveCount").integer(), 1);
  EXPECT_EQ(images.Find("TotalSize").integer(), 2000);
  EXPECT_EQ(images.Find("Reclaimable").integer(), 1000);
  EXPECT_FALSE(images.Find("Items"));
  const JsonValue containers = both.Find("ContainerUsage");
  EXPECT_EQ(containers.Find("TotalCount").integer(), 4);
  EXPECT_EQ(containers.Find("ActiveCount").integer(), 2);
  EXPECT_EQ(containers.Find("TotalSize").integer(), 24);
  EXPECT_EQ(containers.Find("Reclaimable").integer(), 10);
  const JsonValue volumes = both.Find("VolumeUsage");
  EXPECT_EQ(volumes.Find("ActiveCount").integer(), 2);
  EXPECT_EQ(volumes.Find("TotalSize").integer(), 100);
  EXPECT_EQ(volumes.Find("Reclaimable").integer(), 40);
  const JsonValue cache = both.Find("BuildCacheUsage");
  EXPECT_EQ(cache.Find("ActiveCount").integer(), 2);
  EXPECT_EQ(cache.Find("Reclaimable").integer(), 4);

  const JsonValue usages = Formatted(OfTwo(), {1, 53}, true);
  EXPECT_FALSE(usages.Find("Images"));
  EXPECT_FALSE(usages.Find("LayersSize"));
  EXPECT_EQ(usages.Find("ImageUsage").Find("Items").elements().size(), 3U);
  EXPECT_EQ(usages.Find("VolumeUsage").Find("Items").elements().size(), 6U);
  const JsonValue some = Formatted(OfTwo({true, false, false, false}), {1, 53}, true);
  EXPECT_TRUE(some.Find("ContainerUsage"));
  EXPECT_FALSE(some.Find("ImageUsage"));
}

TEST_F(DiskUsageTest, EnginesOfBothShapesAreOne) {
  DiskUsage usage({});
  ASSERT_TRUE(usage.Add(AnswerOf("b", '1'), NodeCalled("n1")).ok());
  const std::string items =
      R"({"ImageUsage":{"ActiveCount":1,"TotalCount":1,"Reclaimable":0,"TotalSize":700,"Items":[)"
      R"({"Containers":1,"Created":5,"Id":"sha256:a","RepoTags":["a:1"],"SharedSize":0,"Size":700}]},)"
      R"("ContainerUsage":{"Items":[)" +
      ContainerRow('7', "running", 1) + R"(]},"VolumeUsage":{"Items":null},"BuildCacheUsage":{}})";
  ASSERT_TRUE(usage.Add(items, NodeCalled("n3")).ok());
  const JsonValue root = Formatted(usage, {1, 52});
  EXPECT_EQ(root.Find("LayersSize").integer(), 1700);
  EXPECT_EQ(root.Find("Containers").elements().size(), 3U);
  EXPECT_EQ(root.Find("ImageUsage").Find("TotalCount").integer(), 2);
  EXPECT_EQ(root.Find("ImageUsage").Find("TotalSize").integer(), 1700);
}

TEST_F(DiskUsageTest, OfNoEngines) {
  EXPECT_EQ(
      DiskUsage({}).Format({1, 51}, false),
      "{\"LayersSize\":0,\"Images\":[],\"Containers\":[],\"Volumes\":[],\"BuildCache\":[]}\n");
}

TEST_F(DiskUsageTest, WhatCannotBeReadCountsNothing) {
  for (const char* body : {"", "[]", "{\"Images\":[{}]}", "{\"Containers\":[1]}",
                           "{\"LayersSize\":5,\"Containers\":[{\"Id\":\"\"}]}"}) {
    DiskUsage usage({});
    const absl::Status added = usage.Add(body, NodeCalled("n1"));
    EXPECT_FALSE(added.ok()) << body;
    EXPECT_NE(added.ToString().find("n1"), std::string::npos) << added;
    EXPECT_EQ(usage.Format({1, 51}, false), DiskUsage({}).Format({1, 51}, false)) << body;
  }
}

struct KindsCase {
  const char* query;
  ApiVersion client;
  DiskUsageKinds kinds;
};

TEST_F(DiskUsageTest, TypesAreRead) {
  const KindsCase cases[] = {{"", {1, 51}, {}},
                             {"type=image", {1, 41}, {}},  // no such parameter there
                             {"type=image", {1, 42}, {false, true, false, false}},
                             {"type=container&type=volume", {1, 51}, {true, false, true, false}},
                             {"type=build-cache", {1, 51}, {false, false, false, true}}};
  for (const KindsCase& wanted : cases) {
    const auto kinds = ReadDiskUsageKinds(ParseQuery(wanted.query), wanted.client);
    ASSERT_TRUE(kinds.ok()) << wanted.query;
    EXPECT_EQ(*kinds, wanted.kinds) << wanted.query;
  }
  const auto unknown = ReadDiskUsageKinds(ParseQuery("type=image&type=x"), {1, 42});
  EXPECT_TRUE(absl::IsInvalidArgument(unknown.status()));
  EXPECT_NE(unknown.status().ToString().find("unknown object type: x"), std::string::npos);
}

// A volume of the cluster is not one node's own, as in the list of volumes.
TEST_F(DiskUsageTest, VolumesOfTheClusterHavePlainNames) {
  DiskUsage usage({});
  const std::string answer =
      R"({"LayersSize":0,"Images":[],"Containers":[],"BuildCache":[],"Volumes":[)"
      R"({"Name":"ours","Scope":"local","Labels":{"com.docker.swarm.volume.id":"1","a":"b"}},)"
      R"({"Name":"own","Scope":"local","Labels":null}]})";
  ASSERT_TRUE(usage.Add(answer, NodeCalled("n1")).ok());
  const auto volumes = Formatted(usage, {1, 41}).Find("Volumes").elements();
  ASSERT_EQ(volumes.size(), 2U);
  EXPECT_EQ(volumes[0].Find("Name").text(), "ours");
  EXPECT_EQ(volumes[0].Find("Labels").raw(), "{\"a\":\"b\"}");
  EXPECT_EQ(volumes[1].Find("Name").text(), "n1/own");
}

}  // namespace
}  // namespace swarm
