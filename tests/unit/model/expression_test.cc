#include "model/expression.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "swarmlib/status.h"

namespace swarm {
namespace {

using Operator = Expression::Operator;
using Match = Expression::Match;

struct Parsed {
  const char* text;
  const char* key;
  Operator op;
  Match match;
  bool soft;
  bool ignore_case;
  const char* value;
};

TEST(ParseExpressionTest, ReadsEveryForm) {
  const std::vector<Parsed> table = {
      {"zone==external", "zone", Operator::kEqual, Match::kGlob, false, false, "external"},
      {"zone!=external", "zone", Operator::kNotEqual, Match::kGlob, false, false, "external"},
      {"zone==~external", "zone", Operator::kEqual, Match::kGlob, true, false, "external"},
      {"zone!=~external", "zone", Operator::kNotEqual, Match::kGlob, true, false, "external"},
      {"zone=external", "zone", Operator::kEqual, Match::kGlob, false, true, "external"},
      {"zone=!external", "zone", Operator::kNotEqual, Match::kGlob, false, true, "external"},
      {"zone=~external", "zone", Operator::kEqual, Match::kGlob, true, true, "external"},
      {"zone=/ext.*/", "zone", Operator::kEqual, Match::kRegex, false, true, "ext.*"},
      {"zone=!/ext.*/", "zone", Operator::kNotEqual, Match::kRegex, false, true, "ext.*"},
      {"node==/dockerhost0[12]/", "node", Operator::kEqual, Match::kRegex, false, false,
       "dockerhost0[12]"},
      {"node==~/(?i)HOST/", "node", Operator::kEqual, Match::kRegex, true, false, "(?i)HOST"},
      {"region==us-*", "region", Operator::kEqual, Match::kGlob, false, false, "us-*"},
      {"a_b.c-d==x y", "a_b.c-d", Operator::kEqual, Match::kGlob, false, false, "x y"},
      {"_k==/", "_k", Operator::kEqual, Match::kGlob, false, false, "/"},
      {"Zone==X", "Zone", Operator::kEqual, Match::kGlob, false, false, "X"},
      {"key===b", "key", Operator::kEqual, Match::kGlob, false, false, "=b"},
      {"image==localhost:5000/web:1.2", "image", Operator::kEqual, Match::kGlob, false, false,
       "localhost:5000/web:1.2"},
  };
  for (const Parsed& row : table) {
    const absl::StatusOr<Expression> expression = ParseExpression(row.text);
    ASSERT_TRUE(expression.ok()) << row.text << ": " << MessageOf(expression.status());
    EXPECT_EQ(expression->key, row.key) << row.text;
    EXPECT_EQ(expression->op, row.op) << row.text;
    EXPECT_EQ(expression->match, row.match) << row.text;
    EXPECT_EQ(expression->soft, row.soft) << row.text;
    EXPECT_EQ(expression->ignore_case, row.ignore_case) << row.text;
    EXPECT_EQ(expression->value, row.value) << row.text;
    EXPECT_EQ(expression->text, row.text);
  }
}

TEST(ParseExpressionTest, RefusesWithWhatIsWrong) {
  struct Refused {
    std::string text;
    const char* says;
  };
  const std::vector<Refused> table = {
      {"", "One of operator ==, != is expected"},
      {"zone", "One of operator ==, != is expected"},
      {"==x", "Key '' is invalid"},
      {"z==x", "Key 'z' is invalid"},
      {"9zone==x", "Key '9zone' is invalid"},
      {"zo ne==x", "Key 'zo ne' is invalid"},
      {"zone!==x", "Key 'zone!' is invalid"},
      {"zone==", "Value '' is invalid"},
      {"zone==~", "Value '~' is invalid"},
      {"zone==~~x", "Value '~~x' is invalid"},
      {"zone==a@b", "Value 'a@b' is invalid"},
      {"zone==a,b", "Value 'a,b' is invalid"},
      {"zone==/~{/", "Value '/~{/' is invalid"},
      {"zone=~", "Value '~' is invalid"},
      {"zone==a=b", "Value 'a=b' is invalid"},
      {"zone==/(/", "does not compile"},
      {"zone==" + std::string(kMaxExpressionLength, 'x'), "longer than 4096 bytes"},
  };
  for (const Refused& row : table) {
    const absl::StatusOr<Expression> expression = ParseExpression(row.text);
    ASSERT_FALSE(expression.ok()) << row.text;
    EXPECT_EQ(HttpStatusOf(expression.status()), 400);
    EXPECT_NE(MessageOf(expression.status()).find(row.says), std::string_view::npos)
        << MessageOf(expression.status());
  }
}

TEST(MatchesTest, ComparesValues) {
  struct Row {
    const char* expression;
    const char* value;
    bool matches;
  };
  const std::vector<Row> table = {
      {"zone==external", "external", true},
      {"zone==external", "External", false},
      {"zone=external", "EXTERNAL", true},
      {"zone=!external", "EXTERNAL", false},
      {"zone=ext*", "EXTERNAL", true},
      {"zone==external", "", false},
      {"zone!=external", "", true},
      {"zone==*", "", true},
      {"zone==us-*", "us-west", true},
      {"zone==us-*", "eu-us-west", false},
      {"zone==*us*", "eu-us-west", true},
      // Only "*" is special in a glob.
      {"zone==1.2", "1x2", false},
      {"zone==1.2", "1.2", true},
      {"zone==a|b", "a", false},
      {"zone==r[12]", "r1", false},
      {"zone==r[12]", "r[12]", true},
      {"zone==/r[12]/", "r1", true},
      {"zone==/r[12]/", "xr2x", true},
      {"zone==/^r[12]$/", "xr2x", false},
      {"zone==/(?i)SSD/", "ssd", true},
      {"zone=/SSD/", "ssd", true},
      {"zone==/SSD/", "ssd", false},
      {"zone!=/r[12]/", "r1", false},
      {"zone==/.*/", "", true},
      {"zone==//", "anything", true},
      {"zone===b", "=b", true},
  };
  for (const Row& row : table) {
    const absl::StatusOr<Expression> expression = ParseExpression(row.expression);
    ASSERT_TRUE(expression.ok()) << row.expression;
    EXPECT_EQ(Matches(*expression, row.value), row.matches)
        << row.expression << " on \"" << row.value << '"';
    EXPECT_EQ(PatternMatcher(*expression).Matches(row.value),
              MatchesPattern(*expression, row.value));
  }
}

TEST(MatchesTest, PatternMadeByHandThatDoesNotCompileMatchesNothing) {
  Expression expression;
  expression.match = Match::kRegex;
  expression.value = "(";
  EXPECT_FALSE(Matches(expression, "("));
  expression.op = Operator::kNotEqual;
  EXPECT_TRUE(Matches(expression, "("));
}

TEST(PatternMatcherTest, MovesWithItsPattern) {
  PatternMatcher first(*ParseExpression("zone==/^a/"));
  PatternMatcher second(std::move(first));
  first = PatternMatcher(*ParseExpression("zone==b*"));
  EXPECT_TRUE(second.Matches("abc"));
  EXPECT_TRUE(first.Matches("bcd"));
}

TEST(IsExactTest, OnlyPlainTexts) {
  EXPECT_TRUE(IsExact(*ParseExpression("zone==a.b")));
  EXPECT_TRUE(IsExact(*ParseExpression("zone!=~a")));
  EXPECT_FALSE(IsExact(*ParseExpression("zone==a*")));
  EXPECT_FALSE(IsExact(*ParseExpression("zone=a")));
  EXPECT_FALSE(IsExact(*ParseExpression("zone==/a/")));
}

}  // namespace
}  // namespace swarm
