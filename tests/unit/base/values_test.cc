#include <regex>
#include <sstream>

#include <gtest/gtest.h>

#include "base/json_text.h"
#include "base/log.h"
#include "base/secret.h"
#include "swarmlib/backend.h"
#include "swarmlib/clock.h"
#include "swarmlib/random.h"

namespace swarm {
namespace {

TEST(Random, ASeedReplays) {
  Random first(7);
  Random second(7);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(first.Next(), second.Next());
  EXPECT_NE(Random(7).Next(), Random(8).Next());
}

TEST(Random, BelowReachesEveryOutcomeAboutEqually) {
  Random random(1);
  int seen[6] = {};
  for (int i = 0; i < 60'000; ++i) ++seen[random.Below(6)];
  for (const int count : seen) EXPECT_NEAR(count, 10'000, 500);
  EXPECT_EQ(random.Below(1), 0U);
}

TEST(Random, HexHasTheLengthAsked) {
  Random random(1);
  EXPECT_EQ(random.Hex(64).size(), 64U);
  EXPECT_EQ(random.Hex(64).find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(ManualClock, MovesBothAxes) {
  ManualClock clock(WallTime(std::chrono::seconds(100)));
  clock.Advance(std::chrono::seconds(5));
  EXPECT_EQ(clock.Now(), TimePoint(std::chrono::seconds(5)));
  EXPECT_EQ(clock.Wall(), WallTime(std::chrono::seconds(105)));
}

TEST(Headers, NamesAreComparedWithoutCase) {
  Headers headers = {{"A", "1"}, {"a", "2"}, {"B", "3"}};
  EXPECT_EQ(*FindHeader(headers, "a"), "1");
  SetHeader(headers, "A", "9");
  EXPECT_EQ(headers, (Headers{{"B", "3"}, {"A", "9"}}));
  RemoveHeader(headers, "b");
  EXPECT_EQ(FindHeader(headers, "B"), nullptr);
}

TEST(JsonText, EscapesWhatMustBe) {
  std::string text;
  AppendJsonString(text, std::string_view("a\"\\\n\t\x01\x7fé\0b", 11));
  EXPECT_EQ(text, "\"a\\\"\\\\\\n\\t\\u0001\\u007fé\\u0000b\"");
}

TEST(Log, ALineIsALineWhateverIsInIt) {
  const LogRecord record{
      LogLevel::kWarning, "engine said\nno", {{"node", "n1"}, {"why", "a b\r\n=c"}, {"none", ""}}};
  EXPECT_EQ(FormatText(record), "engine said\\nno node=n1 why=\"a b\\r\\n=c\" none=\"\"");
  EXPECT_EQ(FormatJson(record),
            "{\"level\":\"warning\",\"message\":\"engine said\\nno\",\"node\":\"n1\",\"why\":\"a "
            "b\\r\\n=c\",\"none\":\"\"}");
}

TEST(Log, LinesCarryTheTimeInBothForms) {
  const std::string time = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d)";
  for (const bool json : {false, true}) {
    const LogSink sink = StderrSink(LogLevel::kInfo, json);
    testing::internal::CaptureStderr();
    sink({LogLevel::kWarning, "hello", {{"node", "n1"}}});
    sink({LogLevel::kDebug, "too small", {}});
    const std::string line = testing::internal::GetCapturedStderr();
    const std::string json_line =
        R"(\{"time":")" + time + R"(","level":"warning","message":"hello","node":"n1"\}\n)";
    EXPECT_TRUE(
        std::regex_match(line, std::regex(json ? json_line : time + " warning hello node=n1\n")))
        << line;
  }
}

TEST(Secret, IsNeverPrinted) {
  const Secret secret("canary");
  std::ostringstream out;
  out << secret;
  EXPECT_EQ(out.str(), "<redacted>");
  EXPECT_EQ(secret.Reveal(), "canary");
}

TEST(Secret, MovingLeavesNothingBehind) {
  Secret from("canary");
  const Secret to(std::move(from));
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(to.Reveal(), "canary");
}

}  // namespace
}  // namespace swarm
