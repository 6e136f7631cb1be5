#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "net/http_head.h"
#include "unit/net/http_head_cases.h"

namespace swarm::net {
namespace {

struct ResponseCase {
  const char* name;
  std::string bytes;
  bool head_method;
  bool upgrade;
  const char* meaning;  // empty: refused with 502
};

class ResponseHeadTest : public testing::TestWithParam<ResponseCase> {};

TEST_P(ResponseHeadTest, HasOneMeaningHoweverCut) {
  const ResponseCase& c = GetParam();
  const auto make = [&c] {
    ResponseHeadParser parser;
    parser.Reset({.head_method = c.head_method, .upgrade = c.upgrade});
    return parser;
  };
  ParseEveryWay(c.bytes, make);
  ResponseHeadParser parser = make();
  const HeadResult result = parser.Parse(c.bytes);
  if (std::string_view(c.meaning).empty()) {
    EXPECT_EQ(result.state, HeadState::kError);
    EXPECT_EQ(result.status, 502);
    return;
  }
  ASSERT_EQ(result.state, HeadState::kDone) << result.reason;
  EXPECT_EQ(std::to_string(parser.head().status) + " " + Describe(parser.head()), c.meaning);
}

std::string Answer(std::string_view status, std::string_view fields) {
  return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(fields) + "\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    , ResponseHeadTest,
    testing::ValuesIn(std::vector<ResponseCase>{
        ResponseCase{"Length", Answer("200 OK", "Content-Length: 7\r\n"), false, false,
                     "200 1.1 length=7 keep"},
        ResponseCase{"Chunked", Answer("200 OK", "Transfer-Encoding: chunked\r\n"), false, false,
                     "200 1.1 chunked keep"},
        ResponseCase{"UntilClose", Answer("200 OK", ""), false, false, "200 1.1 until-close close"},
        ResponseCase{"LengthZero", Answer("200 OK", "Content-Length: 0\r\n"), false, false,
                     "200 1.1 none keep"},
        ResponseCase{"Close", Answer("200 OK", "Connection: close\r\nContent-Length: 1\r\n"), false,
                     false, "200 1.1 length=1 close"},
        ResponseCase{"Head", Answer("200 OK", "Content-Length: 7\r\n"), true, false,
                     "200 1.1 none keep"},
        ResponseCase{"HeadChunked", Answer("200 OK", "Transfer-Encoding: chunked\r\n"), true, false,
                     "200 1.1 none keep"},
        ResponseCase{"HeadWithoutLength", Answer("404 Not Found", ""), true, false,
                     "404 1.1 none keep"},
        ResponseCase{"NoContent", Answer("204 No Content", ""), false, false, "204 1.1 none keep"},
        ResponseCase{"NoContentLengthZero", Answer("204 No Content", "Content-Length: 0\r\n"),
                     false, false, "204 1.1 none keep"},
        ResponseCase{"NotModified", Answer("304 Not Modified", "Content-Length: 7\r\n"), false,
                     false, "304 1.1 none keep"},
        ResponseCase{"Continue", Answer("100 Continue", ""), false, false, "100 1.1 none keep"},
        ResponseCase{"Switching", Answer("101 UPGRADED", "Connection: Upgrade\r\nUpgrade: tcp\r\n"),
                     false, true, "101 1.1 none keep upgrade=tcp"},
        ResponseCase{"HijackWithoutUpgrade", Answer("200 OK", "Content-Type: a/b\r\n"), false, true,
                     "200 1.1 until-close close"},
        ResponseCase{"NoReason", Answer("200 ", "Content-Length: 0\r\n"), false, false,
                     "200 1.1 none keep"},
        ResponseCase{"NoReasonNoBlank", Answer("200", "Content-Length: 0\r\n"), false, false,
                     "200 1.1 none keep"},
        ResponseCase{"Http10", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", false, false,
                     "200 1.0 length=3 close"},
        ResponseCase{"SwitchingUnasked",
                     Answer("101 UPGRADED", "Connection: Upgrade\r\nUpgrade: tcp\r\n"), false,
                     false, ""},
        ResponseCase{"NoContentWithBody", Answer("204 No Content", "Content-Length: 5\r\n"), false,
                     false, ""},
        ResponseCase{"NoContentChunked", Answer("204 No", "Transfer-Encoding: chunked\r\n"), false,
                     false, ""},
        ResponseCase{"ContinueWithBody", Answer("100 Continue", "Content-Length: 5\r\n"), false,
                     false, ""},
        ResponseCase{"BothFramings",
                     Answer("200 OK", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), false,
                     false, ""},
        ResponseCase{"TwoLengths", Answer("200 OK", "Content-Length: 5\r\nContent-Length: 5\r\n"),
                     false, false, ""},
        ResponseCase{"Gzip", Answer("200 OK", "Transfer-Encoding: gzip\r\n"), false, false, ""},
        ResponseCase{"Folded", Answer("200 OK", "X: a\r\n b\r\n"), false, false, ""},
        ResponseCase{"BareLf", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", false, false, ""},
        ResponseCase{"BareCr", "HTTP/1.1 200 OK\rX\r\n\r\n", false, false, ""},
        ResponseCase{"NulInReason", std::string("HTTP/1.1 200 O\0K\r\n\r\n", 20), false, false, ""},
        ResponseCase{"Status99", Answer("099 X", ""), false, false, ""},
        ResponseCase{"Status600", Answer("600 X", ""), false, false, ""},
        ResponseCase{"StatusTwoDigits", Answer("20 X", ""), false, false, ""},
        ResponseCase{"StatusFourDigits", Answer("2000 X", ""), false, false, ""},
        ResponseCase{"StatusSigned", Answer("+20 X", ""), false, false, ""},
        ResponseCase{"TwoBlanks", Answer(" 200 X", ""), false, false, ""},
        ResponseCase{"Version2", "HTTP/2.0 200 OK\r\n\r\n", false, false, ""},
        ResponseCase{"NotHttp", "SSH-2.0-OpenSSH_9.2\r\n", false, false, ""},
        ResponseCase{"Icy", "ICY 200 OK\r\n\r\n", false, false, ""},
        ResponseCase{"EmptyLineFirst", "\r\nHTTP/1.1 200 OK\r\n\r\n", false, false, ""}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ResponseHeadParserTest, InterimAnswersAreFollowedByAnother) {
  ResponseHeadParser parser;
  const std::string bytes = Answer("100 Continue", "") + Answer("201 Created", "");
  const HeadResult first = parser.Parse(bytes);
  ASSERT_EQ(first.state, HeadState::kDone);
  EXPECT_TRUE(parser.head().interim());
  parser.Reset({});
  const std::string rest = bytes.substr(first.size);
  ASSERT_EQ(parser.Parse(rest).state, HeadState::kDone);
  EXPECT_EQ(parser.head().status, 201);
  EXPECT_EQ(parser.head().reason, "Created");
  EXPECT_FALSE(parser.head().interim());
}

}  // namespace
}  // namespace swarm::net
