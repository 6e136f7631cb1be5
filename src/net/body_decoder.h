// Takes the body of one message out of the bytes of its connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "net/chunked.h"
#include "net/http_head.h"
#include "net/input_buffer.h"

namespace swarm::net {

class BodyDecoder {
 public:
  void Reset(const Framing& framing);

  // Moves decoded bytes from `input` to `into` and returns their number; 0 = more input is needed,
  // or ended(), or failed(). The end is noticed as soon as its bytes are there.
  std::size_t Take(InputBuffer& input, std::span<char> into);

  // The peer ended its side: the regular end of kUntilClose, a failure of the others.
  void PeerEnded();

  bool ended() const { return ended_; }
  bool failed() const { return !failure_.empty(); }
  std::string_view failure() const { return failure_; }  // static text
  // Bytes still to come, when that is known before they are there.
  std::uint64_t left() const { return kind_ == BodyKind::kLength ? left_ : 0; }
  BodyKind kind() const { return kind_; }

 private:
  std::size_t TakeChunked(InputBuffer& input, std::span<char> into);

  BodyKind kind_ = BodyKind::kNone;
  bool ended_ = true;
  std::uint64_t left_ = 0;
  ChunkedDecoder chunked_;
  std::string_view failure_;
};

}  // namespace swarm::net
