#pragma once

// What the tests of request and response heads share.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "net/http_head.h"

namespace swarm::net {

// What a head was understood as, in one line, so that tables can state it and cuts can be compared.
inline std::string Describe(const Head& head) {
  std::string text = head.minor_version == 1 ? "1.1 " : "1.0 ";
  switch (head.framing.kind) {
    case BodyKind::kNone: text += "none"; break;
    case BodyKind::kLength: text += "length=" + std::to_string(head.framing.length); break;
    case BodyKind::kChunked: text += "chunked"; break;
    case BodyKind::kUntilClose: text += "until-close"; break;
  }
  text += head.keep_alive ? " keep" : " close";
  if (head.expect_continue) text += " expect";
  if (!head.upgrade.empty()) text += " upgrade=" + std::string(head.upgrade);
  return text;
}

inline std::string DescribeFields(const HeadFields& fields) {
  std::string text;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    text += std::string(fields[i].name) + "=" + std::string(fields[i].value) + "|";
  }
  return text;
}

inline std::string Describe(const HeadResult& result) {
  switch (result.state) {
    case HeadState::kNeedMore: return "more";
    case HeadState::kError: return std::to_string(result.status) + " " + std::string(result.reason);
    case HeadState::kDone: return "done " + std::to_string(result.size);
  }
  return "?";
}

inline std::string Outcome(const RequestHeadParser& parser, const HeadResult& result) {
  std::string text = Describe(result);
  if (result.state != HeadState::kDone) return text;
  const RequestHead& head = parser.head();
  return text + " " + std::string(head.method) + " " + std::string(head.target) + " " +
         std::string(head.host) + " " + Describe(head) + " " + DescribeFields(head.fields);
}

inline std::string Outcome(const ResponseHeadParser& parser, const HeadResult& result) {
  std::string text = Describe(result);
  if (result.state != HeadState::kDone) return text;
  const ResponseHead& head = parser.head();
  return text + " " + std::to_string(head.status) + " " + std::string(head.reason) + " " +
         Describe(head) + " " + DescribeFields(head.fields);
}

// Feeds `bytes` grown by `step` at a time, each time from a fresh copy, as a buffer that moves.
template <typename Parser>
std::string FeedGrowing(Parser* parser, std::string_view bytes, std::size_t step) {
  HeadResult result;
  std::string copy;
  for (std::size_t size = 0;; size = std::min(size + step, bytes.size())) {
    std::string grown(bytes.substr(0, size));
    copy.swap(grown);
    result = parser->Parse(copy);
    if (result.state != HeadState::kNeedMore || size == bytes.size()) break;
  }
  return Outcome(*parser, result);
}

// The outcome of the whole must be that of every cut in two and of single bytes.
template <typename MakeParser>
std::string ParseEveryWay(std::string_view bytes, MakeParser make) {
  auto whole_parser = make();
  const std::string whole = Outcome(whole_parser, whole_parser.Parse(bytes));
  auto single = make();
  const std::size_t step = bytes.size() < 2000 ? 1 : 499;
  EXPECT_EQ(FeedGrowing(&single, bytes, step), whole) << "in steps of " << step;
  for (std::size_t cut = 0; cut <= bytes.size() && bytes.size() < 2000; ++cut) {
    auto parser = make();
    const std::string first(bytes.substr(0, cut));
    HeadResult result = parser.Parse(first);
    if (result.state == HeadState::kNeedMore) result = parser.Parse(bytes);
    EXPECT_EQ(Outcome(parser, result), whole) << "cut at " << cut;
  }
  return whole;
}

}  // namespace swarm::net
