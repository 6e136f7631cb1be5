#include "net/body_decoder.h"

#include <algorithm>
#include <cstring>

namespace swarm::net {

void BodyDecoder::Reset(const Framing& framing) {
  kind_ = framing.kind;
  left_ = framing.length;
  ended_ = kind_ == BodyKind::kNone || (kind_ == BodyKind::kLength && left_ == 0);
  chunked_ = ChunkedDecoder();
  failure_ = {};
}

std::size_t BodyDecoder::Take(InputBuffer& input, std::span<char> into) {
  if (ended_ || failed()) return 0;
  if (kind_ == BodyKind::kChunked) return TakeChunked(input, into);
  std::size_t count = std::min(input.size(), into.size());
  if (kind_ == BodyKind::kLength) {
    count = static_cast<std::size_t>(std::min<std::uint64_t>(count, left_));
    left_ -= count;
    ended_ = left_ == 0;
  }
  if (count > 0) std::memcpy(into.data(), input.bytes().data(), count);
  input.Consume(count);
  return count;
}

std::size_t BodyDecoder::TakeChunked(InputBuffer& input, std::span<char> into) {
  std::size_t copied = 0;
  while (!ended_ && !failed() && !input.empty()) {
    const std::size_t room = into.size() - copied;
    // With no room left only framing may be taken, so a step that yields data is not committed.
    ChunkedDecoder next = chunked_;
    const ChunkedDecoder::Step step =
        next.Next(room == 0 ? input.bytes() : input.bytes().substr(0, room));
    if (step.state == ChunkedDecoder::State::kData && room == 0) break;
    chunked_ = next;
    if (step.state == ChunkedDecoder::State::kData) {
      std::memcpy(into.data() + copied, step.data.data(), step.data.size());
      copied += step.data.size();
    }
    if (step.state == ChunkedDecoder::State::kError) failure_ = step.reason;
    ended_ = step.state == ChunkedDecoder::State::kDone;
    input.Consume(step.consumed);
  }
  return copied;
}

void BodyDecoder::PeerEnded() {
  if (ended_ || failed()) return;
  if (kind_ == BodyKind::kUntilClose) {
    ended_ = true;
  } else {
    failure_ = "the connection ended within the body";
  }
}

}  // namespace swarm::net
