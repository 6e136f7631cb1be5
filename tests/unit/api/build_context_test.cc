// What the beginning of a build context tells.
#include "api/build_context.h"

#include <gtest/gtest.h>

#include "sim/tar.h"

namespace swarm::testing {
namespace {

using State = PeekedFile::State;
using Images = std::vector<std::string>;

TEST(PeekFile, FindsTheFileAsSoonAsItIsWhole) {
  const std::string archive =
      WriteTar({{".dockerignore", "x"}, {"Dockerfile", "FROM busybox\n"}, {"z", "zzz"}});
  const PeekedFile found = PeekFile(archive, "Dockerfile");
  ASSERT_EQ(found.state, State::kFound);
  EXPECT_EQ(found.content, "FROM busybox\n");
  EXPECT_EQ(PeekFile(archive, "./Dockerfile").state, State::kFound);
  for (std::size_t size = 0; size < archive.size(); ++size) {
    const PeekedFile part = PeekFile(std::string_view(archive).substr(0, size), "Dockerfile");
    if (part.state == State::kNeedMore) continue;
    EXPECT_EQ(part.state, State::kFound) << size;
    EXPECT_EQ(part.content, "FROM busybox\n");
    EXPECT_GT(size, 1536U);
  }
  EXPECT_EQ(PeekFile(archive, "other/Dockerfile").state, State::kNever);
}

TEST(PeekFile, GivesUpOnAnythingElse) {
  EXPECT_EQ(PeekFile("", "Dockerfile").state, State::kNeedMore);
  EXPECT_EQ(PeekFile("\x1f\x8b\x08 compressed" + std::string(600, 'x'), "Dockerfile").state,
            State::kNever);
  const std::string large = WriteTar({{"Dockerfile", std::string(kMostPeeked, 'x')}});
  EXPECT_EQ(PeekFile(std::string_view(large).substr(0, 1024), "Dockerfile").state, State::kNever);
  EXPECT_EQ(PeekFile(std::string(kMostPeeked, '\0'), "Dockerfile").state, State::kNever);
  std::string lying = WriteTar({{"a", "b"}, {"Dockerfile", "FROM x"}});
  lying[124] = '\xff';  // a size in another notation
  EXPECT_EQ(PeekFile(lying, "Dockerfile").state, State::kNever);
}

struct BaseCase {
  const char* dockerfile;
  Images images;
};

TEST(BaseImages, AreThoseThatAnEngineWouldLookFor) {
  const BaseCase kCases[] = {
      {"", {}},
      {"# FROM no\nFROM busybox\nRUN x", {"busybox"}},
      {"from busybox\r\n", {"busybox"}},
      {"FROM --platform=linux/amd64 reg:5000/a/b:v1 AS build\nFROM build\nFROM scratch",
       {"reg:5000/a/b:v1"}},
      {"FROM a AS Build\nFROM BUILD\nFROM b\nFROM a", {"a", "b"}},
      {"ARG BASE=busybox\nFROM $BASE", {"busybox"}},
      {"ARG BASE=\"busy\"\nARG TAG\nFROM ${BASE}box:${TAG}", {"busybox:v7"}},
      {"FROM ${NONE:-nginx}:1", {"nginx:1"}},
      {"FROM ${NONE}\nFROM ${TAG+x}\nFROM ${", {}},
      {"FROM x\nARG BASE=late\nFROM $BASE", {"x"}},
      {"FROM", {}},
  };
  for (const BaseCase& wanted : kCases) {
    SCOPED_TRACE(wanted.dockerfile);
    EXPECT_EQ(BaseImages(wanted.dockerfile, {{"TAG", "v7"}}), wanted.images);
  }
  std::string many;
  for (int at = 0; at < 1000; ++at) many += "FROM image" + std::to_string(at) + "\n";
  EXPECT_EQ(BaseImages(many, {}).size(), kMostBaseImages);
}

}  // namespace
}  // namespace swarm::testing
