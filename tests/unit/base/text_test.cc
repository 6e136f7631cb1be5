#include "base/text.h"

#include <gtest/gtest.h>

namespace swarm {
namespace {

TEST(Text, EqualsIgnoreCaseIsAsciiOnly) {
  EXPECT_TRUE(EqualsIgnoreCase("Content-LENGTH", "content-length"));
  EXPECT_FALSE(EqualsIgnoreCase("a", "ab"));
  EXPECT_FALSE(EqualsIgnoreCase("\xc4", "\xe4"));
  EXPECT_FALSE(EqualsIgnoreCase("[", "{"));
}

TEST(Text, TrimTakesBlanksOffBothEnds) {
  EXPECT_EQ(Trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(Trim(" \n"), "");
}

TEST(Text, SplitKeepsEmptyPieces) {
  EXPECT_EQ(Split("a,,b,", ',').size(), 4U);
  EXPECT_EQ(Split("", ',').size(), 1U);
  EXPECT_EQ(Split("a,b", ',')[1], "b");
}

struct NumberCase {
  const char* text;
  std::optional<std::uint64_t> value;
};

class ParseUnsignedTest : public testing::TestWithParam<NumberCase> {};

TEST_P(ParseUnsignedTest, TakesWholeNumbersOnly) {
  EXPECT_EQ(ParseUnsigned(GetParam().text), GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(, ParseUnsignedTest,
                         testing::Values(NumberCase{"0", 0},
                                         NumberCase{"18446744073709551615", ~0ULL},
                                         NumberCase{"18446744073709551616", {}}, NumberCase{"", {}},
                                         NumberCase{"+1", {}}, NumberCase{"-1", {}},
                                         NumberCase{" 1", {}}, NumberCase{"1 ", {}},
                                         NumberCase{"0x1", {}}));

TEST(Text, PercentDecodeRefusesBrokenEscapes) {
  EXPECT_EQ(PercentDecode("n1%2Fweb"), "n1/web");
  EXPECT_EQ(PercentDecode("a+b"), "a+b");
  EXPECT_EQ(PercentDecode("%"), std::nullopt);
  EXPECT_EQ(PercentDecode("%2"), std::nullopt);
  EXPECT_EQ(PercentDecode("%zz"), std::nullopt);
}

TEST(Text, PercentEncodeIsUndoneByDecode) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  const std::string encoded = PercentEncode(all);
  EXPECT_EQ(PercentDecode(encoded), all);
  EXPECT_EQ(encoded.find('/'), std::string::npos);
  EXPECT_EQ(PercentEncode("a-b_c.d~1"), "a-b_c.d~1");
}

struct GlobCase {
  const char* pattern;
  const char* text;
  bool matches;
};

class GlobTest : public testing::TestWithParam<GlobCase> {};

TEST_P(GlobTest, OnlyTheStarIsSpecial) {
  EXPECT_EQ(GlobMatch(GetParam().pattern, GetParam().text), GetParam().matches);
}

INSTANTIATE_TEST_SUITE_P(
    , GlobTest,
    testing::Values(GlobCase{"", "", true}, GlobCase{"*", "", true}, GlobCase{"*", "x", true},
                    GlobCase{"us-*", "us-east", true}, GlobCase{"us-*", "eu-us-", false},
                    GlobCase{"1.2", "1x2", false}, GlobCase{"a|b", "a", false},
                    GlobCase{"*a*b*", "xxaxxbxx", true}, GlobCase{"*a*b", "abab", true},
                    GlobCase{"*a*b", "aba", false}, GlobCase{"a?c", "abc", false},
                    GlobCase{"**", "abc", true}, GlobCase{"abc", "ab", false}));

TEST(Text, StringMapIsAskedByView) {
  StringMap<int> map;
  map["web"] = 1;
  const std::string_view key = "web";
  EXPECT_EQ(map.find(key)->second, 1);
}

}  // namespace
}  // namespace swarm
