#include "net/http_head.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "unit/net/http_head_cases.h"

namespace swarm::net {
namespace {

struct Case {
  const char* name;
  std::string bytes;
  int status;                // 0: accepted
  const char* meaning = "";  // accepted: Describe(Head)
};

std::string CaseName(const testing::TestParamInfo<Case>& info) { return info.param.name; }

class RequestHeadTest : public testing::TestWithParam<Case> {};

TEST_P(RequestHeadTest, HasOneMeaningHoweverCut) {
  const Case& c = GetParam();
  ParseEveryWay(c.bytes, [] { return RequestHeadParser(); });
  RequestHeadParser parser;
  const HeadResult result = parser.Parse(c.bytes);
  if (c.status != 0) {
    EXPECT_EQ(result.state, HeadState::kError);
    EXPECT_EQ(result.status, c.status) << result.reason;
    EXPECT_FALSE(result.reason.empty());
    EXPECT_EQ(parser.Parse(c.bytes).state, HeadState::kError) << "an error stays";
    return;
  }
  ASSERT_EQ(result.state, HeadState::kDone) << result.reason;
  EXPECT_EQ(Describe(parser.head()), c.meaning);
  EXPECT_EQ(result.size, c.bytes.find("\r\n\r\n") + 4);
}

// A request with `fields` between the request line with its Host and the empty line.
std::string With(std::string_view fields) {
  return "POST /v1.41/containers/create HTTP/1.1\r\nHost: d\r\n" + std::string(fields) + "\r\n";
}

std::string Line(std::string_view line) { return std::string(line) + "\r\nHost: d\r\n\r\n"; }

INSTANTIATE_TEST_SUITE_P(
    Accepted, RequestHeadTest,
    testing::ValuesIn(std::vector<Case>{
        Case{"Plain", With(""), 0, "1.1 none keep"},
        Case{"GoClient",
             "GET /v1.41/containers/json?all=1&filters=%7B%22label%22%3A%5B%22a%22%5D%7D "
             "HTTP/1.1\r\nHost: docker\r\nUser-Agent: Docker-Client/20.10.24 (linux)\r\n\r\n",
             0, "1.1 none keep"},
        Case{"HostIsPath", "GET /_ping HTTP/1.1\r\nHost: /var/run/docker.sock\r\n\r\n", 0,
             "1.1 none keep"},
        Case{"HostIsPercentPath", "GET / HTTP/1.1\r\nHost: %2Fvar%2Frun%2Fdocker.sock\r\n\r\n", 0,
             "1.1 none keep"},
        Case{"HostEmpty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0, "1.1 none keep"},
        Case{"HostWithPort", "GET / HTTP/1.1\r\nhost: [::1]:2375\r\n\r\n", 0, "1.1 none keep"},
        Case{"Http10", "GET / HTTP/1.0\r\n\r\n", 0, "1.0 none close"},
        Case{"Http10KeepAlive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 0,
             "1.0 none keep"},
        Case{"Http10ExpectIgnored",
             "PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", 0,
             "1.0 length=3 close"},
        Case{"Http10UpgradeIgnored",
             "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: tcp\r\n\r\n", 0, "1.0 none close"},
        Case{"Close", With("Connection: close\r\n"), 0, "1.1 none close"},
        Case{"CloseWins", With("Connection: keep-alive, close\r\n"), 0, "1.1 none close"},
        Case{"TwoConnections", With("Connection: keep-alive\r\nConnection: ClOsE\r\n"), 0,
             "1.1 none close"},
        Case{"EmptyListElements", With("Connection: , ,close,\r\n"), 0, "1.1 none close"},
        Case{"Length", With("Content-Length: 42\r\n"), 0, "1.1 length=42 keep"},
        Case{"LengthZero", With("Content-Length: 0\r\n"), 0, "1.1 none keep"},
        Case{"LengthLargest", With("Content-Length: 9223372036854775807\r\n"), 0,
             "1.1 length=9223372036854775807 keep"},
        Case{"LengthLeadingZero", With("Content-Length: 0042\r\n"), 0, "1.1 length=42 keep"},
        Case{"LengthBlanksAround", With("Content-Length: \t 42 \t\r\n"), 0, "1.1 length=42 keep"},
        Case{"LengthNoBlank", With("content-length:42\r\n"), 0, "1.1 length=42 keep"},
        Case{"Chunked", With("Transfer-Encoding: chunked\r\n"), 0, "1.1 chunked keep"},
        Case{"ChunkedAnyCase", With("TRANSFER-ENCODING: ChUnKeD\r\n"), 0, "1.1 chunked keep"},
        Case{"Hijack", With("Connection: Upgrade\r\nUpgrade: tcp\r\n"), 0,
             "1.1 none keep upgrade=tcp"},
        Case{"HijackH2c", With("Upgrade: h2c\r\nConnection: keep-alive, upgrade\r\n"), 0,
             "1.1 none keep upgrade=h2c"},
        Case{"UpgradeNotInConnection", With("Upgrade: tcp\r\n"), 0, "1.1 none keep"},
        Case{"ConnectionUpgradeAlone", With("Connection: Upgrade\r\n"), 0, "1.1 none keep"},
        Case{"Expect", With("Expect: 100-Continue\r\nContent-Length: 5\r\n"), 0,
             "1.1 length=5 keep expect"},
        Case{"ExpectChunked", With("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"), 0,
             "1.1 chunked keep expect"},
        Case{"ExpectWithoutBody", With("Expect: 100-continue\r\n"), 0, "1.1 none keep"},
        Case{"EmptyValue", With("X-Registry-Auth:\r\n"), 0, "1.1 none keep"},
        Case{"BlankValue", With("X-Registry-Auth:   \r\n"), 0, "1.1 none keep"},
        Case{"TabInValue", With("X-A: a\tb\r\n"), 0, "1.1 none keep"},
        Case{"HighBytesInValue", With("X-A: \xC3\xA4\xFF\r\n"), 0, "1.1 none keep"},
        Case{"EveryTokenByte", With("!#$%&'*+-.^_`|~09azAZ: x\r\n"), 0, "1.1 none keep"},
        Case{"UnderscoreElsewhere", With("X_Registry_Auth: x\r\n"), 0, "1.1 none keep"},
        Case{"MethodOfOurOwn", Line("M-SEARCH! / HTTP/1.1"), 0, "1.1 none keep"},
        Case{"MethodLongest", Line(std::string(32, 'M') + " / HTTP/1.1"), 0, "1.1 none keep"},
        Case{"TargetMarks", Line("GET /a%2Fb/~x:tag@sha256:0?f={\"a\":[\"b\"]}|^ HTTP/1.1"), 0,
             "1.1 none keep"},
        Case{"TargetTwoSlashes", Line("GET //containers/json HTTP/1.1"), 0, "1.1 none keep"},
        Case{"TargetLongest",
             Line("GET /" + std::string(kMaxHeadLineBytes - 14, 'a') + " HTTP/1.1"), 0,
             "1.1 none keep"},
        Case{"FieldLongest", With("X: " + std::string(kMaxHeadLineBytes - 3, 'a') + "\r\n"), 0,
             "1.1 none keep"},
        Case{"BodyBehind", With("Content-Length: 3\r\n") + "abc", 0, "1.1 length=3 keep"},
        Case{"NextRequestBehind", With("") + With(""), 0, "1.1 none keep"},
        Case{"ConnectionNamesField", With("Connection: X-Secret\r\nX-Secret: 1\r\n"), 0,
             "1.1 none keep"},
        Case{"SixteenOptions",
             With("Connection: a,b,c,d,e,f,g,h\r\nConnection: a,b,c,d,e,f,g,h\r\n"), 0,
             "1.1 none keep"}}),
    CaseName);

INSTANTIATE_TEST_SUITE_P(
    RefusedStartLine, RequestHeadTest,
    testing::ValuesIn(std::vector<Case>{
        Case{"EmptyLineFirst", "\r\n" + With(""), 400},
        Case{"LfFirst", "\n" + With(""), 400},
        Case{"BlankFirst", Line(" GET / HTTP/1.1"), 400},
        Case{"NoMethod", Line("/ HTTP/1.1"), 400},
        Case{"MethodNoToken", Line("GE{T / HTTP/1.1"), 400},
        Case{"MethodHighByte", Line("G\xC3\x84T / HTTP/1.1"), 400},
        Case{"MethodTooLong", Line(std::string(33, 'M') + " / HTTP/1.1"), 400},
        Case{"MethodEndless", std::string(200, 'M'), 400},
        Case{"TabBehindMethod", Line("GET\t/ HTTP/1.1"), 400},
        Case{"TwoBlanksBehindMethod", Line("GET  / HTTP/1.1"), 400},
        Case{"TabBehindTarget", Line("GET /\tHTTP/1.1"), 400},
        Case{"TwoBlanksBehindTarget", Line("GET /  HTTP/1.1"), 400},
        Case{"BlankInTarget", Line("GET /a b HTTP/1.1"), 400},
        Case{"BlankBehindVersion", Line("GET / HTTP/1.1 "), 400},
        Case{"Http09", "GET /\r\n\r\n", 400},
        Case{"Http09Lf", "GET /\n", 400},
        Case{"Http09Blank", "GET / \r\n\r\n", 400},
        Case{"LowerCaseVersion", Line("GET / http/1.1"), 400},
        Case{"VersionLetter", Line("GET / HTTP/1.x"), 400},
        Case{"VersionTwoDigits", Line("GET / HTTP/11.1"), 400},
        Case{"VersionLongMinor", Line("GET / HTTP/1.10"), 400},
        Case{"VersionNoDot", Line("GET / HTTP/11"), 400},
        Case{"VersionComma", Line("GET / HTTP/1,1"), 400},
        Case{"OtherProtocol", Line("GET / ICAP/1.1"), 400},
        Case{"Version09", Line("GET / HTTP/0.9"), 505},
        Case{"Version12", Line("GET / HTTP/1.2"), 505},
        Case{"Version20", Line("GET / HTTP/2.0"), 505},
        Case{"Version30", Line("GET / HTTP/3.0"), 505},
        Case{"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        Case{"TlsHello", std::string("\x16\x03\x01\x02\x00\x01", 6), 400},
        Case{"Absolute", Line("GET http://d/info HTTP/1.1"), 400},
        Case{"AbsoluteOther", Line("GET unix:/info HTTP/1.1"), 400},
        Case{"Authority", Line("CONNECT d:2375 HTTP/1.1"), 400},
        Case{"Asterisk", Line("OPTIONS * HTTP/1.1"), 400},
        Case{"Relative", Line("GET info HTTP/1.1"), 400},
        Case{"QueryAlone", Line("GET ?all=1 HTTP/1.1"), 400},
        Case{"Fragment", Line("GET /info#x HTTP/1.1"), 400},
        Case{"TargetHighByte", Line("GET /caf\xC3\xA9 HTTP/1.1"), 400},
        Case{"TargetNul", Line(std::string_view("GET /a\0b HTTP/1.1", 17)), 400},
        Case{"TargetDel", Line("GET /a\x7F HTTP/1.1"), 400},
        Case{"TargetEscape", Line("GET /a\x1B HTTP/1.1"), 400},
        Case{"LineEndsInLf", "GET / HTTP/1.1\nHost: d\r\n\r\n", 400},
        Case{"LineEndsInCr", "GET / HTTP/1.1\rHost: d\r\n\r\n", 400},
        Case{"LineEndsInCrCrLf", "GET / HTTP/1.1\r\r\nHost: d\r\n\r\n", 400},
        Case{"CrInTarget", "GET /a\rb HTTP/1.1\r\n\r\n", 400},
        Case{"TargetTooLong",
             Line("GET /" + std::string(kMaxHeadLineBytes - 13, 'a') + " HTTP/1.1"), 414},
        Case{"TargetEndless", "GET /" + std::string(kMaxHeadLineBytes + 100, 'a'), 414}}),
    CaseName);

INSTANTIATE_TEST_SUITE_P(
    RefusedFields, RequestHeadTest,
    testing::ValuesIn(std::vector<Case>{
        Case{"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
        Case{"TwoHosts", With("Host: e\r\n"), 400},
        Case{"TwoEqualHosts", With("Host: d\r\n"), 400},
        Case{"TwoHosts10", "GET / HTTP/1.0\r\nHost: d\r\nHost: d\r\n\r\n", 400},
        Case{"HostBlank", "GET / HTTP/1.1\r\nHost: d e\r\n\r\n", 400},
        Case{"HostComma", "GET / HTTP/1.1\r\nHost: d,e\r\n\r\n", 400},
        Case{"HostUser", "GET / HTTP/1.1\r\nHost: u@d\r\n\r\n", 400},
        Case{"HostQuery", "GET / HTTP/1.1\r\nHost: d?x\r\n\r\n", 400},
        Case{"HostHighByte", "GET / HTTP/1.1\r\nHost: \xFF\r\n\r\n", 400},
        Case{"LengthAndChunked", With("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
        Case{"ChunkedAndLength", With("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
        Case{"ChunkedAndLengthZero", With("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"),
             400},
        Case{"TwoLengths", With("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
        Case{"TwoEqualLengths", With("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
        Case{"TwoZeroLengths", With("Content-Length: 0\r\ncontent-length: 0\r\n"), 400},
        Case{"LengthList", With("Content-Length: 5, 5\r\n"), 400},
        Case{"LengthPlus", With("Content-Length: +5\r\n"), 400},
        Case{"LengthMinus", With("Content-Length: -5\r\n"), 400},
        Case{"LengthMinusZero", With("Content-Length: -0\r\n"), 400},
        Case{"LengthInnerBlank", With("Content-Length: 5 5\r\n"), 400},
        Case{"LengthHex", With("Content-Length: 0x5\r\n"), 400},
        Case{"LengthUnderscore", With("Content-Length: 1_0\r\n"), 400},
        Case{"LengthFraction", With("Content-Length: 5.0\r\n"), 400},
        Case{"LengthExponent", With("Content-Length: 1e3\r\n"), 400},
        Case{"LengthQuoted", With("Content-Length: \"5\"\r\n"), 400},
        Case{"LengthEmpty", With("Content-Length:\r\n"), 400},
        Case{"LengthBlank", With("Content-Length:  \r\n"), 400},
        Case{"LengthJustTooLarge", With("Content-Length: 9223372036854775808\r\n"), 400},
        Case{"LengthOver64Bit", With("Content-Length: 18446744073709551621\r\n"), 400},
        Case{"LengthTwentyZeros", With("Content-Length: 00000000000000000005\r\n"), 400},
        Case{"LengthHighDigits", With("Content-Length: \xEF\xBC\x95\r\n"), 400},
        Case{"Gzip", With("Transfer-Encoding: gzip\r\n"), 400},
        Case{"GzipChunked", With("Transfer-Encoding: gzip, chunked\r\n"), 400},
        Case{"ChunkedGzip", With("Transfer-Encoding: chunked, gzip\r\n"), 400},
        Case{"ChunkedTwiceInList", With("Transfer-Encoding: chunked, chunked\r\n"), 400},
        Case{"TwoChunked", With("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
             400},
        Case{"ChunkedAndIdentity",
             With("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), 400},
        Case{"Identity", With("Transfer-Encoding: identity\r\n"), 400},
        Case{"EncodingEmpty", With("Transfer-Encoding:\r\n"), 400},
        Case{"ChunkedQuoted", With("Transfer-Encoding: \"chunked\"\r\n"), 400},
        Case{"ChunkedParameter", With("Transfer-Encoding: chunked;q=1\r\n"), 400},
        Case{"ChunkedComma", With("Transfer-Encoding: chunked,\r\n"), 400},
        Case{"CommaChunked", With("Transfer-Encoding: ,chunked\r\n"), 400},
        Case{"Xchunked", With("Transfer-Encoding: xchunked\r\n"), 400},
        Case{"ChunkedVerticalTab",
             With("Transfer-Encoding: \x0B"
                  "chunked\r\n"),
             400},
        Case{"ChunkedNul", With(std::string_view("Transfer-Encoding: chunked\0\r\n", 29)), 400},
        Case{"ChunkedHighByte", With("Transfer-Encoding: chunked\xFF\r\n"), 400},
        Case{"ChunkedKelvinSign",
             With("Transfer-Encoding: chun\xE2\x84\xAA"
                  "ed\r\n"),
             400},
        Case{"Chunked10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        Case{"LengthWithUnderscore", With("Content_Length: 5\r\n"), 400},
        Case{"EncodingWithUnderscore", With("Transfer_Encoding: chunked\r\n"), 400},
        Case{"ProxyConnectionUnderscore", With("proxy_connection: close\r\n"), 400},
        Case{"BlankBeforeColon", With("Content-Length : 5\r\n"), 400},
        Case{"TabBeforeColon", With("Transfer-Encoding\t: chunked\r\n"), 400},
        Case{"BlankBeforeColonOther", With("X-A : 5\r\n"), 400},
        Case{"Folded", With("X-A: a\r\n b\r\n"), 400},
        Case{"FoldedTab", With("X-A: a\r\n\tb\r\n"), 400},
        Case{"FoldedEncoding", With("Transfer-Encoding:\r\n chunked\r\n"), 400},
        Case{"FoldedFirst", "GET / HTTP/1.1\r\n Host: d\r\n\r\n", 400},
        Case{"FoldedEmpty", With(" \r\n"), 400},
        Case{"NoColon", With("X-A\r\n"), 400},
        Case{"EmptyName", With(": a\r\n"), 400},
        Case{"NameWithBlank", With("X A: a\r\n"), 400},
        Case{"NameWithSlash", With("X/A: a\r\n"), 400},
        Case{"NameWithParen", With("X(A): a\r\n"), 400},
        Case{"NameWithHighByte", With("X-\xC3\xA4: a\r\n"), 400},
        Case{"NameWithNul", With(std::string_view("X\0A: a\r\n", 8)), 400},
        Case{"NameWithDel", With("X\x7F: a\r\n"), 400},
        Case{"NulInValue", With(std::string_view("X-A: a\0b\r\n", 10)), 400},
        Case{"DelInValue", With("X-A: a\x7F\r\n"), 400},
        Case{"EscapeInValue", With("X-A: a\x1B[0m\r\n"), 400},
        Case{"FormFeedInValue", With("X-A: a\x0C\r\n"), 400},
        Case{"BareLf", With("X-A: a\nContent-Length: 5\r\n"), 400},
        Case{"BareCr", With("X-A: a\rContent-Length: 5\r\n"), 400},
        Case{"CrCrLf", With("X-A: a\r\r\n"), 400},
        Case{"LfLfAtEnd", "GET / HTTP/1.1\r\nHost: d\n\n", 400},
        Case{"LfAtEnd", "GET / HTTP/1.1\r\nHost: d\r\n\n", 400},
        Case{"CrAtEnd", "GET / HTTP/1.1\r\nHost: d\r\n\rX", 400},
        Case{"BareLfFarInValue", With("X-A: " + std::string(100, 'a') + "\nb\r\n"), 400},
        Case{"ExpectOther", With("Expect: 200-ok\r\n"), 417},
        Case{"ExpectEmpty", With("Expect:\r\n"), 417},
        Case{"ExpectList", With("Expect: 100-continue, x\r\n"), 417},
        Case{"ExpectTwice", With("Expect: 100-continue\r\nExpect: 100-continue\r\n"), 417},
        Case{"UpgradeTwice", With("Connection: upgrade\r\nUpgrade: tcp\r\nUpgrade: tcp\r\n"), 400},
        Case{"ConnectionNamesLength", With("Connection: Content-Length\r\n"), 400},
        Case{"ConnectionNamesEncoding", With("Connection: close, transfer-encoding\r\n"), 400},
        Case{"ConnectionNamesHost", With("Connection: host\r\n"), 400},
        Case{"ConnectionNamesUnderscore", With("Connection: content_length\r\n"), 400},
        Case{"ConnectionNoToken", With("Connection: a b\r\n"), 400},
        Case{"ConnectionQuoted", With("Connection: \"close\"\r\n"), 400},
        Case{"SeventeenOptions", With("Connection: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q\r\n"), 400},
        Case{"FieldTooLong", With("X: " + std::string(kMaxHeadLineBytes - 2, 'a') + "\r\n"), 431},
        Case{"NameEndless", With(std::string(kMaxHeadLineBytes + 100, 'a')), 431}}),
    CaseName);

TEST(RequestHeadParserTest, GivesEveryPartInOrder) {
  const std::string bytes =
      "POST /v1.41/exec/ab/start HTTP/1.1\r\nHost: docker\r\nUser-Agent: x y\r\n"
      "Content-Length: 2\r\nX-A:  1 \r\nx-a: 2\r\n\r\n{}";
  RequestHeadParser parser;
  ASSERT_EQ(parser.Parse(bytes).size, bytes.size() - 2);
  const RequestHead& head = parser.head();
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/v1.41/exec/ab/start");
  EXPECT_EQ(head.host, "docker");
  EXPECT_EQ(DescribeFields(head.fields),
            "Host=docker|User-Agent=x y|Content-Length=2|X-A=1|x-a=2|");
  EXPECT_EQ(head.fields.Find("x-a"), "1");
  EXPECT_EQ(head.fields.Find("x-b"), std::nullopt);
  EXPECT_EQ(head.fields[2].kind, FieldKind::kContentLength);
}

TEST(RequestHeadParserTest, ResetForgetsTheLastHead) {
  RequestHeadParser parser;
  const std::string chunked = With("Transfer-Encoding: chunked\r\nConnection: close, x\r\n");
  ASSERT_EQ(parser.Parse(chunked).state, HeadState::kDone);
  parser.Reset();
  const std::string plain = With("");
  ASSERT_EQ(parser.Parse(plain).state, HeadState::kDone);
  EXPECT_EQ(Describe(parser.head()), "1.1 none keep");
  EXPECT_FALSE(parser.head().fields.NamedInConnection("x"));
  parser.Reset();
  ASSERT_EQ(parser.Parse("BAD\r\n").state, HeadState::kError);
  parser.Reset();
  EXPECT_EQ(parser.Parse(plain).state, HeadState::kDone);
}

TEST(RequestHeadParserTest, EveryUnwantedByteIsRefusedEverywhere) {
  // A byte that is no token byte inside a name, no visible byte inside a target, a control inside
  // a value, or any byte but CRLF as line end must never be accepted.
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool token =
        std::isalnum(byte) != 0 ||
        (byte != 0 && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
    const auto accepted = [](const std::string& bytes) {
      RequestHeadParser parser;
      return parser.Parse(bytes).state == HeadState::kDone;
    };
    EXPECT_EQ(accepted(With(std::string("X") + c + "A: b\r\n")), token || c == ':') << byte;
    EXPECT_EQ(accepted(With(std::string("X: a") + c + "b\r\n")),
              c == '\t' || (byte >= 0x20 && byte != 0x7F))
        << byte;
    EXPECT_EQ(accepted(Line(std::string("GET /a") + c + "b HTTP/1.1")),
              byte > 0x20 && byte < 0x7F && c != '#')
        << byte;
    EXPECT_EQ(accepted(Line(std::string("G") + c + "T / HTTP/1.1")), token) << byte;
    EXPECT_EQ(accepted(With(std::string("Content-Length: 1") + c + "\r\n")),
              std::isdigit(byte) != 0 || c == ' ' || c == '\t')
        << byte;
    EXPECT_EQ(accepted(With(std::string("Transfer-Encoding: ") + c + "chunked\r\n")),
              c == ' ' || c == '\t')
        << byte;
    EXPECT_EQ(accepted("GET / HTTP/1.1\r" + std::string(1, c) + "Host: d\r\n\r\n"), c == '\n')
        << byte;
  }
}

TEST(RequestHeadParserTest, TakesSessionHeadersOf64KiB) {
  std::string fields;
  while (fields.size() < 64 * 1024) {
    fields += "X-Docker-Expose-Session-Grpc-Method: /moby.filesync.v1.FileSync/DiffCopy\r\n";
  }
  const std::string bytes = With(fields);
  RequestHeadParser parser;
  const HeadResult result = parser.Parse(bytes);
  ASSERT_EQ(result.state, HeadState::kDone) << result.reason;
  EXPECT_GT(parser.head().fields.size(), 800u);
  RequestHeadParser single;
  EXPECT_EQ(FeedGrowing(&single, bytes, 997), Outcome(parser, result));
}

TEST(RequestHeadParserTest, RefusesTooLargeHeads) {
  std::string many;
  for (std::size_t i = 0; i <= kMaxHeadFields; ++i) many += "a:b\r\n";
  std::string large;
  while (large.size() < kMaxHeadBytes) large += "X-A: " + std::string(8000, 'a') + "\r\n";
  for (const std::string& fields : {many, large}) {
    RequestHeadParser parser;
    const std::string bytes = With(fields);
    EXPECT_EQ(parser.Parse(bytes).status, 431);
    RequestHeadParser single;
    EXPECT_EQ(FeedGrowing(&single, bytes, 499).substr(0, 3), "431");
  }
}

}  // namespace
}  // namespace swarm::net
