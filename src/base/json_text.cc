#include "base/json_text.h"

#include <algorithm>

namespace swarm {
namespace {

bool IsEscaped(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\';
}

}  // namespace

void AppendJsonString(std::string& to, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  to.push_back('"');
  while (!text.empty()) {
    const char* const stop = std::find_if(text.data(), text.data() + text.size(), IsEscaped);
    const auto plain = static_cast<std::size_t>(stop - text.data());
    to.append(text.data(), plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const char letter = text.front();
    text.remove_prefix(1);
    switch (letter) {
      case '"': to.append("\\\""); break;
      case '\\': to.append("\\\\"); break;
      case '\n': to.append("\\n"); break;
      case '\r': to.append("\\r"); break;
      case '\t': to.append("\\t"); break;
      default: {
        const auto byte = static_cast<unsigned char>(letter);
        to.append("\\u00");
        to.push_back(kDigits[byte >> 4U]);
        to.push_back(kDigits[byte & 15U]);
      }
    }
  }
  to.push_back('"');
}

}  // namespace swarm
