#pragma once

// Strict HTTP/1.x head parser: one head, one meaning, or a refusal.
//
// A manager that reads a request one way while an engine reads it another can be made to smuggle
// requests. So whatever has two readings in the field is refused, and what is accepted is never
// forwarded as received but written anew (http_head_writer.h).
//
// The parser touches no socket and copies nothing: results are views into the caller's buffer.
// One object parses one head at a time; no thread safety, no thread affinity.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/container/inlined_vector.h"

namespace swarm::net {

// Bounds of one head.
inline constexpr std::size_t kMaxHeadLineBytes = 16 * 1024;  // request line or field line, no CRLF
inline constexpr std::size_t kMaxHeadBytes = 72 * 1024;  // 64 KiB of session headers and the rest
inline constexpr std::size_t kMaxHeadFields = 2048;
inline constexpr std::size_t kMaxMethodBytes = 32;
inline constexpr std::size_t kMaxConnectionOptions = 16;  // over all Connection fields
inline constexpr std::uint64_t kMaxContentLength = 0x7FFF'FFFF'FFFF'FFFF;

// Fields that steer framing or the connection. None of them is ever copied to the next hop.
enum class FieldKind : std::uint8_t {
  kOther,  // end to end: copied
  kHost,
  kContentLength,
  kTransferEncoding,
  kConnection,
  kExpect,
  kUpgrade,
  kHopByHop,  // TE, Trailer, Keep-Alive, Proxy-*
};

// One field; views into the parsed buffer. `value` has no blanks at its ends.
struct Field {
  std::string_view name;
  std::string_view value;
  FieldKind kind = FieldKind::kOther;
};

// The fields of one head in order of arrival.
class HeadFields {
 public:
  std::size_t size() const { return slots_.size(); }
  // Requires i < size().
  Field operator[](std::size_t i) const;
  // Value of the first field of that name; `lower_name` is in lower case.
  std::optional<std::string_view> Find(std::string_view lower_name) const;
  // True if a Connection field names `name` besides close, keep-alive and upgrade.
  bool NamedInConnection(std::string_view name) const;

 private:
  friend class HeadParser;
  // Offsets instead of views: the head stays valid when the caller's buffer grows and moves.
  struct Slot {
    std::uint32_t begin;
    std::uint16_t name_size;
    std::uint16_t value_offset;  // from begin
    std::uint16_t value_size;
    FieldKind kind;
  };
  const char* base_ = nullptr;
  bool names_in_connection_ = false;
  absl::InlinedVector<Slot, 24> slots_;
};

// How the bytes after the head are delimited.
enum class BodyKind : std::uint8_t {
  kNone,        // also for Content-Length: 0
  kLength,      // exactly `length` bytes, more than 0
  kChunked,     // see chunked.h
  kUntilClose,  // responses only: all that comes until the peer ends its side
};
struct Framing {
  BodyKind kind = BodyKind::kNone;
  std::uint64_t length = 0;  // kLength only
};

// What both kinds of head have in common.
struct Head {
  int minor_version = 1;  // HTTP/1.0 or HTTP/1.1
  Framing framing;
  bool keep_alive = false;       // the peer lets the connection be used again
  bool expect_continue = false;  // request with a body that waits for "100 Continue"
  std::string_view upgrade;      // value of Upgrade if Connection asks for it, else empty
  std::optional<std::uint64_t> content_length;  // as sent, also where it frames nothing (HEAD, 304)
  HeadFields fields;
};

struct RequestHead : Head {
  std::string_view method;  // a token; case as sent
  std::string_view target;  // starts with '/'; visible ASCII without '#'; not decoded
  std::string_view host;    // value of Host; may be empty
};

struct ResponseHead : Head {
  int status = 0;           // 100 to 599
  std::string_view reason;  // may be empty
  // 1xx but 101: another head follows on this connection.
  bool interim() const { return status >= 100 && status < 200 && status != 101; }
};

enum class HeadState : std::uint8_t { kNeedMore, kDone, kError };

// Outcome of one Parse call.
struct HeadResult {
  HeadState state = HeadState::kNeedMore;
  std::size_t size = 0;     // kDone: bytes of the head; the body starts there
  int status = 0;           // kError: 400, 414, 417, 431 or 505 to a client; 502 for a response
  std::string_view reason;  // kError: static text for the answer and the log
};

// The part shared by the two parsers below; not used alone.
class HeadParser {
 protected:
  HeadParser() = default;
  ~HeadParser() = default;

  // The bytes of `buffer` that the line at offset_ may use.
  struct Line {
    const char* begin = nullptr;
    const char* end = nullptr;
    int status_at_bound = 0;  // 0: `end` is where the bytes end; else the bound that was met
  };

  Line NextLine(std::string_view buffer, int status_at_bound) const;
  // Each Take* below returns true once it took its part and moved offset_ on; false with result_
  // set when bytes are missing or the head is refused.
  bool Wait(const Line& line);
  bool Fail(int status, std::string_view reason);
  bool TakeLineEnd(const Line& line, const char* at);
  bool TakeVersion(const Line& line, const char** at);
  bool TakeFields(std::string_view buffer, Head* head);
  bool TakeField(const Line& line, std::string_view buffer, Head* head);
  bool TakeMeaning(const Field& field, Head* head);
  bool TakeContentLength(std::string_view value, Head* head);
  bool TakeConnection(std::string_view value, Head* head);
  // Framing that the fields state; kNone if they state none.
  bool TakeFraming(Head* head);
  void Finish(Head* head);
  void Clear(Head* head);

  bool is_request_ = true;
  bool start_line_taken_ = false;
  bool chunked_ = false;
  bool expect_ = false;
  bool close_ = false;
  bool keep_alive_ = false;
  bool connection_upgrade_ = false;
  int version_ = 0;         // 11 for HTTP/1.1
  std::size_t offset_ = 0;  // start of the first line not yet taken
  std::size_t connection_options_ = 0;
  int host_field_ = -1;  // indices into the fields
  int upgrade_field_ = -1;
  HeadResult result_;
};

// Parses request heads. Refuses (400 unless said otherwise): any line end but CRLF, control bytes,
// blank before the colon, folded lines, names that are no tokens, '_' spellings of framing fields,
// Content-Length together with Transfer-Encoding, more than one of either, a Content-Length that
// is no plain decimal below 2^63, a Transfer-Encoding other than "chunked", no or two Hosts in
// HTTP/1.1, targets that do not start with '/', HTTP/0.9; 505 other versions (the HTTP/2 preface
// too), 417 an Expect other than 100-continue, 414 a long request line, 431 too large a head.
class RequestHeadParser : private HeadParser {
 public:
  RequestHeadParser() { Reset(); }

  // `buffer` starts at the first byte of the head and holds all bytes received so far; between
  // calls it may grow and move. Lines already taken are not read again. The outcome for given
  // bytes does not depend on how they were cut.
  HeadResult Parse(std::string_view buffer);
  // Valid after kDone until Reset, while the buffer of that call lives.
  const RequestHead& head() const { return head_; }
  // Ready for the next head.
  void Reset();

 private:
  bool TakeRequestLine(std::string_view buffer);

  std::uint32_t method_size_ = 0;
  std::uint32_t target_begin_ = 0;
  std::uint32_t target_size_ = 0;
  RequestHead head_;
};

// Parses response heads by the same rules; every refusal is a 502.
class ResponseHeadParser : private HeadParser {
 public:
  // What the answer is read against.
  struct Asked {
    bool head_method = false;  // the request was HEAD: no body follows
    bool upgrade = false;      // 101 is an answer to what was asked
  };

  ResponseHeadParser() { Reset({}); }

  // As RequestHeadParser::Parse. After an interim() head call Reset and parse on.
  HeadResult Parse(std::string_view buffer);
  // As RequestHeadParser::head.
  const ResponseHead& head() const { return head_; }
  // Ready for the answer to the next request.
  void Reset(Asked asked);

 private:
  bool TakeStatusLine(std::string_view buffer);
  bool TakeBody();

  Asked asked_;
  std::uint32_t reason_begin_ = 0;
  std::uint32_t reason_size_ = 0;
  ResponseHead head_;
};

}  // namespace swarm::net
