// The two start lines, and what the fields mean for each kind of message.

#include "net/http_head.h"
#include "net/http_scan.h"

namespace swarm::net {
namespace {
constexpr int kHttp10 = 10;
constexpr int kHttp11 = 11;
}  // namespace

void RequestHeadParser::Reset() {
  is_request_ = true;
  Clear(&head_);
  head_.method = head_.target = head_.host = {};
}

HeadResult RequestHeadParser::Parse(std::string_view buffer) {
  if (result_.state != HeadState::kNeedMore) return result_;
  if (!start_line_taken_ && !TakeRequestLine(buffer)) return result_;
  if (!TakeFields(buffer, &head_)) return result_;
  if (host_field_ < 0 && head_.minor_version == 1) {
    Fail(400, "no Host header in HTTP/1.1");
    return result_;
  }
  if (!TakeFraming(&head_)) return result_;
  Finish(&head_);
  head_.method = buffer.substr(0, method_size_);
  head_.target = buffer.substr(target_begin_, target_size_);
  if (host_field_ >= 0) head_.host = head_.fields[static_cast<std::size_t>(host_field_)].value;
  // Nothing to hold back without a body, and HTTP/1.0 has no interim answers.
  head_.expect_continue =
      expect_ && head_.minor_version == 1 && head_.framing.kind != BodyKind::kNone;
  return result_;
}

bool RequestHeadParser::TakeRequestLine(std::string_view buffer) {
  const Line line = NextLine(buffer, 414);
  const char* const method_bound =
      line.end - line.begin > static_cast<std::ptrdiff_t>(kMaxMethodBytes)
          ? line.begin + kMaxMethodBytes + 1
          : line.end;
  const char* const method_end = SkipClass(line.begin, method_bound, kTokenByte);
  method_size_ = static_cast<std::uint32_t>(method_end - line.begin);
  if (method_size_ > kMaxMethodBytes) return Fail(400, "method over 32 bytes");
  if (method_end == line.end) return Wait(line);
  if (*method_end != ' ' || method_size_ == 0) return Fail(400, "malformed request method");

  const char* const target_begin = method_end + 1;
  const char* const target_end = SkipTarget(target_begin, line.end);
  if (target_end == line.end) return Wait(line);
  if (*target_end == '\r' || *target_end == '\n') {
    return Fail(400, "request line without a version (HTTP/0.9)");
  }
  if (*target_end != ' ' || target_end == target_begin) {
    return Fail(400, "malformed request target");
  }
  const char* at = target_end + 1;
  if (!TakeVersion(line, &at)) return false;
  target_begin_ = static_cast<std::uint32_t>(target_begin - buffer.data());
  target_size_ = static_cast<std::uint32_t>(target_end - target_begin);
  if (!TakeLineEnd(line, at)) return false;
  if (version_ != kHttp11 && version_ != kHttp10) {
    return Fail(505, "HTTP version is neither 1.1 nor 1.0");
  }
  if (*target_begin != '/') return Fail(400, "request target does not start with '/'");
  head_.minor_version = version_ - kHttp10;
  start_line_taken_ = true;
  return true;
}

void ResponseHeadParser::Reset(Asked asked) {
  is_request_ = false;
  asked_ = asked;
  Clear(&head_);
  head_.status = 0;
  head_.reason = {};
}

HeadResult ResponseHeadParser::Parse(std::string_view buffer) {
  if (result_.state != HeadState::kNeedMore) return result_;
  if (!start_line_taken_ && !TakeStatusLine(buffer)) return result_;
  if (!TakeFields(buffer, &head_) || !TakeBody()) return result_;
  Finish(&head_);
  head_.reason = buffer.substr(reason_begin_, reason_size_);
  if (head_.framing.kind == BodyKind::kUntilClose) head_.keep_alive = false;
  return result_;
}

bool ResponseHeadParser::TakeStatusLine(std::string_view buffer) {
  const Line line = NextLine(buffer, 431);
  const char* at = line.begin;
  if (!TakeVersion(line, &at)) return false;
  if (at == line.end) return Wait(line);
  if (*at++ != ' ') return Fail(502, "malformed status line");
  int status = 0;
  for (int digit = 0; digit < 3; ++digit, ++at) {
    if (at == line.end) return Wait(line);
    if (!HasClass(*at, kDigitByte)) return Fail(502, "malformed status code");
    status = status * 10 + (*at - '0');
  }
  if (at == line.end) return Wait(line);
  const char* reason_begin = at;
  if (*at == ' ') at = SkipFieldValue(++reason_begin, line.end);
  if (!TakeLineEnd(line, at)) return false;
  if (version_ != kHttp11 && version_ != kHttp10) {
    return Fail(502, "HTTP version is neither 1.1 nor 1.0");
  }
  if (status < 100 || status > 599) return Fail(502, "status code outside 100-599");
  if (status == 101 && !asked_.upgrade) return Fail(502, "101 without having asked to upgrade");
  reason_begin_ = static_cast<std::uint32_t>(reason_begin - buffer.data());
  reason_size_ = static_cast<std::uint32_t>(at - reason_begin);
  head_.status = status;
  head_.minor_version = version_ - kHttp10;
  start_line_taken_ = true;
  return true;
}

bool ResponseHeadParser::TakeBody() {
  if (!TakeFraming(&head_)) return false;
  const bool framed = head_.framing.kind != BodyKind::kNone;
  if (head_.status < 200 || head_.status == 204) {
    if (framed) return Fail(502, "a 1xx or 204 answer that announces a body");
    return true;
  }
  if (asked_.head_method || head_.status == 304) {
    head_.framing = {};
    return true;
  }
  if (!framed && !head_.content_length) head_.framing.kind = BodyKind::kUntilClose;
  return true;
}

}  // namespace swarm::net
