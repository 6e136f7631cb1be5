// What an engine says of itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "swarmlib/clock.h"
#include "swarmlib/model.h"

namespace swarm {

// Reads GET /info into id, name, total, labels, os, architecture, kernel_version, operating_system,
// engine_version, and clock_offset in whole seconds: its SystemTime (RFC 3339) against `now`, our
// clock when it answered; 0 without SystemTime or with WallTime{}. FailedPrecondition with the
// reason in words when this is no Docker engine (no ID, no processors or memory: perhaps a manager)
// or a label of it has no "=".
absl::Status ApplyInfo(std::string_view body, WallTime now, Node& node);
// The engine's clock when it answered GET /info, in nanoseconds since 1970; nothing when it does
// not say.
std::optional<std::int64_t> EngineClock(std::string_view info);
// Reads GET /version: engine_version, api_version, min_api_version. FailedPrecondition when it is
// too old (below API 1.12).
absl::Status ApplyVersion(std::string_view body, Node& node);

}  // namespace swarm
