#include "net/http_head_writer.h"

#include <gtest/gtest.h>

#include <string>

namespace swarm::net {
namespace {

// What may go on to the next hop.
void CopyFields(std::string* out, const HeadFields& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field field = fields[i];
    if (field.kind != FieldKind::kOther || fields.NamedInConnection(field.name)) continue;
    EXPECT_TRUE(AppendField(out, field.name, field.value));
  }
}

TEST(HttpHeadWriterTest, WritesARequestOfItsOwn) {
  const std::string received =
      "POST /containers/web/attach HTTP/1.1\r\nHost: manager\r\nConnection: close, X-Hop, te\r\n"
      "x-hop: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nTrailer: X\r\nProxy-Authorization: b\r\n"
      "Upgrade: h2c\r\nExpect: 100-continue\r\nX-Registry-Auth:   abc  \r\nContent-Length: 3\r\n"
      "Content-Type: application/json\r\n\r\n";
  RequestHeadParser parser;
  ASSERT_EQ(parser.Parse(received).state, HeadState::kDone);
  std::string out;
  AppendRequestLine(&out, parser.head().method, "/v1.41/containers/abc/attach");
  EXPECT_TRUE(AppendField(&out, "Host", "node1"));
  CopyFields(&out, parser.head().fields);
  AppendFraming(&out, parser.head().framing);
  AppendHeadEnd(&out);
  EXPECT_EQ(out,
            "POST /v1.41/containers/abc/attach HTTP/1.1\r\nHost: node1\r\n"
            "X-Registry-Auth: abc\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n");
}

TEST(HttpHeadWriterTest, WritesAnAnswerOfItsOwn) {
  const std::string received =
      "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nTransfer-Encoding: chunked\r\n"
      "Connection: keep-alive\r\n\r\n";
  ResponseHeadParser parser;
  ASSERT_EQ(parser.Parse(received).state, HeadState::kDone);
  std::string out;
  AppendStatusLine(&out, parser.head().status, parser.head().reason);
  CopyFields(&out, parser.head().fields);
  AppendFraming(&out, parser.head().framing);
  AppendHeadEnd(&out);
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(HttpHeadWriterTest, FieldsCannotStartALineOfTheirOwn) {
  std::string out;
  EXPECT_FALSE(AppendField(&out, "X", "a\r\nY: b"));
  EXPECT_FALSE(AppendField(&out, "X", "a\nb"));
  EXPECT_FALSE(AppendField(&out, "X", std::string("a\0", 2)));
  EXPECT_FALSE(AppendField(&out, "X: a\r\nY", "b"));
  EXPECT_FALSE(AppendField(&out, "", "b"));
  EXPECT_TRUE(out.empty());
  AppendContentLength(&out, 0);
  AppendContentLength(&out, kMaxContentLength);
  AppendFraming(&out, {});
  AppendFraming(&out, {.kind = BodyKind::kUntilClose});
  EXPECT_EQ(out, "Content-Length: 0\r\nContent-Length: 9223372036854775807\r\n");
}

TEST(HttpHeadWriterDeathTest, StartLinesCannotBeSplit) {
  std::string out;
  EXPECT_DEATH(AppendRequestLine(&out, "GET", "/a HTTP/1.1\r\nX: y"), "");
  EXPECT_DEATH(AppendRequestLine(&out, "GET /", "/"), "");
  EXPECT_DEATH(AppendRequestLine(&out, "GET", ""), "");
  EXPECT_DEATH(AppendStatusLine(&out, 200, "OK\r\nX: y"), "");
}

}  // namespace
}  // namespace swarm::net
