#include "base/json_text.h"

namespace swarm {

void AppendJsonString(std::string& to, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  to.push_back('"');
  for (const char letter : text) {
    switch (letter) {
      case '"': to.append("\\\""); break;
      case '\\': to.append("\\\\"); break;
      case '\n': to.append("\\n"); break;
      case '\r': to.append("\\r"); break;
      case '\t': to.append("\\t"); break;
      default: {
        const auto byte = static_cast<unsigned char>(letter);
        if (byte < 0x20 || byte == 0x7f) {
          to.append("\\u00");
          to.push_back(kDigits[byte >> 4U]);
          to.push_back(kDigits[byte & 15U]);
        } else {
          to.push_back(letter);
        }
      }
    }
  }
  to.push_back('"');
}

}  // namespace swarm
