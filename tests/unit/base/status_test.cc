#include "swarmlib/status.h"

#include <gtest/gtest.h>

#include "swarmlib/registry.h"

namespace swarm {
namespace {

struct Case {
  absl::Status status;
  int http;
};

class HttpStatusTest : public testing::TestWithParam<Case> {};

TEST_P(HttpStatusTest, EachCodeHasItsUsualOne) {
  EXPECT_EQ(HttpStatusOf(GetParam().status), GetParam().http);
}

INSTANTIATE_TEST_SUITE_P(
    , HttpStatusTest,
    testing::Values(Case{absl::OkStatus(), 200}, Case{InvalidArgument("x"), 400},
                    Case{NotFound("x"), 404}, Case{AlreadyExists("x"), 409},
                    Case{FailedPrecondition("x"), 409}, Case{ResourceExhausted("x"), 429},
                    Case{Cancelled("x"), 499}, Case{Internal("x"), 500},
                    Case{Unimplemented("x"), 501}, Case{Unavailable("x"), 503},
                    Case{DeadlineExceeded("x"), 504}, Case{HttpError(418, "x"), 418},
                    Case{HttpError(502, "x"), 502}));

TEST(Status, HttpErrorKeepsTheEnginesBody) {
  const absl::Status status = HttpError(404, "no such image", "{\"message\":\"no\"}");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(EngineBodyOf(status), "{\"message\":\"no\"}");
  EXPECT_EQ(EngineBodyOf(NotFound("x")), "");
}

TEST(Status, AnnotateKeepsCodeAndPayloads) {
  const absl::Status status = Annotate(HttpError(403, "no", "body"), "node n1");
  EXPECT_EQ(MessageOf(status), "node n1: no");
  EXPECT_EQ(HttpStatusOf(status), 403);
  EXPECT_EQ(EngineBodyOf(status), "body");
  EXPECT_TRUE(Annotate(absl::OkStatus(), "x").ok());
}

TEST(Registry, NamesAreUniqueAndSorted) {
  Registry<int> registry;
  EXPECT_TRUE(registry.Add("b", 2).ok());
  EXPECT_TRUE(registry.Add("a", 1).ok());
  EXPECT_EQ(registry.Add("a", 3).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(*registry.Find("a"), 1);
  EXPECT_EQ(registry.Find("c"), nullptr);
  EXPECT_EQ(registry.Names(), (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace swarm
