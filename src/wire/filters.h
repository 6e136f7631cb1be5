// The `filters` query parameter.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace swarm {

// Key to wanted values, in the order given.
using FilterArguments = std::map<std::string, std::vector<std::string>, std::less<>>;

// Both shapes: {"k":{"v":true}} and {"k":["v"]}. Empty text = no filter. InvalidArgument with the
// engine's words.
absl::StatusOr<FilterArguments> ParseFilters(std::string_view json);
// The first shape.
std::string FormatFilters(const FilterArguments& filters);

// "1", "true", "True", "on" ... as engines read booleans: everything but "", "0", "no", "false",
// "none".
bool ParseBoolean(std::string_view text);

// The query part of a target as decoded pairs in order ("+" is a space).
using Query = std::vector<std::pair<std::string, std::string>>;
Query ParseQuery(std::string_view text);
// The first value of that key, or null.
const std::string* FindQuery(const Query& query, std::string_view key);
std::string FormatQuery(const Query& query);

}  // namespace swarm
