#include "arguments.h"

#include <algorithm>
#include <charconv>

namespace swarmd {
namespace {

std::optional<double> UnitSeconds(std::string_view unit) {
  if (unit == "ns") return 1e-9;
  if (unit == "us" || unit == "µs") return 1e-6;
  if (unit == "ms") return 1e-3;
  if (unit == "s") return 1.0;
  if (unit == "m") return 60.0;
  if (unit == "h") return 3600.0;
  return std::nullopt;
}

}  // namespace

std::vector<std::string> Normalise(const std::vector<std::string>& words,
                                   const std::vector<std::string>& long_names) {
  std::vector<std::string> normal;
  bool options = true;
  for (const std::string& word : words) {
    if (word == "--") options = false;
    const bool one_dash = options && word.size() > 2 && word[0] == '-' && word[1] != '-';
    if (!one_dash) {
      normal.push_back(word);
      continue;
    }
    const std::string name = word.substr(1, word.find('=') - 1);
    if (name.size() > 1 &&
        std::find(long_names.begin(), long_names.end(), name) != long_names.end()) {
      normal.push_back("-" + word);
    } else if (word[2] == '=') {
      normal.push_back(word.substr(0, 2));
      normal.push_back(word.substr(3));
    } else {
      normal.push_back(word);
    }
  }
  return normal;
}

std::optional<swarm::Duration> ParseDuration(std::string_view text) {
  constexpr double kLongest = 10.0 * 365 * 24 * 3600;  // ten years: more is a typing error
  if (text.empty()) return std::nullopt;
  double seconds = 0;
  bool first = true;
  while (!text.empty()) {
    double amount = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
    if (error != std::errc() || amount < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const std::size_t length = std::min(text.find_first_of("0123456789."), text.size());
    if (length == 0) {
      if (!first || !text.empty()) return std::nullopt;
      seconds = amount;
      break;
    }
    const std::optional<double> unit = UnitSeconds(text.substr(0, length));
    if (!unit) return std::nullopt;
    seconds += amount * *unit;
    text.remove_prefix(length);
    first = false;
  }
  if (seconds > kLongest) return std::nullopt;
  return std::chrono::duration_cast<swarm::Duration>(std::chrono::duration<double>(seconds));
}

std::optional<std::size_t> ParseBytes(std::string_view text) {
  constexpr std::size_t kMaxOfUnit = 1U << 20U;  // so that its bytes fit 64 bits
  std::size_t amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc()) return std::nullopt;
  std::string unit(text.substr(static_cast<std::size_t>(end - text.data())));
  std::transform(unit.begin(), unit.end(), unit.begin(),
                 [](char letter) { return letter == 'B' ? 'b' : letter; });
  constexpr std::string_view kUnits = "kmgKMG";
  std::size_t power = unit.empty() ? std::string_view::npos : kUnits.find(unit[0]);
  const std::string_view rest =
      std::string_view(unit).substr(power == std::string_view::npos ? 0 : 1);
  if (rest != "" && rest != "b" && (rest != "ib" || power == std::string_view::npos))
    return std::nullopt;
  if (power == std::string_view::npos) return amount;
  power %= 3;
  if (amount > kMaxOfUnit) return std::nullopt;
  return amount << (10 * (power + 1));
}

}  // namespace swarmd
