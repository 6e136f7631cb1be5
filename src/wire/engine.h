// What an engine says of itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "swarmlib/clock.h"
#include "swarmlib/model.h"

namespace swarm {

// Reads GET /info into id, name, total, labels, os, architecture, kernel_version, operating_system,
// engine_version, and clock_offset in whole seconds: its SystemTime (RFC 3339) against `now`, our
// clock when it answered; 0 without SystemTime or with WallTime{}. FailedPrecondition with the
// reason in words when this is no Docker engine (no ID, no processors or memory: perhaps a
// manager), when what it says of itself holds control bytes, or a label of it has no "=". A label
// with control bytes is left out alone and, quoted, added to `dropped_labels` unless that is null.
absl::Status ApplyInfo(std::string_view body, WallTime now, Node& node,
                       std::vector<std::string>* dropped_labels = nullptr);
// The engine's clock when it answered GET /info, in nanoseconds since 1970; nothing when it does
// not say.
std::optional<std::int64_t> EngineClock(std::string_view info);
// Reads GET /version: engine_version, api_version, min_api_version. FailedPrecondition when it is
// too old (below API 1.12), or when one of them holds control bytes.
absl::Status ApplyVersion(std::string_view body, Node& node);

}  // namespace swarm
