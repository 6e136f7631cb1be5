// Small text tools in std types. ASCII rules only; no locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace swarm {

bool EqualsIgnoreCase(std::string_view left, std::string_view right);
std::string ToLower(std::string_view text);
std::string_view Trim(std::string_view text);  // spaces, tabs, CR, LF

// Pieces between separators, empty ones kept; "" gives one empty piece.
std::vector<std::string_view> Split(std::string_view text, char separator);
std::string Join(const std::vector<std::string>& parts, std::string_view separator);

// The whole text as a decimal number without sign or space; empty when it is not one or does not
// fit.
std::optional<std::uint64_t> ParseUnsigned(std::string_view text);

// "%2F" and the like; empty when a % is not followed by two hexadecimal digits. "+" stays (paths).
std::optional<std::string> PercentDecode(std::string_view text);
// Everything but unreserved characters (RFC 3986 2.3) as %XX.
std::string PercentEncode(std::string_view text);

// True when `text` matches `pattern`, in which only "*" is special (any run of characters).
bool GlobMatch(std::string_view pattern, std::string_view text);

// Hash maps and sets that are asked by string_view without making a string. Never iterated where
// the order could be seen.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};
template <typename Value>
using StringMap = std::unordered_map<std::string, Value, StringHash, std::equal_to<>>;
using StringSet = std::unordered_set<std::string, StringHash, std::equal_to<>>;

}  // namespace swarm
