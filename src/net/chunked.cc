#include "net/chunked.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "net/http_scan.h"

namespace swarm::net {
namespace {

// -1 if `c` is no hexadecimal digit.
int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkedDecoder::Step ChunkedDecoder::Next(std::string_view input) {
  std::size_t at = 0;
  while (place_ != Place::kDone && place_ != Place::kError) {
    if (at == input.size()) return {.state = State::kNeedMore, .consumed = at};
    if (place_ == Place::kData) {
      const std::size_t size =
          static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - at));
      left_ -= size;
      if (left_ == 0) place_ = Place::kDataCr;
      return {.state = State::kData, .consumed = at + size, .data = input.substr(at, size)};
    }
    if (const char* reason = Take(input[at]); reason != nullptr) {
      place_ = Place::kError;
      reason_ = reason;
      break;
    }
    ++at;
  }
  if (place_ == Place::kDone) return {.state = State::kDone, .consumed = at};
  return {.state = State::kError, .consumed = at, .data = {}, .reason = reason_};
}

const char* ChunkedDecoder::Take(char c) {
  switch (place_) {
    case Place::kSizeStart:
    case Place::kSize:
    case Place::kExtension: return TakeSize(c);
    case Place::kSizeLf:
      if (c != '\n') return "CR without LF behind a chunk size";
      place_ = left_ > 0 ? Place::kData : Place::kTrailerStart;
      return nullptr;
    case Place::kDataCr:
      if (c != '\r') return "chunk is longer than its size says";
      place_ = Place::kDataLf;
      return nullptr;
    case Place::kDataLf:
      if (c != '\n') return "CR without LF behind a chunk";
      place_ = Place::kSizeStart;
      return nullptr;
    case Place::kTrailerStart:
    case Place::kTrailerName:
    case Place::kTrailerValue:
    case Place::kTrailerLf: return TakeTrailer(c);
    case Place::kLastLf:
      if (c != '\n') return "CR without LF at the end of a chunked body";
      place_ = Place::kDone;
      return nullptr;
    case Place::kData:
    case Place::kDone:
    case Place::kError: break;
  }
  return "chunked body read past its end";
}

const char* ChunkedDecoder::TakeSize(char c) {
  if (place_ == Place::kExtension) {
    if (c == '\r') {
      place_ = Place::kSizeLf;
      return nullptr;
    }
    if (!HasClass(c, kFieldValueByte)) return "control byte in a chunk extension";
    if (++extension_bytes_ > kMaxChunkExtensionBytes) return "chunk extension over 256 bytes";
    if (++body_extension_bytes_ > kMaxBodyExtensionBytes) return "chunk extensions over 16 KiB";
    return nullptr;
  }
  if (place_ == Place::kSizeStart) {
    left_ = 0;
    digits_ = extension_bytes_ = 0;
    place_ = Place::kSize;
  }
  if (const int digit = HexValue(c); digit >= 0) {
    constexpr std::uint64_t kMaxBeforeShift = 0x07FF'FFFF'FFFF'FFFF;
    if (++digits_ > kMaxChunkSizeDigits || left_ > kMaxBeforeShift) return "chunk size too large";
    left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
    return nullptr;
  }
  if (digits_ == 0 || (c != '\r' && c != ';')) return "malformed chunk size";
  place_ = c == '\r' ? Place::kSizeLf : Place::kExtension;
  return nullptr;
}

const char* ChunkedDecoder::TakeTrailer(char c) {
  if (++trailer_bytes_ > kMaxTrailerBytes) return "trailers over 16 KiB";
  switch (place_) {
    case Place::kTrailerStart:
      if (c == '\r') {
        place_ = Place::kLastLf;
        return nullptr;
      }
      if (!HasClass(c, kTokenByte)) return "malformed trailer name";
      place_ = Place::kTrailerName;
      return nullptr;
    case Place::kTrailerName:
      if (c == ':') {
        place_ = Place::kTrailerValue;
        return nullptr;
      }
      return HasClass(c, kTokenByte) ? nullptr : "malformed trailer name";
    case Place::kTrailerValue:
      if (c == '\r') {
        place_ = Place::kTrailerLf;
        return nullptr;
      }
      return HasClass(c, kFieldValueByte) ? nullptr : "control byte in a trailer";
    default:
      if (c != '\n') return "CR without LF behind a trailer";
      place_ = Place::kTrailerStart;
      return nullptr;
  }
}

std::string_view FaultOfFirstChunk(std::string_view begin) {
  const ChunkedDecoder::Step step = ChunkedDecoder().Next(begin);
  return step.state == ChunkedDecoder::State::kError ? step.reason : std::string_view();
}

void AppendChunkStart(std::string* out, std::uint64_t size) {
  SWARM_CHECK(size != 0, "a chunk of no bytes would end the body");
  char digits[16];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, size, 16);
  out->append(digits, static_cast<std::size_t>(end.ptr - digits)).append("\r\n");
}

}  // namespace swarm::net
