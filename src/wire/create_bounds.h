// How much one create body may name. Work on a create grows with what it names, some of it once for
// each node.
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "wire/json.h"

namespace swarm {

inline constexpr std::size_t kMaxCreateFields = 1'000;  // of the body, and of its HostConfig
inline constexpr std::size_t kMaxCreateNetworks = 1'000;
inline constexpr std::size_t kMaxCreateLinks = 1'000;
inline constexpr std::size_t kMaxCreateVolumesFrom = 1'000;
inline constexpr std::size_t kMaxCreateVolumes = 1'000;  // with a name, each once
inline constexpr std::size_t kMaxCreateMounts = 10'000;  // of Binds, and of Mounts
inline constexpr std::size_t kMaxCreateLabels = 65'536;
// Constraints, affinities and whitelists together, each text once.
inline constexpr std::size_t kMaxCreateExpressions = 128;
// Constraints and affinities that are no exact value: "=", "*" and /regular expressions/.
inline constexpr std::size_t kMaxCreatePatterns = 16;
inline constexpr std::size_t kMaxCreateWhitelistNames = 10'000;  // in all whitelists
inline constexpr std::size_t kMaxCreatePorts = 20'000;           // published, and exposed
inline constexpr std::size_t kMaxReferenceBytes = 4'096;         // of one name of another container

// InvalidArgument for more than `most`: "too many links are given: 5000, at most 1000 are taken".
absl::Status CheckBound(std::string_view what, std::size_t found, std::size_t most);
// Of an array or an object, counted before anything is made of it.
std::size_t CountEntries(JsonValue value);
// InvalidArgument for a name of another container that is longer than any can be.
absl::Status CheckReference(std::string_view field, std::string_view reference);

}  // namespace swarm
