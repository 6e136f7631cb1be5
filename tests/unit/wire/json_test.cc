#include "wire/json.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;

struct TextCase {
  const char* name;
  std::string text;
  bool is_json;
};

std::string Nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

class JsonTextTest : public testing::TestWithParam<TextCase> {};

// Boost.JSON, which is strict as well, is the judge of the judge.
TEST_P(JsonTextTest, IsReadAsBoostReadsIt) {
  const TextCase& given = GetParam();
  JsonDocument document;
  EXPECT_EQ(document.Parse(given.text).ok(), given.is_json) << document.Parse(given.text);
  boost::json::error_code error;
  boost::json::parse_options options;
  options.max_depth = kMostJsonDepth;
  boost::json::parse(given.text, error, {}, options);
  EXPECT_EQ(!error, given.is_json) << error.message();
}

INSTANTIATE_TEST_SUITE_P(
    , JsonTextTest,
    testing::Values(TextCase{"Null", "null", true}, TextCase{"True", " true ", true},
                    TextCase{"Number", "-0.5e+10", true}, TextCase{"EmptyArray", "[ ]", true},
                    TextCase{"EmptyObject", "{\n}", true},
                    TextCase{"Object", R"({"a":[1,{"b":null}],"c":"d"})", true},
                    TextCase{"Escapes", R"("\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")", true},
                    TextCase{"DeepEnough", Nested(kMostJsonDepth), true},
                    TextCase{"TooDeep", Nested(kMostJsonDepth + 1), false},
                    TextCase{"Nothing", "", false}, TextCase{"Blanks", "  ", false},
                    TextCase{"Open", "[", false}, TextCase{"TrailingComma", "[1,]", false},
                    TextCase{"TrailingCommaInObject", R"({"a":1,})", false},
                    TextCase{"NoColon", R"({"a" 1})", false}, TextCase{"BareKey", "{a:1}", false},
                    TextCase{"NoValue", R"({"a":})", false}, TextCase{"Two", "1 2", false},
                    TextCase{"LeadingZero", "01", false}, TextCase{"Plus", "+1", false},
                    TextCase{"NoFraction", "1.", false}, TextCase{"NoExponent", "1e", false},
                    TextCase{"NotANumber", "NaN", false}, TextCase{"Word", "tru", false},
                    TextCase{"OpenString", "\"abc", false},
                    TextCase{"ControlCharacter", "\"a\nb\"", false},
                    TextCase{"BadEscape", R"("\x")", false},
                    TextCase{"ShortUnicode", R"("\u12")", false},
                    TextCase{"SingleQuotes", "'a'", false}, TextCase{"Comment", "/* */ 1", false}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(JsonValueTest, ReadsWhatIsThere) {
  const std::string text =
      R"({"s":"a\u00e9\ud83d\ude00\udc00","n":9223372036854775807,"big":9223372036854775808,)"
      R"("half":1.5,"t":true,"list":[1,"two",null],"s2":"x"})";
  JsonDocument document;
  ASSERT_TRUE(document.Parse(text).ok());
  const JsonValue root = document.root();
  EXPECT_EQ(root.Find("s").text(), "a\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd");
  EXPECT_EQ(root.Find("n").integer(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(root.Find("big").integer(), std::nullopt);
  EXPECT_EQ(root.Find("big").raw(), "9223372036854775808");
  EXPECT_EQ(root.Find("half").integer(), std::nullopt);
  EXPECT_TRUE(root.Find("t").boolean());
  ASSERT_EQ(root.Find("list").elements().size(), 3u);
  EXPECT_EQ(root.Find("list").elements()[1].text(), "two");
  EXPECT_TRUE(root.Find("list").elements()[2].absent());
  EXPECT_FALSE(root.Find("missing"));
  EXPECT_TRUE(root.Find("missing").Find("deeper").text().empty());
  EXPECT_TRUE(root.Find("s2").Equals("x"));
  EXPECT_FALSE(root.Find("n").Equals("9223372036854775807"));
}

struct FieldCase {
  const char* name;
  const char* object;
  const char* found;  // null = refused, "" = absent
};

class FindFieldTest : public testing::TestWithParam<FieldCase> {};

TEST_P(FindFieldTest, MatchesKeysAsGoDoes) {
  JsonDocument document;
  ASSERT_TRUE(document.Parse(GetParam().object).ok());
  const absl::StatusOr<JsonValue> field = FindField(document.root(), "HostConfig");
  if (GetParam().found == nullptr) {
    EXPECT_FALSE(field.ok());
    return;
  }
  ASSERT_TRUE(field.ok());
  EXPECT_EQ(*field ? field->raw() : "", GetParam().found);
}

INSTANTIATE_TEST_SUITE_P(
    , FindFieldTest,
    testing::Values(
        FieldCase{"Exact", R"({"HostConfig":1})", "1"},
        FieldCase{"LowerCase", R"({"hostconfig":1})", "1"},
        FieldCase{"Escaped", R"({"\u0048ostConfig":1})", "1"},
        FieldCase{"LongS", "{\"Ho\u017ftConfig\":1}", "1"},
        FieldCase{"Other", R"({"HostConfigs":1})", ""},
        FieldCase{"Doubled", R"({"HostConfig":1,"HostConfig":1})", nullptr},
        FieldCase{"Colliding", R"({"HostConfig":1,"hostConfig":2})", nullptr},
        FieldCase{"CollidingByEscape", R"({"HostConfig":1,"\u0048ostConfig":2})", nullptr},
        FieldCase{"CollidingByLongS", "{\"HostConfig\":1,\"Ho\u017ftConfig\":2}", nullptr}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(TextEditsTest, KeepsEveryOtherByte) {
  const std::string text = R"( {"a": 1e400 , "b":{},"c":[ 1,2 ]} )";
  JsonDocument document;
  ASSERT_TRUE(document.Parse(text).ok());
  TextEdits edits;
  const JsonValue root = document.root();
  edits.AddMember(root, R"("d":4)");
  edits.Replace(root.Find("c").begin(), root.Find("c").end(), "3");
  edits.AddMember(root.Find("b"), R"("x":1)");
  edits.AddMember(root.Find("b"), R"("y":2)");
  EXPECT_EQ(edits.Apply(text, 0, text.size()), R"( {"a": 1e400 , "b":{"x":1,"y":2},"c":3,"d":4} )");
}

}  // namespace
}  // namespace swarm
