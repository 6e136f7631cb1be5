#include "wire/images.h"

#include <gtest/gtest.h>

namespace swarm {
namespace {

constexpr char kList[] =
    R"([{"Containers":-1,"Created":1420070400,"Id":"sha256:aaaaaaaaaaaa1111","Labels":{"a":"b"},"ParentId":"",)"
    R"("RepoDigests":["nginx@sha256:dd"],"RepoTags":["nginx:latest"],"SharedSize":-1,"Size":1000,"Future":1.50},)"
    R"({"Containers":2,"Created":1,"Id":"sha256:bb","Labels":null,"RepoDigests":null,"RepoTags":["<none>:<none>"],"Size":5}])";

TEST(ParseImageListTest, ReadsRows) {
  const auto list = ParseImageList(kList);
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->images.size(), 2u);
  EXPECT_EQ(list->images[0].id, "sha256:aaaaaaaaaaaa1111");
  EXPECT_EQ(list->images[0].repo_tags, (std::vector<std::string>{"nginx:latest"}));
  EXPECT_EQ(list->images[0].size, 1000);
  EXPECT_EQ(list->images[0].created, WallTime(std::chrono::seconds(1420070400)));
  EXPECT_TRUE(list->images[1].repo_tags.empty());
  EXPECT_NE(list->rows[0].find("\"Future\":1.50"), std::string::npos);
  EXPECT_TRUE(ParseImageList("null")->rows.empty());
  for (const char* bad : {"", "{}", "[{}]", "[1]", "[{\"Id\":\"a\"}"})
    EXPECT_FALSE(ParseImageList(bad).ok()) << bad;
}

std::shared_ptr<const ImageEntry> Entry(const std::string& row) {
  const auto list = ParseImageList("[" + row + "]");
  auto entry = std::make_shared<ImageEntry>();
  entry->image = list->images.at(0);
  entry->row = list->rows.at(0);
  return entry;
}

TEST(MergedImageRowTest, UnitesCopies) {
  const auto first =
      Entry(R"({"Containers":1,"Id":"sha256:a","Labels":null,"RepoTags":["x:1"],"Future":1.50})");
  const auto second =
      Entry(R"({"Containers":2,"Id":"sha256:a","Labels":{"k":"v"},"RepoTags":["x:1","y:2"]})");
  EXPECT_EQ(
      *MergedImageRow({first, second}, {"n1", "n2"}, {1, 44}),
      R"({"Containers":3,"Id":"sha256:a","Labels":{"k":"v"},"RepoTags":["x:1","y:2"],"Future":1.50,)"
      R"("Nodes":["n1","n2"]})");
  const auto untagged = Entry(R"({"Containers":-1,"Id":"sha256:b","RepoTags":["<none>:<none>"]})");
  EXPECT_EQ(*MergedImageRow({untagged}, {"n1"}, {1, 16}),
            R"({"Containers":-1,"Id":"sha256:b","RepoTags":["<none>:<none>"],"Nodes":["n1"]})");
}

TEST(MergedImageRowTest, GivesTheSizeUnderBothNamesToOldClientsAlone) {
  const auto image = Entry(R"({"Id":"sha256:b","Size":7})");
  EXPECT_EQ(*MergedImageRow({image}, {"n1"}, {1, 43}),
            R"({"Id":"sha256:b","Size":7,"VirtualSize":7,"Nodes":["n1"]})");
  EXPECT_EQ(*MergedImageRow({image}, {"n1"}, {1, 44}),
            R"({"Id":"sha256:b","Size":7,"Nodes":["n1"]})");
  const auto old = Entry(R"({"Id":"sha256:b","Size":7,"VirtualSize":9})");
  EXPECT_EQ(*MergedImageRow({old}, {"n1"}, {1, 43}),
            R"({"Id":"sha256:b","Size":7,"VirtualSize":9,"Nodes":["n1"]})");
  EXPECT_EQ(*MergedImageRow({old}, {"n1"}, {1, 44}),
            R"({"Id":"sha256:b","Size":7,"Nodes":["n1"]})");
  const auto first = Entry(R"({"VirtualSize":9, "Id":"sha256:b","Size":7})");
  EXPECT_EQ(*MergedImageRow({first}, {"n1"}, {1, 51}),
            R"({"Id":"sha256:b","Size":7,"Nodes":["n1"]})");
}

struct ReferenceCase {
  const char* reference;
  bool matches;
};

TEST(ImageMatchesTest, KnowsTheFormsOfAReference) {
  Image image;
  image.id = "sha256:aaaaaaaaaaaa1111";
  image.repo_tags = {"nginx:latest", "localhost:5000/team/app:1"};
  image.repo_digests = {"nginx@sha256:dd"};
  const ReferenceCase cases[] = {{"nginx", true},
                                 {"nginx:latest", true},
                                 {"docker.io/library/nginx", true},
                                 {"library/nginx:latest", true},
                                 {"nginx:1", false},
                                 {"nginx@sha256:dd", true},
                                 {"nginx@sha256:ee", false},
                                 {"localhost:5000/team/app:1", true},
                                 {"localhost:5000/team/app", false},
                                 {"sha256:aaaaaaaaaaaa1111", true},
                                 {"aaaaaaaaaaaa", true},
                                 {"aaaa", true},
                                 {"aaab", false},
                                 {"", false}};
  for (const ReferenceCase& given : cases) {
    EXPECT_EQ(ImageMatches(image, given.reference), given.matches) << given.reference;
  }
}

TEST(WithDefaultTagTest, AddsOnlyWhatIsMissing) {
  EXPECT_EQ(WithDefaultTag("nginx"), "nginx:latest");
  EXPECT_EQ(WithDefaultTag("nginx:1"), "nginx:1");
  EXPECT_EQ(WithDefaultTag("localhost:5000/nginx"), "localhost:5000/nginx:latest");
  EXPECT_EQ(WithDefaultTag("nginx@sha256:dd"), "nginx@sha256:dd");
}

}  // namespace
}  // namespace swarm
