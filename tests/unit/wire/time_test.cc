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

TEST(HumanDurationTest, HoldsAsLongAsItSays) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  using std::chrono::minutes;
  using std::chrono::seconds;
  // From a tenth of a second on in steps that grow, beyond two years.
  for (Duration at = milliseconds(-5'000); at < hours(24 * 365 * 3);
       at += milliseconds(100) + (at > Duration::zero() ? at / 50 : Duration::zero())) {
    const Duration holds = HumanDurationHolds(at);
    ASSERT_GT(holds, Duration::zero());
    ASSERT_LE(holds, hours(1));
    for (const Duration later : {holds / 2, holds - Duration(1)}) {
      ASSERT_EQ(HumanDuration(at + later), HumanDuration(at)) << at.count();
    }
  }
  const std::pair<Duration, Duration> cases[] = {{milliseconds(300), milliseconds(700)},
                                                 {seconds(59), seconds(1)},
                                                 {seconds(61), seconds(59)},
                                                 {minutes(59) + seconds(1), seconds(59)},
                                                 {hours(1), minutes(30)},
                                                 {hours(5) + minutes(29), minutes(1)},
                                                 {hours(24 * 400) + minutes(40), minutes(20)}};
  for (const auto& [at, holds] : cases) EXPECT_EQ(HumanDurationHolds(at), holds) << at.count();
}

}  // namespace
}  // namespace swarm
