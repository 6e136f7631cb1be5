#include "wire/timestamp.h"

#include <chrono>
#include <cstdio>

#include "base/text.h"

namespace swarm {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Takes `digits` digits off the front.
std::optional<int> TakeNumber(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  const std::optional<std::uint64_t> value = ParseUnsigned(text.substr(0, digits));
  if (!value) return std::nullopt;
  text.remove_prefix(digits);
  return static_cast<int>(*value);
}

bool Take(std::string_view& text, char letter) {
  if (text.empty() || text.front() != letter) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> TakeFraction(std::string_view& text) {
  if (!Take(text, '.')) return 0;
  std::int64_t nanoseconds = 0;
  int digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (digits < 9) nanoseconds = nanoseconds * 10 + (text.front() - '0');
    ++digits;
    text.remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 9; ++digits) nanoseconds *= 10;
  return nanoseconds;
}

std::optional<seconds> TakeOffset(std::string_view& text) {
  if (Take(text, 'Z') || Take(text, 'z')) return seconds(0);
  const bool behind = Take(text, '-');
  if (!behind && !Take(text, '+')) return std::nullopt;
  const auto hour = TakeNumber(text, 2);
  if (!hour || !Take(text, ':')) return std::nullopt;
  const auto minute = TakeNumber(text, 2);
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  const seconds offset = hours(*hour) + minutes(*minute);
  return behind ? -offset : offset;
}

struct Civil {
  int year;
  unsigned month, day;
  int hour, minute, second;
  std::int64_t nanosecond;
};

Civil CivilOf(WallTime time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::int64_t inside = (time - day).count();
  const auto second = static_cast<int>(inside / 1'000'000'000);
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          second / 3600,
          second / 60 % 60,
          second % 60,
          inside % 1'000'000'000};
}

}  // namespace

std::optional<WallTime> ParseTime(std::string_view text) {
  const auto year = TakeNumber(text, 4);
  if (!year || !Take(text, '-')) return std::nullopt;
  const auto month = TakeNumber(text, 2);
  if (!month || !Take(text, '-')) return std::nullopt;
  const auto day = TakeNumber(text, 2);
  if (!day || !(Take(text, 'T') || Take(text, 't') || Take(text, ' '))) return std::nullopt;
  const auto hour = TakeNumber(text, 2);
  if (!hour || !Take(text, ':')) return std::nullopt;
  const auto minute = TakeNumber(text, 2);
  if (!minute || !Take(text, ':')) return std::nullopt;
  const auto second = TakeNumber(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const auto fraction = TakeFraction(text);
  if (!fraction) return std::nullopt;
  const auto offset = TakeOffset(text);
  if (!offset || !text.empty()) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  if (*year < 1678 || *year > 2261) return WallTime{};
  return WallTime(std::chrono::sys_days(date)) + hours(*hour) + minutes(*minute) +
         seconds(*second) - *offset + Duration(*fraction);
}

WallTime TimeOfSeconds(std::int64_t count) {
  constexpr std::int64_t kMost = 9'000'000'000;  // the year 2255
  return count > kMost || count < -kMost ? WallTime{} : WallTime(seconds(count));
}

std::string FormatTimeSeconds(WallTime time) {
  const Civil civil = CivilOf(time);
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02dZ", civil.year, civil.month,
                civil.day, civil.hour, civil.minute, civil.second);
  return buffer;
}

std::string FormatTime(WallTime time) {
  const std::int64_t nanosecond = CivilOf(time).nanosecond;
  std::string text = FormatTimeSeconds(time);
  if (nanosecond == 0) return text;
  char buffer[24];
  std::snprintf(buffer, sizeof buffer, ".%09lld", static_cast<long long>(nanosecond));
  std::string fraction = buffer;
  while (fraction.back() == '0') fraction.pop_back();
  text.insert(text.size() - 1, fraction);
  return text;
}

std::string HumanDuration(Duration duration) {
  const std::int64_t second = duration / seconds(1);
  if (second < 1) return "Less than a second";
  if (second == 1) return "1 second";
  if (second < 60) return std::to_string(second) + " seconds";
  const std::int64_t minute = second / 60;
  if (minute == 1) return "About a minute";
  if (minute < 60) return std::to_string(minute) + " minutes";
  const std::int64_t hour = (duration + minutes(30)) / hours(1);
  if (hour == 1) return "About an hour";
  if (hour < 48) return std::to_string(hour) + " hours";
  if (hour < 24 * 7 * 2) return std::to_string(hour / 24) + " days";
  if (hour < 24 * 30 * 2) return std::to_string(hour / 24 / 7) + " weeks";
  if (hour < 24 * 365 * 2) return std::to_string(hour / 24 / 30) + " months";
  return std::to_string(duration / hours(1) / 24 / 365) + " years";
}

Duration HumanDurationHolds(Duration duration) {
  // Hours are rounded: words of an hour and more change at full and half hours.
  const Duration step = duration < minutes(1) ? seconds(1)
                        : duration < hours(1) ? Duration(minutes(1))
                                              : Duration(minutes(30));
  if (duration < Duration::zero()) return step;
  return step - duration % step;
}

std::string HumanSize(std::int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (size >= 1024.0 && unit + 1 < std::size(kUnits)) {
    size /= 1024.0;
    ++unit;
  }
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.4g %s", size, kUnits[unit]);
  return buffer;
}

}  // namespace swarm
