// Fuzzes the head parsers and the chunked decoder: no input may crash them, read outside the
// buffer, or mean something else when it arrives in pieces or after our own rewriting.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/chunked.h"
#include "net/http_head.h"
#include "net/http_head_writer.h"

namespace {

using swarm::net::HeadResult;
using swarm::net::HeadState;

void Require(bool holds) {
  if (!holds) std::abort();
}

bool Same(const HeadResult& a, const HeadResult& b) {
  return a.state == b.state && a.size == b.size && a.status == b.status && a.reason == b.reason;
}

void FuzzRequest(std::string_view bytes, std::size_t cut) {
  swarm::net::RequestHeadParser parser;
  const HeadResult whole = parser.Parse(bytes);
  swarm::net::RequestHeadParser pieces;
  // Exact-size copies let the address sanitizer see every read behind the end.
  const std::string first(bytes.substr(0, cut));
  HeadResult result = pieces.Parse(first);
  if (result.state == HeadState::kNeedMore) result = pieces.Parse(bytes);
  Require(Same(whole, result));
  if (whole.state != HeadState::kDone) return;

  const swarm::net::RequestHead& head = parser.head();
  std::string written;
  swarm::net::AppendRequestLine(&written, head.method, head.target);
  Require(swarm::net::AppendField(&written, "Host", "engine"));
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    const swarm::net::Field field = head.fields[i];
    if (field.kind != swarm::net::FieldKind::kOther) continue;
    if (head.fields.NamedInConnection(field.name)) continue;
    Require(swarm::net::AppendField(&written, field.name, field.value));
  }
  swarm::net::AppendFraming(&written, head.framing);
  swarm::net::AppendHeadEnd(&written);
  swarm::net::RequestHeadParser again;
  const HeadResult rewritten = again.Parse(written);
  if (rewritten.state == HeadState::kError) {
    // Only our own lines may push a head over a bound.
    Require(rewritten.status == 431 || rewritten.status == 414);
    return;
  }
  Require(rewritten.state == HeadState::kDone && rewritten.size == written.size());
  Require(again.head().target == head.target && again.head().method == head.method);
  Require(again.head().framing.kind == head.framing.kind &&
          again.head().framing.length == head.framing.length);
}

void FuzzResponse(std::string_view bytes, std::size_t cut, bool head_method, bool upgrade) {
  swarm::net::ResponseHeadParser parser;
  parser.Reset({.head_method = head_method, .upgrade = upgrade});
  const HeadResult whole = parser.Parse(bytes);
  swarm::net::ResponseHeadParser pieces;
  pieces.Reset({.head_method = head_method, .upgrade = upgrade});
  const std::string first(bytes.substr(0, cut));
  HeadResult result = pieces.Parse(first);
  if (result.state == HeadState::kNeedMore) result = pieces.Parse(bytes);
  Require(Same(whole, result));
}

struct Decoded {
  std::string body;
  swarm::net::ChunkedDecoder::State state = swarm::net::ChunkedDecoder::State::kNeedMore;
  std::size_t consumed = 0;
};

void DecodeInto(swarm::net::ChunkedDecoder* decoder, std::string_view input, Decoded* decoded) {
  while (true) {
    const swarm::net::ChunkedDecoder::Step step = decoder->Next(input);
    Require(step.consumed <= input.size());
    decoded->consumed += step.consumed;
    decoded->body += step.data;
    decoded->state = step.state;
    input.remove_prefix(step.consumed);
    if (step.state != swarm::net::ChunkedDecoder::State::kData) return;
  }
}

void FuzzChunked(std::string_view bytes, std::size_t cut) {
  swarm::net::ChunkedDecoder whole_decoder;
  Decoded whole;
  DecodeInto(&whole_decoder, bytes, &whole);
  swarm::net::ChunkedDecoder decoder;
  Decoded pieces;
  DecodeInto(&decoder, bytes.substr(0, cut), &pieces);
  if (pieces.state == swarm::net::ChunkedDecoder::State::kNeedMore) {
    DecodeInto(&decoder, bytes.substr(cut), &pieces);
  }
  Require(whole.state == pieces.state && whole.body == pieces.body &&
          whole.consumed == pieces.consumed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t cut_seed = data[0] + 256u * data[1];
  const std::uint8_t kind = data[2];
  const std::string bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  const std::size_t cut = bytes.empty() ? 0 : cut_seed % (bytes.size() + 1);
  switch (kind % 3) {
    case 0: FuzzRequest(bytes, cut); break;
    case 1: FuzzResponse(bytes, cut, (kind & 4) != 0, (kind & 8) != 0); break;
    default: FuzzChunked(bytes, cut); break;
  }
  return 0;
}
