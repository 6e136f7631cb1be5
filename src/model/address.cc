#include "model/address.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/text.h"

namespace swarm {
namespace {

constexpr std::size_t kGroups = 8;  // of an IPv6 address, 16 bits each
using Groups = std::array<std::uint16_t, kGroups>;

// "1.2.3.4", without leading zeros, as Go reads it.
std::optional<std::array<std::uint16_t, 2>> ParseFour(std::string_view text) {
  const std::vector<std::string_view> parts = Split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const std::string_view part : parts) {
    const auto number = ParseUnsigned(part);
    if (!number || *number > 255 || (part.size() > 1 && part.front() == '0')) return std::nullopt;
    value = value << 8U | static_cast<std::uint32_t>(*number);
  }
  return std::array<std::uint16_t, 2>{static_cast<std::uint16_t>(value >> 16U),
                                      static_cast<std::uint16_t>(value & 0xffffU)};
}

// The groups of one side of "::"; false when one is wrong. An IPv4 address may stand last.
bool AppendGroups(std::string_view side, bool is_last, std::vector<std::uint16_t>& groups) {
  if (side.empty()) return true;
  const std::vector<std::string_view> parts = Split(side, ':');
  for (std::size_t at = 0; at < parts.size(); ++at) {
    const std::string_view part = parts[at];
    if (is_last && at + 1 == parts.size() && part.find('.') != std::string_view::npos) {
      const auto four = ParseFour(part);
      if (!four) return false;
      groups.insert(groups.end(), four->begin(), four->end());
      return true;
    }
    std::uint16_t group = 0;
    const char* const end = part.data() + part.size();
    const auto [stopped, error] = std::from_chars(part.data(), end, group, 16);
    if (part.empty() || part.size() > 4 || error != std::errc() || stopped != end) return false;
    groups.push_back(group);
  }
  return true;
}

std::optional<Groups> ParseSix(std::string_view text) {
  const std::size_t gap = text.find("::");
  const bool has_gap = gap != std::string_view::npos;
  std::vector<std::uint16_t> head, tail;
  if (!AppendGroups(text.substr(0, gap), !has_gap, head)) return std::nullopt;
  if (has_gap && !AppendGroups(text.substr(gap + 2), true, tail)) return std::nullopt;
  const std::size_t given = head.size() + tail.size();
  if (has_gap ? given >= kGroups : given != kGroups) return std::nullopt;
  Groups groups{};
  std::copy(head.begin(), head.end(), groups.begin());
  std::copy(tail.rbegin(), tail.rend(), groups.rbegin());
  return groups;
}

bool IsMapped(const Groups& groups) {
  return groups[5] == 0xffff &&
         std::all_of(groups.begin(), groups.begin() + 5, [](auto group) { return group == 0; });
}

std::string FormatFour(std::uint16_t high, std::uint16_t low) {
  return std::to_string(high >> 8U) + "." + std::to_string(high & 0xffU) + "." +
         std::to_string(low >> 8U) + "." + std::to_string(low & 0xffU);
}

// As RFC 5952 has it: the first longest run of two or more zeros is left out.
std::string FormatSix(const Groups& groups) {
  std::size_t from = kGroups, length = 1;
  for (std::size_t at = 0; at < kGroups; ++at) {
    std::size_t run = 0;
    while (at + run < kGroups && groups[at + run] == 0) ++run;
    if (run <= length) continue;
    from = at;
    length = run;
  }
  std::string text;
  for (std::size_t at = 0; at < kGroups; ++at) {
    if (at == from) {
      text += "::";
      at += length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    std::array<char, 4> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), groups[at], 16).ptr;
    text.append(digits.begin(), end);
  }
  return text;
}

}  // namespace

std::string CanonicalAddress(std::string_view text) {
  if (text.find(':') == std::string_view::npos) return std::string(text);
  const std::optional<Groups> groups = ParseSix(text);
  if (!groups) return std::string(text);
  return IsMapped(*groups) ? FormatFour((*groups)[6], (*groups)[7]) : FormatSix(*groups);
}

}  // namespace swarm
