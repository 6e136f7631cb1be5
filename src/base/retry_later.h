// The answer to new work while a bound is reached.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace swarm {

// Seconds, as the field Retry-After says them.
inline constexpr std::string_view kRetryAfter = "1";

// A status that is answered with 503 and Retry-After.
absl::Status RetryLater(std::string_view message);
bool IsRetryLater(const absl::Status& status);

}  // namespace swarm
