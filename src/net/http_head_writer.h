#pragma once

// Writes HTTP/1.1 heads from parsed ones: nothing is forwarded as received. Start line and framing
// are always written anew; end-to-end fields are copied. Pure; all functions append to `out`,
// which the caller reuses so that a warm connection does not allocate. Text is std::string, or
// WipedString for requests, which may hold credentials.

#include <cstdint>
#include <string>
#include <string_view>

#include "net/http_head.h"
#include "swarmlib/wiped.h"

namespace swarm::net {

// "METHOD target HTTP/1.1\r\n". `method` must be a token and `target` visible ASCII; a caller that
// breaks this aborts.
template <typename Text>
void AppendRequestLine(Text* out, std::string_view method, std::string_view target);

// "HTTP/1.1 status reason\r\n". `reason` must hold no control bytes.
void AppendStatusLine(std::string* out, int status, std::string_view reason);

// "name: value\r\n". True if written; false, with nothing written, if `name` is no token or
// `value` holds a control byte. So text from elsewhere cannot start a new line. The only way to
// write a field whose name or value is no literal.
template <typename Text>
bool AppendField(Text* out, std::string_view name, std::string_view value);

// Field lines made once and written into many heads.
class FieldLines {
 public:
  void Clear() { text_.clear(); }
  // AppendField.
  bool Add(std::string_view name, std::string_view value) {
    return AppendField(&text_, name, value);
  }
  std::string_view text() const { return text_; }

 private:
  std::string text_;
};

// Content-Length or Transfer-Encoding for a body; nothing for kNone and kUntilClose.
void AppendFraming(std::string* out, const Framing& framing);

// "Content-Length: length\r\n", also for 0 (an empty POST body, an empty answer, HEAD).
template <typename Text>
void AppendContentLength(Text* out, std::uint64_t length);

// The empty line.
template <typename Text>
void AppendHeadEnd(Text* out) {
  out->append("\r\n");
}

}  // namespace swarm::net
