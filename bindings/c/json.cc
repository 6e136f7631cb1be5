#include "bindings/c/json.h"

#include <cstdint>
#include <cstdio>

namespace swarm::c {
namespace {

bool IsBlank(char letter) {
  return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
}

// Reads a JSON text once from left to right.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // The next character that is no blank, or 0 at the end; it stays.
  char Peek() {
    while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool Take(char wanted) {
    if (Peek() != wanted) return false;
    ++at_;
    return true;
  }

  std::optional<std::string> String() {
    if (!Take('"')) return std::nullopt;
    std::string value;
    while (at_ < text_.size()) {
      const char letter = text_[at_++];
      if (letter == '"') return value;
      if (letter != '\\') {
        value += letter;
      } else if (!Escape(value)) {
        return std::nullopt;
      }
    }
    return std::nullopt;
  }

  // Passes over one value of any kind, however deep.
  bool Skip() {
    std::size_t depth = 0;
    do {
      const char letter = Peek();
      if (letter == '\0') return false;
      if (letter == '"') {
        if (!String()) return false;
      } else if (letter == '{' || letter == '[') {
        ++depth;
        ++at_;
      } else if (letter == '}' || letter == ']') {
        if (depth == 0) return false;
        --depth;
        ++at_;
      } else if (letter == ',' || letter == ':') {
        if (depth == 0) return false;
        ++at_;
      } else {
        Word();
      }
    } while (depth > 0);
    return true;
  }

 private:
  void Word() {
    constexpr std::string_view kEnds = ",:{}[]\" \t\n\r";
    while (at_ < text_.size() && kEnds.find(text_[at_]) == std::string_view::npos) ++at_;
  }

  std::optional<std::uint32_t> FourDigits() {
    if (text_.size() - at_ < 4) return std::nullopt;
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const char digit = text_[at_++];
      value <<= 4U;
      if (digit >= '0' && digit <= '9') {
        value += static_cast<std::uint32_t>(digit - '0');
      } else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f') {
        value += static_cast<std::uint32_t>((digit | 0x20) - 'a') + 10;
      } else {
        return std::nullopt;
      }
    }
    return value;
  }

  bool Escape(std::string& to) {
    if (at_ >= text_.size()) return false;
    const char letter = text_[at_++];
    switch (letter) {
      case 'b': to += '\b'; return true;
      case 'f': to += '\f'; return true;
      case 'n': to += '\n'; return true;
      case 'r': to += '\r'; return true;
      case 't': to += '\t'; return true;
      case 'u': break;
      default: to += letter; return true;
    }
    const std::optional<std::uint32_t> unit = FourDigits();
    if (!unit) return false;
    std::uint32_t point = *unit;
    if (point >= 0xd800 && point < 0xdc00 && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      const std::optional<std::uint32_t> low = FourDigits();
      if (!low || *low < 0xdc00 || *low > 0xdfff) return false;
      point = 0x10000 + ((point - 0xd800) << 10U) + (*low - 0xdc00);
    }
    AppendUtf8(to, point);
    return true;
  }

  static void AppendUtf8(std::string& to, std::uint32_t point) {
    const auto byte = [&to](std::uint32_t value) { to += static_cast<char>(value); };
    if (point < 0x80) {
      byte(point);
    } else if (point < 0x800) {
      byte(0xc0 | point >> 6U);
      byte(0x80 | (point & 0x3fU));
    } else if (point < 0x10000) {
      byte(0xe0 | point >> 12U);
      byte(0x80 | (point >> 6U & 0x3fU));
      byte(0x80 | (point & 0x3fU));
    } else {
      byte(0xf0 | point >> 18U);
      byte(0x80 | (point >> 12U & 0x3fU));
      byte(0x80 | (point >> 6U & 0x3fU));
      byte(0x80 | (point & 0x3fU));
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string Quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      quoted += '\\';
      quoted += letter;
    } else if (byte < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      quoted += escape;
    } else {
      quoted += letter;
    }
  }
  return quoted += '"';
}

std::optional<std::string> StringMember(std::string_view json, std::string_view key) {
  Scanner scanner(json);
  if (!scanner.Take('{')) return std::nullopt;
  do {
    const std::optional<std::string> name = scanner.String();
    if (!name || !scanner.Take(':')) return std::nullopt;
    if (*name == key) return scanner.String();
    if (!scanner.Skip()) return std::nullopt;
  } while (scanner.Take(','));
  return std::nullopt;
}

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kPlain = "-_.~";
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool is_alphanumeric = (letter >= '0' && letter <= '9') ||
                                 ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'z' && byte < 0x80);
    if (is_alphanumeric || kPlain.find(letter) != std::string_view::npos) {
      encoded += letter;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4U];
      encoded += kDigits[byte & 0xfU];
    }
  }
  return encoded;
}

}  // namespace swarm::c
