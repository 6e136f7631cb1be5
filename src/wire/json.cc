#include "wire/json.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/json_text.h"
#include "base/text.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

unsigned HexOf(std::string_view four) {
  unsigned value = 0;
  std::from_chars(four.data(), four.data() + four.size(), value, 16);
  return value;
}

void AppendUtf8(std::string& to, unsigned code) {
  if (code < 0x80) {
    to.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    to.push_back(static_cast<char>(0xc0U | (code >> 6U)));
    to.push_back(static_cast<char>(0x80U | (code & 0x3fU)));
  } else if (code < 0x10000) {
    to.push_back(static_cast<char>(0xe0U | (code >> 12U)));
    to.push_back(static_cast<char>(0x80U | ((code >> 6U) & 0x3fU)));
    to.push_back(static_cast<char>(0x80U | (code & 0x3fU)));
  } else {
    to.push_back(static_cast<char>(0xf0U | (code >> 18U)));
    to.push_back(static_cast<char>(0x80U | ((code >> 12U) & 0x3fU)));
    to.push_back(static_cast<char>(0x80U | ((code >> 6U) & 0x3fU)));
    to.push_back(static_cast<char>(0x80U | (code & 0x3fU)));
  }
}

// `at` stands on the "u" of an escape and is left on its last digit. Halves of a pair that stand
// alone become U+FFFD, as in Go.
void AppendUnicodeEscape(std::string& to, std::string_view inner, std::size_t& at) {
  unsigned code = HexOf(inner.substr(at + 1, 4));
  at += 4;
  if (code >= 0xd800 && code < 0xdc00 && inner.substr(at + 1, 2) == "\\u") {
    const unsigned low = HexOf(inner.substr(at + 3, 4));
    if (low >= 0xdc00 && low < 0xe000) {
      code = 0x10000 + ((code - 0xd800) << 10U) + (low - 0xdc00);
      at += 6;
    }
  }
  if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
  AppendUtf8(to, code);
}

std::string Unescape(std::string_view inner) {
  std::string text;
  text.reserve(inner.size());
  for (std::size_t at = 0; at < inner.size(); ++at) {
    if (inner[at] != '\\') {
      text.push_back(inner[at]);
      continue;
    }
    switch (inner[++at]) {
      case 'b': text.push_back('\b'); break;
      case 'f': text.push_back('\f'); break;
      case 'n': text.push_back('\n'); break;
      case 'r': text.push_back('\r'); break;
      case 't': text.push_back('\t'); break;
      case 'u': AppendUnicodeEscape(text, inner, at); break;
      default: text.push_back(inner[at]);
    }
  }
  return text;
}

// A byte of a text may be written with six ("\\u0061"). What is longer is not looked at again for
// each text that it is compared with.
bool IsTooLongFor(std::string_view written, std::string_view text) {
  constexpr std::size_t kMaxBytesWritten = 6;
  return written.size() > kMaxBytesWritten * text.size();
}

bool IsAscii(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char letter) { return static_cast<unsigned char>(letter) >= 0x80; });
}

}  // namespace

std::string FoldJsonKey(std::string_view key) {
  std::string folded;
  folded.reserve(key.size());
  for (std::size_t at = 0; at < key.size(); ++at) {
    if (key.substr(at, 2) == "\xc5\xbf") {  // U+017F
      folded.push_back('s');
      at += 1;
    } else if (key.substr(at, 3) == "\xe2\x84\xaa") {  // U+212A
      folded.push_back('k');
      at += 2;
    } else {
      const char letter = key[at];
      folded.push_back(letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter);
    }
  }
  return folded;
}

JsonValue JsonDocument::root() const {
  SWARM_CHECK(!entries_.empty(), "a document is parsed before it is read");
  return JsonValue(this, 0);
}

std::string JsonValue::text() const {
  if (!is(Kind::kString)) return {};
  const std::string_view inner = raw().substr(1, raw().size() - 2);
  if (inner.find('\\') == std::string_view::npos) return std::string(inner);
  return Unescape(inner);
}

bool JsonValue::Equals(std::string_view text) const {
  if (!is(Kind::kString)) return false;
  const std::string_view inner = raw().substr(1, raw().size() - 2);
  if (inner.size() < text.size() || IsTooLongFor(inner, text)) return false;
  if (inner == text) return inner.find('\\') == std::string_view::npos;
  return inner.find('\\') != std::string_view::npos && Unescape(inner) == text;
}

std::optional<std::int64_t> JsonValue::integer() const {
  if (!is(Kind::kNumber)) return std::nullopt;
  const std::string_view digits = raw();
  std::int64_t value = 0;
  const auto [stopped, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || stopped != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::vector<JsonValue> JsonValue::elements() const {
  std::vector<JsonValue> list;
  ForEachElement([&list](JsonValue value) { list.push_back(value); });
  return list;
}

std::vector<std::pair<JsonValue, JsonValue>> JsonValue::members() const {
  std::vector<std::pair<JsonValue, JsonValue>> list;
  ForEachMember([&list](JsonValue key, JsonValue value) { list.emplace_back(key, value); });
  return list;
}

JsonValue JsonValue::Find(std::string_view key) const {
  JsonValue found;
  ForEachMember([&found, key](JsonValue name, JsonValue value) {
    if (name.Equals(key)) found = value;
  });
  return found;
}

std::string_view JsonKindName(JsonDocument::Kind kind) {
  switch (kind) {
    case JsonDocument::Kind::kNull: return "null";
    case JsonDocument::Kind::kFalse:
    case JsonDocument::Kind::kTrue: return "a boolean";
    case JsonDocument::Kind::kNumber: return "a number";
    case JsonDocument::Kind::kString: return "a string";
    case JsonDocument::Kind::kArray: return "an array";
    case JsonDocument::Kind::kObject: return "an object";
  }
  return "a value";
}

bool SameJsonKey(std::string_view left, std::string_view right) {
  if (EqualsIgnoreCase(left, right)) return true;
  if (IsAscii(left) && IsAscii(right)) return false;
  return FoldJsonKey(left) == FoldJsonKey(right);
}

absl::StatusOr<JsonValue> FindField(JsonValue object, std::string_view key) {
  JsonValue found;
  int count = 0;
  object.ForEachMember([&](JsonValue name, JsonValue value) {
    const std::string_view inner = name.raw().substr(1, name.raw().size() - 2);
    if (inner.size() < key.size() || IsTooLongFor(inner, key)) return;
    const bool is_plain = inner.find('\\') == std::string_view::npos;
    if (!(is_plain ? SameJsonKey(inner, key) : SameJsonKey(name.text(), key))) return;
    found = value;
    ++count;
  });
  if (count > 1) {
    return InvalidArgument("invalid JSON: the field \"" + std::string(key) +
                           "\" is there more than once (upper and lower case do not differ)");
  }
  return found;
}

void TextEdits::AddMember(JsonValue object, std::string member) {
  const std::size_t place = object.end() - 1;
  bool has_members = false;
  object.ForEachMember([&has_members](JsonValue, JsonValue) { has_members = true; });
  for (const Edit& edit : edits_) {
    if (edit.begin == place && edit.end == place) has_members = true;
  }
  if (has_members) member.insert(0, 1, ',');
  edits_.push_back({place, place, std::move(member)});
}

std::string TextEdits::Apply(std::string_view text, std::size_t begin, std::size_t end) {
  std::string edited;
  Apply(text, begin, end, edited);
  return edited;
}

void TextEdits::Apply(std::string_view text, std::size_t begin, std::size_t end, std::string& to) {
  std::stable_sort(edits_.begin(), edits_.end(),
                   [](const Edit& left, const Edit& right) { return left.begin < right.begin; });
  // Exact: list rows are kept, and by the hundred thousand.
  std::size_t size = end - begin;
  for (const Edit& edit : edits_) {
    if (edit.begin >= begin && edit.end <= end) size += edit.by.size() - (edit.end - edit.begin);
  }
  to.reserve(to.size() + size);
  std::size_t at = begin;
  for (const Edit& edit : edits_) {
    if (edit.begin < at || edit.end > end) continue;
    to.append(text.substr(at, edit.begin - at)).append(edit.by);
    at = edit.end;
  }
  to.append(text.substr(at, end - at));
}

void AppendJsonKey(std::string& to, std::string_view key) {
  if (!to.empty() && to.back() != '{' && to.back() != ',') to.push_back(',');
  AppendJsonString(to, key);
  to.push_back(':');
}

void AppendJsonField(std::string& to, std::string_view key, std::string_view value) {
  AppendJsonKey(to, key);
  AppendJsonString(to, value);
}

void AppendJsonField(std::string& to, std::string_view key, const char* value) {
  AppendJsonField(to, key, std::string_view(value));
}

void AppendJsonField(std::string& to, std::string_view key, std::int64_t value) {
  AppendJsonKey(to, key);
  to.append(std::to_string(value));
}

void AppendJsonField(std::string& to, std::string_view key, int value) {
  AppendJsonField(to, key, static_cast<std::int64_t>(value));
}

void AppendJsonField(std::string& to, std::string_view key, bool value) {
  AppendJsonKey(to, key);
  to.append(value ? "true" : "false");
}

void AppendJsonStrings(std::string& to, const std::vector<std::string>& values) {
  to.push_back('[');
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) to.push_back(',');
    AppendJsonString(to, values[i]);
  }
  to.push_back(']');
}

std::string JsonString(std::string_view text) {
  std::string quoted;
  AppendJsonString(quoted, text);
  return quoted;
}

std::string ShortQuoted(std::string_view text) {
  constexpr std::size_t kMostBytes = 80;
  if (text.size() <= kMostBytes) return JsonString(text);
  return JsonString(text.substr(0, kMostBytes)) + "...";
}

}  // namespace swarm
