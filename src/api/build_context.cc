#include "api/build_context.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

#include "base/text.h"

namespace swarm {
namespace {

constexpr std::size_t kTarBlock = 512;

// Fields of a tar header: where they begin, and their lengths.
constexpr std::size_t kTarName = 0, kTarNameLength = 100;
constexpr std::size_t kTarSize = 124, kTarSizeLength = 12;
constexpr std::size_t kTarSum = 148, kTarSumLength = 8;
constexpr std::size_t kTarType = 156;
constexpr std::size_t kTarMagic = 257;
constexpr std::size_t kTarPrefix = 345, kTarPrefixLength = 155;

std::string_view TarText(std::string_view header, std::size_t begin, std::size_t length) {
  const std::string_view field = header.substr(begin, length);
  return field.substr(0, field.find('\0'));
}

std::optional<std::uint64_t> TarNumber(std::string_view header, std::size_t begin,
                                       std::size_t length) {
  const std::string_view digits = Trim(TarText(header, begin, length));
  if (digits.empty()) return std::nullopt;
  std::uint64_t number = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '7') return std::nullopt;
    number = number * 8 + static_cast<std::uint64_t>(digit - '0');
  }
  return number;
}

bool IsTarHeader(std::string_view header) {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < kTarBlock; ++at) {
    const bool in_sum = at >= kTarSum && at < kTarSum + kTarSumLength;
    sum += in_sum ? ' ' : static_cast<unsigned char>(header[at]);
  }
  return TarNumber(header, kTarSum, kTarSumLength) == sum;
}

std::string TarPath(std::string_view header) {
  std::string path(TarText(header, kTarName, kTarNameLength));
  if (header.substr(kTarMagic, 5) == "ustar") {
    const std::string_view prefix = TarText(header, kTarPrefix, kTarPrefixLength);
    if (!prefix.empty()) path.insert(0, std::string(prefix) + "/");
  }
  return path;
}

std::string_view WithoutDot(std::string_view path) {
  while (path.starts_with("./") || path.starts_with("/"))
    path.remove_prefix(path.front() == '/' ? 1 : 2);
  return path;
}

using ArgumentValues = std::map<std::string, std::string, std::less<>>;

bool IsNameByte(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '_';
}

// The text with $NAME, ${NAME} and ${NAME:-default} replaced; nothing when it needs more than that.
std::optional<std::string> WithValues(std::string_view text, const ArgumentValues& values) {
  std::string whole;
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    whole.append(text.substr(0, dollar));
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar + 1);
    std::string_view name, otherwise;
    if (text.starts_with('{')) {
      const std::size_t end = text.find('}');
      if (end == std::string_view::npos) return std::nullopt;
      name = text.substr(1, end - 1);
      text.remove_prefix(end + 1);
      const std::size_t colon = name.find(':');
      if (colon != std::string_view::npos) {
        if (name.substr(colon, 2) != ":-") return std::nullopt;
        otherwise = name.substr(colon + 2);
        name = name.substr(0, colon);
      }
    } else {
      const auto end = std::find_if_not(text.begin(), text.end(), IsNameByte);
      name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
      text.remove_prefix(name.size());
    }
    const auto found = values.find(name);
    if (found != values.end() && !found->second.empty()) {
      whole.append(found->second);
    } else if (!otherwise.empty()) {
      whole.append(otherwise);
    } else {
      return std::nullopt;
    }
  }
  return whole;
}

std::string_view Unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != text.back()) return text;
  return text.front() == '"' || text.front() == '\'' ? text.substr(1, text.size() - 2) : text;
}

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  constexpr std::string_view kBlank = " \t\r";
  while (!line.empty()) {
    const std::size_t begin = line.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) break;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(kBlank), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

}  // namespace

PeekedFile PeekFile(std::string_view archive, std::string_view name) {
  using State = PeekedFile::State;
  const std::string_view wanted = WithoutDot(name);
  std::size_t at = 0;
  while (at + kTarBlock <= archive.size()) {
    const std::string_view header = archive.substr(at, kTarBlock);
    const std::optional<std::uint64_t> size = TarNumber(header, kTarSize, kTarSizeLength);
    if (!IsTarHeader(header) || !size || at + kTarBlock + *size > kMostPeeked)
      return {State::kNever, {}};
    at += kTarBlock;
    const char type = header[kTarType];
    if ((type == '0' || type == '\0') && WithoutDot(TarPath(header)) == wanted) {
      if (at + *size > archive.size()) break;
      return {State::kFound, archive.substr(at, *size)};
    }
    at += (*size + kTarBlock - 1) / kTarBlock * kTarBlock;
  }
  return {archive.size() < kMostPeeked ? State::kNeedMore : State::kNever, {}};
}

std::vector<std::string> BaseImages(
    std::string_view dockerfile,
    const std::vector<std::pair<std::string, std::string>>& arguments) {
  ArgumentValues values;
  std::set<std::string, std::less<>> stages;
  std::vector<std::string> images;
  bool seen_from = false;  // arguments behind it are a stage's own
  for (const std::string_view line : Split(dockerfile, '\n')) {
    const std::vector<std::string_view> words = Words(line);
    if (words.size() < 2) continue;
    if (EqualsIgnoreCase(words[0], "ARG") && !seen_from) {
      const std::size_t equal = words[1].find('=');
      const std::string_view name = words[1].substr(0, equal);
      if (equal != std::string_view::npos)
        values[std::string(name)] = Unquoted(words[1].substr(equal + 1));
      for (const auto& argument : arguments) {
        if (argument.first == name) values[std::string(name)] = argument.second;
      }
    }
    if (!EqualsIgnoreCase(words[0], "FROM")) continue;
    seen_from = true;
    const auto image = std::find_if(words.begin() + 1, words.end(),
                                    [](std::string_view word) { return !word.starts_with("--"); });
    if (image == words.end()) continue;
    const std::optional<std::string> named = WithValues(*image, values);
    const bool is_stage = stages.contains(ToLower(*image));
    if (words.end() - image == 3 && EqualsIgnoreCase(image[1], "AS"))
      stages.insert(ToLower(image[2]));
    if (!named || named->empty() || *named == "scratch" || is_stage) continue;
    if (images.size() < kMostBaseImages &&
        std::find(images.begin(), images.end(), *named) == images.end())
      images.push_back(*named);
  }
  return images;
}

}  // namespace swarm
