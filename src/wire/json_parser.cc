#include <bit>
#include <cstring>
#include <string>

#include "swarmlib/status.h"
#include "wire/json.h"

namespace swarm {
namespace {

// How many bytes from the begin on are neither a quote, a backslash nor a control character. Eight
// at a time: strings are most of what engines send. A false hit of the subtraction is always above
// a true one, and the lowest is taken.
std::size_t PlainBytes(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHighs = 0x8080808080808080U;
  constexpr bool kLowestFirst = std::endian::native == std::endian::little;
  std::size_t at = 0;
  while (kLowestFirst && at + 8 <= text.size()) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + at, 8);
    const std::uint64_t quote = eight ^ (kOnes * '"');
    const std::uint64_t slash = eight ^ (kOnes * '\\');
    const std::uint64_t hits = (((quote - kOnes) & ~quote) | ((slash - kOnes) & ~slash) |
                                ((eight - kOnes * 0x20) & ~eight)) &
                               kHighs;
    if (hits != 0) return at + static_cast<std::size_t>(std::countr_zero(hits)) / 8;
    at += 8;
  }
  for (; at < text.size(); ++at) {
    const char letter = text[at];
    if (letter == '"' || letter == '\\' || static_cast<unsigned char>(letter) < 0x20) break;
  }
  return at;
}

}  // namespace

// Walks the bytes once. Positions are kept in 32 bits; kMostJsonBytes keeps them there.
class JsonParser {
 public:
  JsonParser(JsonDocument& document, std::string_view text) : document_(document), text_(text) {}

  absl::StatusOr<std::size_t> Run(std::size_t offset) {
    at_ = offset;
    SkipBlanks();
    if (!Value(0)) return Failure();
    SkipBlanks();
    return at_;
  }

 private:
  using Kind = JsonDocument::Kind;

  absl::Status Failure() const {
    return InvalidArgument("invalid JSON: " + std::string(wrong_) + " at byte " +
                           std::to_string(at_));
  }

  bool Fail(const char* wrong) {
    wrong_ = wrong;
    return false;
  }

  bool AtEnd() const { return at_ >= text_.size(); }
  char Here() const { return AtEnd() ? '\0' : text_[at_]; }

  void SkipBlanks() {
    while (!AtEnd()) {
      const char letter = text_[at_];
      if (letter != ' ' && letter != '\n' && letter != '\r' && letter != '\t') return;
      ++at_;
    }
  }

  std::uint32_t Open(Kind kind) {
    const auto begin = static_cast<std::uint32_t>(at_);
    document_.entries_.push_back({begin, begin, 0, kind});
    return static_cast<std::uint32_t>(document_.entries_.size() - 1);
  }

  void Close(std::uint32_t index) {
    JsonDocument::Entry& entry = document_.entries_[index];
    entry.end = static_cast<std::uint32_t>(at_);
    entry.next = static_cast<std::uint32_t>(document_.entries_.size());
  }

  bool Value(int depth) {
    if (AtEnd()) return Fail("unexpected end");
    switch (text_[at_]) {
      case '{': return Object(depth);
      case '[': return Array(depth);
      case '"': return String();
      case 't': return Word("true", Kind::kTrue);
      case 'f': return Word("false", Kind::kFalse);
      case 'n': return Word("null", Kind::kNull);
      default: return Number();
    }
  }

  bool Word(std::string_view word, Kind kind) {
    if (text_.substr(at_, word.size()) != word) return Fail("unknown word");
    const std::uint32_t index = Open(kind);
    at_ += word.size();
    Close(index);
    return true;
  }

  bool Digits() {
    const std::size_t first = at_;
    while (!AtEnd() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ > first || Fail("a digit is missing");
  }

  bool Number() {
    const char first = Here();
    if (first != '-' && (first < '0' || first > '9')) return Fail("unexpected character");
    const std::uint32_t index = Open(Kind::kNumber);
    if (first == '-') ++at_;
    if (Here() == '0') {
      ++at_;
    } else if (!Digits()) {
      return false;
    }
    if (Here() == '.') {
      ++at_;
      if (!Digits()) return false;
    }
    if (Here() == 'e' || Here() == 'E') {
      ++at_;
      if (Here() == '+' || Here() == '-') ++at_;
      if (!Digits()) return false;
    }
    Close(index);
    return true;
  }

  bool Escape() {
    ++at_;
    switch (Here()) {
      case '"':
      case '\\':
      case '/':
      case 'b':
      case 'f':
      case 'n':
      case 'r':
      case 't': ++at_; return true;
      case 'u': break;
      default: return Fail("unknown escape");
    }
    ++at_;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char digit = Here();
      const bool is_hex = (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f') ||
                          (digit >= 'A' && digit <= 'F');
      if (!is_hex) return Fail("a hexadecimal digit is missing");
    }
    return true;
  }

  bool String() {
    const std::uint32_t index = Open(Kind::kString);
    ++at_;
    for (;;) {
      at_ += PlainBytes(text_.substr(at_));
      if (AtEnd()) return Fail("unexpected end of a string");
      const char letter = text_[at_];
      if (letter == '"') break;
      if (letter != '\\') return Fail("control character in a string");
      if (!Escape()) return false;
    }
    ++at_;
    Close(index);
    return true;
  }

  bool Array(int depth) {
    if (depth >= kMostJsonDepth) return Fail("nested too deeply (more than 64 levels)");
    const std::uint32_t index = Open(Kind::kArray);
    ++at_;
    SkipBlanks();
    if (Here() != ']') {
      for (;;) {
        if (!Value(depth + 1)) return false;
        SkipBlanks();
        if (Here() != ',') break;
        ++at_;
        SkipBlanks();
      }
      if (Here() != ']')
        return Fail(AtEnd() ? "unexpected end of an array" : "\",\" or \"]\" is missing");
    }
    ++at_;
    Close(index);
    return true;
  }

  bool Member(int depth) {
    if (Here() != '"') return Fail(AtEnd() ? "unexpected end of an object" : "a key is missing");
    if (!String()) return false;
    SkipBlanks();
    if (Here() != ':') return Fail("\":\" is missing");
    ++at_;
    SkipBlanks();
    return Value(depth + 1);
  }

  bool Object(int depth) {
    if (depth >= kMostJsonDepth) return Fail("nested too deeply (more than 64 levels)");
    const std::uint32_t index = Open(Kind::kObject);
    ++at_;
    SkipBlanks();
    if (Here() != '}') {
      for (;;) {
        if (!Member(depth)) return false;
        SkipBlanks();
        if (Here() != ',') break;
        ++at_;
        SkipBlanks();
      }
      if (Here() != '}')
        return Fail(AtEnd() ? "unexpected end of an object" : "\",\" or \"}\" is missing");
    }
    ++at_;
    Close(index);
    return true;
  }

  JsonDocument& document_;
  std::string_view text_;
  std::size_t at_ = 0;
  const char* wrong_ = "";
};

absl::StatusOr<std::size_t> JsonDocument::ParseAt(std::string_view text, std::size_t offset) {
  if (text.size() > kMostJsonBytes) return ResourceExhausted("JSON text of more than 256 MiB");
  text_ = text;
  entries_.clear();
  JsonParser parser(*this, text);
  return parser.Run(offset);
}

absl::Status JsonDocument::Parse(std::string_view text) {
  const absl::StatusOr<std::size_t> end = ParseAt(text, 0);
  if (!end.ok()) return end.status();
  if (*end != text.size()) {
    return InvalidArgument("invalid JSON: unexpected content after the value at byte " +
                           std::to_string(*end));
  }
  return absl::OkStatus();
}

}  // namespace swarm
