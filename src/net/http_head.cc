#include "net/http_head.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "net/http_scan.h"

namespace swarm::net {
namespace {

struct KnownField {
  std::string_view lower_name;
  FieldKind kind;
};

// In order of size: nearly every other field is told apart by its size alone.
constexpr KnownField kKnownFields[] = {
    {"te", FieldKind::kHopByHop},
    {"host", FieldKind::kHost},
    {"expect", FieldKind::kExpect},
    {"upgrade", FieldKind::kUpgrade},
    {"trailer", FieldKind::kHopByHop},
    {"connection", FieldKind::kConnection},
    {"keep-alive", FieldKind::kHopByHop},
    {"content-length", FieldKind::kContentLength},
    {"proxy-connection", FieldKind::kHopByHop},
    {"transfer-encoding", FieldKind::kTransferEncoding},
    {"proxy-authenticate", FieldKind::kHopByHop},
    {"proxy-authorization", FieldKind::kHopByHop},
};

constexpr std::size_t kMaxKnownName = 32;

// For each size of a name the known fields of that size, which stand side by side above.
struct KnownRange {
  std::uint8_t begin = 0;
  std::uint8_t end = 0;
};
constexpr std::array<KnownRange, kMaxKnownName> RangesBySize() {
  std::array<KnownRange, kMaxKnownName> ranges{};
  for (std::uint8_t i = 0; i < std::size(kKnownFields); ++i) {
    KnownRange& range = ranges[kKnownFields[i].lower_name.size()];
    if (range.end == 0) range.begin = i;
    range.end = static_cast<std::uint8_t>(i + 1);
  }
  return ranges;
}

FieldKind KindOf(std::string_view name) {
  static constexpr std::array<KnownRange, kMaxKnownName> kRanges = RangesBySize();
  if (name.size() >= kMaxKnownName) return FieldKind::kOther;
  const KnownRange range = kRanges[name.size()];
  for (std::size_t i = range.begin; i < range.end; ++i) {
    if (NameFoldsTo(name, kKnownFields[i].lower_name)) return kKnownFields[i].kind;
  }
  return FieldKind::kOther;
}

// Calls visit(option) for each element of a Connection value; false as soon as visit says so.
template <typename Visit>
bool ForEachOption(std::string_view value, Visit visit) {
  while (true) {
    const std::size_t comma = value.find(',');
    if (!visit(TrimBlanks(value.substr(0, comma)))) return false;
    if (comma == std::string_view::npos) return true;
    value.remove_prefix(comma + 1);
  }
}

bool IsToken(std::string_view text) {
  return !text.empty() &&
         SkipClass(text.data(), text.data() + text.size(), kTokenByte) == text.data() + text.size();
}

// Clients of unix sockets send paths and percent forms here, so only what could split or redirect
// a host is refused.
bool IsHost(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    return c > 0x20 && c < 0x7F && c != ',' && c != '@' && c != '?' && c != '#' && c != '\\';
  });
}

}  // namespace

Field HeadFields::operator[](std::size_t i) const {
  const Slot& slot = slots_[i];
  const char* name = base_ + slot.begin;
  return {.name = {name, slot.name_size},
          .value = {name + slot.value_offset, slot.value_size},
          .kind = slot.kind};
}

std::optional<std::string_view> HeadFields::Find(std::string_view lower_name) const {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].name_size != lower_name.size()) continue;
    const Field field = (*this)[i];
    if (EqualsIgnoringCase(field.name, lower_name)) return field.value;
  }
  return std::nullopt;
}

bool HeadFields::NamedInConnection(std::string_view name) const {
  if (!names_in_connection_) return false;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].kind != FieldKind::kConnection) continue;
    const bool absent = ForEachOption((*this)[i].value, [name](std::string_view option) {
      return !(option.size() == name.size() &&
               std::equal(option.begin(), option.end(), name.begin(), [](char a, char b) {
                 return internal::kNameFold[static_cast<unsigned char>(a)] ==
                        internal::kNameFold[static_cast<unsigned char>(b)];
               }));
    });
    if (!absent) return true;
  }
  return false;
}

HeadParser::Line HeadParser::NextLine(std::string_view buffer, int status_at_bound) const {
  constexpr std::size_t kLineEnd = 2;
  const std::size_t bound = std::min(offset_ + kMaxHeadLineBytes + kLineEnd, kMaxHeadBytes);
  const std::size_t end = std::min(bound, buffer.size());
  return {.begin = buffer.data() + offset_,
          .end = buffer.data() + end,
          .status_at_bound = end == bound ? status_at_bound : 0};
}

bool HeadParser::Fail(int status, std::string_view reason) {
  result_ = {.state = HeadState::kError,
             .size = 0,
             .status = is_request_ ? status : 502,
             .reason = reason};
  return false;
}

bool HeadParser::Wait(const Line& line) {
  if (line.status_at_bound == 414) {
    return Fail(414, "request line over 16 KiB; shorten the request target");
  }
  if (line.status_at_bound != 0) {
    return Fail(line.status_at_bound, "header line over 16 KiB or head over 72 KiB; send less");
  }
  result_ = {};
  return false;
}

bool HeadParser::TakeLineEnd(const Line& line, const char* at) {
  if (at == line.end) return Wait(line);
  if (*at == '\n') return Fail(400, "line ends in a bare LF; end lines with CRLF");
  if (*at != '\r') return Fail(400, "control or unexpected byte in the head");
  if (at + 1 == line.end) return Wait(line);
  if (at[1] != '\n') return Fail(400, "CR without LF in the head; end lines with CRLF");
  offset_ += static_cast<std::size_t>(at + 2 - line.begin);
  return true;
}

bool HeadParser::TakeVersion(const Line& line, const char** at) {
  for (const char wanted : std::string_view("HTTP/")) {
    if (*at == line.end) return Wait(line);
    if (**at != wanted) return Fail(400, "no HTTP version where one belongs; use HTTP/1.1");
    ++*at;
  }
  int digits[2] = {};
  for (int i = 0; i < 2; ++i) {
    if (*at == line.end) return Wait(line);
    if (!HasClass(**at, kDigitByte)) return Fail(400, "malformed HTTP version; use HTTP/1.1");
    digits[i] = **at - '0';
    ++*at;
    if (i == 1) break;
    if (*at == line.end) return Wait(line);
    if (**at != '.') return Fail(400, "malformed HTTP version; use HTTP/1.1");
    ++*at;
  }
  version_ = digits[0] * 10 + digits[1];
  return true;
}

bool HeadParser::TakeFields(std::string_view buffer, Head* head) {
  head->fields.base_ = buffer.data();
  while (true) {
    const Line line = NextLine(buffer, 431);
    if (line.begin == line.end) return Wait(line);
    if (*line.begin == '\r' || *line.begin == '\n') {
      if (!TakeLineEnd(line, line.begin)) return false;
      return true;
    }
    if (!TakeField(line, buffer, head)) return false;
  }
}

bool HeadParser::TakeField(const Line& line, std::string_view buffer, Head* head) {
  const char* const name_end = SkipClass(line.begin, line.end, kTokenByte);
  if (name_end == line.end) return Wait(line);
  if (*name_end != ':' || name_end == line.begin) {
    const bool blank = *name_end == ' ' || *name_end == '\t';
    if (blank && name_end == line.begin) return Fail(400, "folded or indented header line");
    if (blank) return Fail(400, "blank between header name and colon");
    return Fail(400, "header name is empty or no token");
  }
  const char* const value_end = SkipFieldValue(name_end + 1, line.end);
  const std::size_t begin = offset_;
  if (!TakeLineEnd(line, value_end)) return false;
  if (head->fields.size() == kMaxHeadFields) return Fail(431, "more than 2048 header fields");

  const char* const value_begin = name_end + 1;
  const std::string_view value =
      TrimBlanks({value_begin, static_cast<std::size_t>(value_end - value_begin)});
  const std::string_view name(line.begin, static_cast<std::size_t>(name_end - line.begin));
  const FieldKind kind = KindOf(name);
  head->fields.slots_.push_back(
      {.begin = static_cast<std::uint32_t>(begin),
       .name_size = static_cast<std::uint16_t>(name.size()),
       .value_offset = static_cast<std::uint16_t>(value.data() - (buffer.data() + begin)),
       .value_size = static_cast<std::uint16_t>(value.size()),
       .kind = kind});
  return kind == FieldKind::kOther ||
         TakeMeaning({.name = name, .value = value, .kind = kind}, head);
}

bool HeadParser::TakeMeaning(const Field& field, Head* head) {
  if (field.name.find('_') != std::string_view::npos) {
    return Fail(400, "underscore spelling of a framing or connection header");
  }
  const int index = static_cast<int>(head->fields.size()) - 1;
  switch (field.kind) {
    case FieldKind::kHost:
      if (!is_request_) return true;
      if (host_field_ >= 0) return Fail(400, "more than one Host header");
      if (!IsHost(field.value)) return Fail(400, "malformed Host header");
      host_field_ = index;
      return true;
    case FieldKind::kContentLength: return TakeContentLength(field.value, head);
    case FieldKind::kTransferEncoding:
      if (chunked_) return Fail(400, "more than one Transfer-Encoding header");
      if (!EqualsIgnoringCase(field.value, "chunked")) {
        return Fail(400, "Transfer-Encoding is not exactly \"chunked\"");
      }
      chunked_ = true;
      return true;
    case FieldKind::kConnection: return TakeConnection(field.value, head);
    case FieldKind::kExpect:
      if (!is_request_) return true;
      if (expect_ || !EqualsIgnoringCase(field.value, "100-continue")) {
        return Fail(417, "Expect is not exactly \"100-continue\"");
      }
      expect_ = true;
      return true;
    case FieldKind::kUpgrade:
      if (upgrade_field_ >= 0) return Fail(400, "more than one Upgrade header");
      upgrade_field_ = index;
      return true;
    case FieldKind::kOther:
    case FieldKind::kHopByHop: return true;
  }
  return true;
}

bool HeadParser::TakeContentLength(std::string_view value, Head* head) {
  constexpr std::size_t kMaxDigits = 19;
  if (head->content_length) return Fail(400, "more than one Content-Length header");
  if (value.empty() || value.size() > kMaxDigits) {
    return Fail(400, "Content-Length is empty or too large");
  }
  std::uint64_t length = 0;
  for (const char c : value) {
    if (!HasClass(c, kDigitByte)) return Fail(400, "Content-Length is no plain decimal number");
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (length > kMaxContentLength) return Fail(400, "Content-Length is empty or too large");
  head->content_length = length;
  return true;
}

bool HeadParser::TakeConnection(std::string_view value, Head* head) {
  return ForEachOption(value, [this, head](std::string_view option) {
    if (option.empty()) return true;  // RFC 9110 §5.6.1: empty list elements mean nothing
    if (++connection_options_ > kMaxConnectionOptions) {
      return Fail(400, "more than 16 Connection options");
    }
    if (!IsToken(option)) return Fail(400, "Connection option is no token");
    if (EqualsIgnoringCase(option, "close")) {
      close_ = true;
    } else if (EqualsIgnoringCase(option, "keep-alive")) {
      keep_alive_ = true;
    } else if (EqualsIgnoringCase(option, "upgrade")) {
      connection_upgrade_ = true;
    } else {
      const FieldKind kind = KindOf(option);
      if (kind != FieldKind::kOther && kind != FieldKind::kHopByHop) {
        return Fail(400, "Connection names a framing header");
      }
      head->fields.names_in_connection_ = true;
    }
    return true;
  });
}

bool HeadParser::TakeFraming(Head* head) {
  if (chunked_ && head->content_length) {
    return Fail(400, "both Content-Length and Transfer-Encoding; send one");
  }
  if (chunked_ && head->minor_version == 0) return Fail(400, "Transfer-Encoding in HTTP/1.0");
  if (chunked_) {
    head->framing.kind = BodyKind::kChunked;
  } else if (head->content_length.value_or(0) > 0) {
    head->framing = {.kind = BodyKind::kLength, .length = *head->content_length};
  }
  return true;
}

void HeadParser::Finish(Head* head) {
  head->keep_alive = !close_ && (head->minor_version == 1 || keep_alive_);
  if (connection_upgrade_ && upgrade_field_ >= 0 && head->minor_version == 1) {
    head->upgrade = head->fields[static_cast<std::size_t>(upgrade_field_)].value;
  }
  result_ = {.state = HeadState::kDone, .size = offset_, .status = 0, .reason = {}};
}

void HeadParser::Clear(Head* head) {
  start_line_taken_ = chunked_ = expect_ = false;
  close_ = keep_alive_ = connection_upgrade_ = false;
  version_ = 0;
  offset_ = connection_options_ = 0;
  host_field_ = upgrade_field_ = -1;
  result_ = {};
  head->minor_version = 1;
  head->framing = {};
  head->keep_alive = head->expect_continue = false;
  head->upgrade = {};
  head->content_length.reset();
  head->fields.base_ = nullptr;
  head->fields.names_in_connection_ = false;
  head->fields.slots_.clear();
}

}  // namespace swarm::net
