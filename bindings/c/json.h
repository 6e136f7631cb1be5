// The little JSON and percent-encoding that the thin helpers need.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace swarm::c {

// `text` as a JSON string with its quotes. Bytes above 0x7f pass unchanged.
std::string Quote(std::string_view text);

// The value of the string member `key` of the JSON object `json`, unescaped; empty when there is
// none, or when `json` is not read that far.
std::optional<std::string> StringMember(std::string_view json, std::string_view key);

// All but letters, digits and "-_.~" as %XX.
std::string PercentEncode(std::string_view text);

}  // namespace swarm::c
