// Command-line words brought into one form before they are read.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "swarmlib/clock.h"

namespace swarmd {

// Brings the peer's spellings into CLI11's: "-tlsverify" to "--tlsverify" for every word of
// `long_names`, "-H=:2375" to "-H" ":2375". What follows "--" stays as it is.
std::vector<std::string> Normalise(const std::vector<std::string>& words,
                                   const std::vector<std::string>& long_names);

// Go's durations ("1m30s", "500ms") and plain seconds ("25"). Empty when it is neither or negative.
std::optional<swarm::Duration> ParseDuration(std::string_view text);

// Docker's sizes ("64m", "64MiB", "1048576"): a whole number of bytes, or of k, m or g, each 1,024
// of the one before. Empty when it is none.
std::optional<std::size_t> ParseBytes(std::string_view text);

}  // namespace swarmd
