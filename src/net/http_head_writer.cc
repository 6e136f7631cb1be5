#include "net/http_head_writer.h"

#include <charconv>

#include "base/check.h"
#include "net/http_scan.h"

namespace swarm::net {
namespace {

bool AllOf(std::string_view text, ByteClass wanted) {
  const char* const end = text.data() + text.size();
  return SkipClass(text.data(), end, wanted) == end;
}

template <typename Text>
void AppendDecimal(Text* out, std::uint64_t number) {
  char digits[20];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, number);
  out->append(digits, static_cast<std::size_t>(end.ptr - digits));
}

}  // namespace

template <typename Text>
void AppendRequestLine(Text* out, std::string_view method, std::string_view target) {
  // A split start line is a smuggled request: a bug of the caller, never bad input.
  SWARM_CHECK(!method.empty() && AllOf(method, kTokenByte), "the method is a token");
  const char* const target_end = target.data() + target.size();
  SWARM_CHECK(!target.empty() && SkipTarget(target.data(), target_end) == target_end,
              "the target is visible ASCII");
  out->append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
}

void AppendStatusLine(std::string* out, int status, std::string_view reason) {
  SWARM_CHECK(status >= 100 && status <= 599 && AllOf(reason, kFieldValueByte),
              "the status line holds a status and plain text");
  out->append("HTTP/1.1 ");
  AppendDecimal(out, static_cast<std::uint64_t>(status));
  out->append(" ").append(reason).append("\r\n");
}

template <typename Text>
bool AppendField(Text* out, std::string_view name, std::string_view value) {
  const char* const value_end = value.data() + value.size();
  if (name.empty() || !AllOf(name, kTokenByte) ||
      SkipFieldValue(value.data(), value_end) != value_end) {
    return false;
  }
  out->append(name).append(": ").append(value).append("\r\n");
  return true;
}

void AppendFraming(std::string* out, const Framing& framing) {
  if (framing.kind == BodyKind::kLength) AppendContentLength(out, framing.length);
  if (framing.kind == BodyKind::kChunked) out->append("Transfer-Encoding: chunked\r\n");
}

template <typename Text>
void AppendContentLength(Text* out, std::uint64_t length) {
  out->append("Content-Length: ");
  AppendDecimal(out, length);
  out->append("\r\n");
}

template void AppendRequestLine(std::string*, std::string_view, std::string_view);
template void AppendRequestLine(WipedString*, std::string_view, std::string_view);
template bool AppendField(std::string*, std::string_view, std::string_view);
template bool AppendField(WipedString*, std::string_view, std::string_view);
template void AppendContentLength(std::string*, std::uint64_t);
template void AppendContentLength(WipedString*, std::uint64_t);

}  // namespace swarm::net
