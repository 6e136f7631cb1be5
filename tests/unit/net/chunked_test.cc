#include "net/chunked.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::net {
namespace {

struct Outcome {
  ChunkedDecoder::State state = ChunkedDecoder::State::kNeedMore;
  std::string body;
  std::size_t consumed = 0;
  std::string reason;
};

// Feeds `bytes` in pieces of `piece` bytes.
Outcome Decode(std::string_view bytes, std::size_t piece) {
  ChunkedDecoder decoder;
  Outcome outcome;
  std::size_t end = 0;
  while (true) {
    const ChunkedDecoder::Step step =
        decoder.Next(bytes.substr(outcome.consumed, end - outcome.consumed));
    outcome.consumed += step.consumed;
    outcome.body += step.data;
    outcome.state = step.state;
    outcome.reason = step.reason;
    if (step.state == ChunkedDecoder::State::kData) continue;
    if (step.state != ChunkedDecoder::State::kNeedMore || end == bytes.size()) return outcome;
    EXPECT_EQ(outcome.consumed, end) << "kNeedMore takes all";
    end = std::min(end + piece, bytes.size());
  }
}

struct Case {
  const char* name;
  std::string bytes;
  bool accepted;
  std::string body = "";
  std::size_t left = 0;  // bytes of the next message
};

class ChunkedTest : public testing::TestWithParam<Case> {};

TEST_P(ChunkedTest, SameOutcomeHoweverCut) {
  const Case& c = GetParam();
  for (std::size_t piece = 1; piece <= c.bytes.size(); ++piece) {
    const Outcome outcome = Decode(c.bytes, piece);
    ASSERT_EQ(outcome.state,
              c.accepted ? ChunkedDecoder::State::kDone : ChunkedDecoder::State::kError)
        << piece << outcome.reason;
    if (c.accepted) {
      EXPECT_EQ(outcome.body, c.body);
      EXPECT_EQ(outcome.consumed, c.bytes.size() - c.left);
    } else {
      EXPECT_FALSE(outcome.reason.empty());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    , ChunkedTest,
    testing::ValuesIn(std::vector<Case>{
        Case{"Empty", "0\r\n\r\n", true},
        Case{"One", "3\r\nabc\r\n0\r\n\r\n", true, "abc"},
        Case{"Two", "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", true, "abc0123456789"},
        Case{"LowerHex", "a\r\n0123456789\r\n0\r\n\r\n", true, "0123456789"},
        Case{"LeadingZeros", "0003\r\nabc\r\n0000\r\n\r\n", true, "abc"},
        Case{"DataLooksLikeEnd", "5\r\n0\r\n\r\n\r\n0\r\n\r\n", true, "0\r\n\r\n"},
        Case{"Extension", "3;a=\"b c\"\r\nabc\r\n0;x\r\n\r\n", true, "abc"},
        Case{"Trailers", "3\r\nabc\r\n0\r\nX-A: b\r\nY:\r\n\r\n", true, "abc"},
        Case{"NextMessage", "0\r\n\r\nGET /", true, "", 5},
        Case{"NoSize", "\r\nabc\r\n0\r\n\r\n", false},
        Case{"ExtensionAlone", ";a\r\n", false},
        Case{"BlankBeforeSize", " 3\r\nabc\r\n", false},
        Case{"BlankBehindSize", "3 \r\nabc\r\n", false},
        Case{"TabBehindSize", "3\t;a\r\nabc\r\n", false},
        Case{"Plus", "+3\r\nabc\r\n", false},
        Case{"Minus", "-3\r\nabc\r\n", false},
        Case{"HexPrefix", "0x3\r\nabc\r\n", false},
        Case{"Underscore", "1_0\r\n", false},
        Case{"NoHex", "g\r\n", false},
        Case{"Nul", std::string("3\0\r\nabc\r\n", 9), false},
        Case{"SizeLf", "3\nabc\r\n0\r\n\r\n", false},
        Case{"SizeCr", "3\rabc\r\n", false},
        Case{"SizeCrCrLf", "3\r\r\nabc\r\n", false},
        Case{"DataTooLong", "3\r\nabcd\r\n0\r\n\r\n", false},
        Case{"DataTooShort", "4\r\nabc\r\n0\r\n\r\n", false},
        Case{"DataLf", "3\r\nabc\n0\r\n\r\n", false},
        Case{"DataCrOnly", "3\r\nabc\r0\r\n\r\n", false},
        Case{"SizeOf63Bits", "8000000000000000\r\n", false},
        Case{"SizeOver64Bits", "10000000000000003\r\n", false},
        Case{"SeventeenDigits", "00000000000000003\r\nabc\r\n", false},
        Case{"ExtensionLf", "3;a\nabc\r\n", false},
        Case{"ExtensionControl", "3;\x01\r\nabc\r\n", false},
        Case{"ExtensionTooLong", "3;" + std::string(257, 'a') + "\r\nabc\r\n", false},
        Case{"LastLf", "0\r\n\n", false},
        Case{"LastCrOnly", "0\r\n\rX", false},
        Case{"LastLfLf", "0\n\n", false},
        Case{"TrailerNoColon", "0\r\nX\r\n\r\n", false},
        Case{"TrailerFolded", "0\r\nX: a\r\n b\r\n\r\n", false},
        Case{"TrailerBlankName", "0\r\nX : a\r\n\r\n", false},
        Case{"TrailerLf", "0\r\nX: a\n\r\n", false},
        Case{"TrailerNoName", "0\r\n: a\r\n\r\n", false},
        Case{"TrailerControl", "0\r\nX: \x01\r\n\r\n", false}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ChunkedDecoderTest, LargestSizeIsStillCounted) {
  ChunkedDecoder decoder;
  const std::string_view bytes = "7fffffffffffffff\r\nabc";
  EXPECT_EQ(decoder.Next(bytes).data, "abc");
}

TEST(ChunkedDecoderTest, LongestExtensionIsTakenButNotInEveryChunk) {
  const std::string chunk = "1;" + std::string(kMaxChunkExtensionBytes, 'a') + "\r\nx\r\n";
  std::string bytes;
  for (std::size_t i = 0; i < kMaxBodyExtensionBytes / kMaxChunkExtensionBytes; ++i) bytes += chunk;
  EXPECT_EQ(Decode(bytes + "0\r\n\r\n", 4096).state, ChunkedDecoder::State::kDone);
  EXPECT_EQ(Decode(bytes + "0;a\r\n\r\n", 4096).state, ChunkedDecoder::State::kError);
}

TEST(ChunkedDecoderTest, TrailersAreBounded) {
  const std::string endless = "0\r\nX: " + std::string(kMaxTrailerBytes, 'a');
  EXPECT_EQ(Decode(endless, 4096).state, ChunkedDecoder::State::kError);
}

TEST(ChunkedDecoderTest, ErrorStays) {
  ChunkedDecoder decoder;
  EXPECT_EQ(decoder.Next("x").state, ChunkedDecoder::State::kError);
  EXPECT_EQ(decoder.Next("0\r\n\r\n").state, ChunkedDecoder::State::kError);
}

TEST(ChunkedEncoderTest, RoundTrip) {
  std::string bytes;
  for (const std::string_view piece : {"a", "0123456789abcdef0", "\r\n"}) {
    AppendChunkStart(&bytes, piece.size());
    bytes.append(piece).append(kChunkEnd);
  }
  bytes.append(kLastChunk);
  const Outcome outcome = Decode(bytes, 3);
  EXPECT_EQ(outcome.state, ChunkedDecoder::State::kDone);
  EXPECT_EQ(outcome.body, "a0123456789abcdef0\r\n");
}

}  // namespace
}  // namespace swarm::net
