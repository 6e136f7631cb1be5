#include <gtest/gtest.h>

#include "wire/timestamp.h"

namespace swarm {
namespace {

struct TimeCase {
  const char* text;
  bool is_time;
  const char* shown;
};

TEST(TimestampTest, ReadsAndWritesTimes) {
  const TimeCase cases[] = {
      {"2015-01-01T00:00:00Z", true, "2015-01-01T00:00:00Z"},
      {"2024-02-29T23:59:59.123456789Z", true, "2024-02-29T23:59:59.123456789Z"},
      {"2024-02-29T23:59:59.120Z", true, "2024-02-29T23:59:59.12Z"},
      {"2024-01-01T01:30:00+01:30", true, "2024-01-01T00:00:00Z"},
      {"2023-12-31T22:00:00-02:00", true, "2024-01-01T00:00:00Z"},
      {"0001-01-01T00:00:00Z", true, "1970-01-01T00:00:00Z"},
      {"2023-02-29T00:00:00Z", false, ""},
      {"2023-01-01T24:00:00Z", false, ""},
      {"2023-01-01T00:00:00", false, ""},
      {"2023-01-01", false, ""},
      {"2023-01-01T00:00:00.Z", false, ""},
      {"2023-01-01T00:00:00Zx", false, ""},
      {"", false, ""}};
  for (const TimeCase& given : cases) {
    const auto time = ParseTime(given.text);
    ASSERT_EQ(time.has_value(), given.is_time) << given.text;
    EXPECT_EQ(time ? FormatTime(*time) : "", given.shown);
  }
  EXPECT_EQ(FormatTimeSeconds(WallTime(Duration(-1))), "1969-12-31T23:59:59Z");
}

TEST(TimestampTest, WritesSizes) {
  EXPECT_EQ(HumanSize(0), "0 B");
  EXPECT_EQ(HumanSize(1023), "1023 B");
  EXPECT_EQ(HumanSize(1536), "1.5 KiB");
  EXPECT_EQ(HumanSize(2'097'152'000), "1.953 GiB");
  EXPECT_EQ(HumanSize(1LL << 40), "1 TiB");
}

}  // namespace
}  // namespace swarm
