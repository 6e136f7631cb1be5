// Times and sizes as Docker writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "swarmlib/clock.h"

namespace swarm {

// RFC 3339 with up to nine digits of a second, "Z" or an offset. Years that a WallTime cannot hold,
// and Go's zero time (year 1), give WallTime{}; empty when the text is not a time.
std::optional<WallTime> ParseTime(std::string_view text);
// Seconds since 1970; what a WallTime cannot hold gives WallTime{}.
WallTime TimeOfSeconds(std::int64_t seconds);
// "2015-01-01T00:00:00Z", with nanoseconds only when there are some.
std::string FormatTime(WallTime time);
// "2015-01-01T00:00:00Z", nanoseconds cut.
std::string FormatTimeSeconds(WallTime time);

// "Less than a second", "About an hour", "3 weeks": the words of docker/go-units.
std::string HumanDuration(Duration duration);
// For how long after `duration` the words stay the same at least.
Duration HumanDurationHolds(Duration duration);
// "1.952 GiB": four digits and a binary unit, as docker/go-units BytesSize.
std::string HumanSize(std::int64_t bytes);

}  // namespace swarm
