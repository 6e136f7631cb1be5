#pragma once

// Strict decoder and encoder of the chunked transfer coding (RFC 9112 §7.1). Pure; one object per
// body, no thread affinity.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace swarm::net {

// Bounds of one chunked body.
inline constexpr std::size_t kMaxChunkSizeDigits = 16;       // hexadecimal, leading zeros counted
inline constexpr std::size_t kMaxChunkExtensionBytes = 256;  // of one chunk
inline constexpr std::size_t kMaxBodyExtensionBytes = 16 * 1024;  // of all chunks of one body
inline constexpr std::size_t kMaxTrailerBytes = 16 * 1024;        // of all trailers of one body

// Takes a chunked body apart. Refuses bare CR or LF, blanks and signs around the size, sizes of
// 2^63 and more, control bytes, malformed trailers, and anything over the bounds above. Extensions
// and trailers are dropped: no engine sends any that matter, and forwarding them helps smuggling.
class ChunkedDecoder {
 public:
  enum class State : std::uint8_t {
    kNeedMore,  // all of the input is consumed
    kData,      // `data` is the next piece of the body; call again with what follows
    kDone,      // the body ended; what follows `consumed` belongs to the next message
    kError,     // refused; `reason` says why. Sticky.
  };
  struct Step {
    State state = State::kNeedMore;
    std::size_t consumed = 0;  // bytes of the input that are done with, those of `data` included
    std::string_view data;     // view into the input
    std::string_view reason;   // static text
  };

  // Reads on where the last call stopped. `input` starts right behind the bytes consumed so far.
  Step Next(std::string_view input);

 private:
  enum class Place : std::uint8_t {
    kSizeStart,
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailerName,
    kTrailerValue,
    kTrailerLf,
    kLastLf,
    kDone,
    kError,
  };

  // Takes one byte outside chunk data; null or why it is refused.
  const char* Take(char c);
  const char* TakeSize(char c);
  const char* TakeTrailer(char c);

  Place place_ = Place::kSizeStart;
  std::uint64_t left_ = 0;  // of this chunk: its size while that is read, then what is to come
  std::size_t digits_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t body_extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::string_view reason_;
};

// Why `begin`, the first bytes of a chunked body, is none; empty when nothing says so yet.
std::string_view FaultOfFirstChunk(std::string_view begin);

// Appends the line that opens a chunk of `size` bytes; `size` must not be 0, which would end the
// body. After the bytes comes kChunkEnd.
void AppendChunkStart(std::string* out, std::uint64_t size);
inline constexpr std::string_view kChunkEnd = "\r\n";
// Ends a chunked body, without trailers.
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace swarm::net
