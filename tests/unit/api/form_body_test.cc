// Engines read a form's body as parameters, before those of the query.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

class FormBodyTest : public ApiTest {
 protected:
  FormBodyTest() { AddUsual(); }

  // What the engine got whose request line begins so.
  const Seen* SeenAs(std::string_view start) {
    const auto found = std::find_if(cluster_.seen.begin(), cluster_.seen.end(),
                                    [&](const Seen& seen) { return seen.line.starts_with(start); });
    return found == cluster_.seen.end() ? nullptr : &*found;
  }
};

TEST_F(FormBodyTest, IsPassedOnWithoutItsType) {
  struct Case {
    const char* method;
    std::string target, start;
  };
  const Case cases[] = {
      {"PUT", "/v1.41/containers/web/archive?path=/tmp", "PUT /v1.41/containers/"},
      {"POST", "/v1.41/build?t=app&remote=http://a/b", "POST /v1.41/build?"},
      {"POST", "/v1.41/exec/" + FullId('e') + "/start", "POST /v1.41/exec/"},
  };
  cluster_.execs[FullId('e')] = cluster_.FindNode("n1")->address;
  for (const Case& one : cases) {
    for (const char* type :
         {"application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded ; charset=utf-8",
          "multipart/form-data; boundary=x", "multipart/form-data"}) {
      SCOPED_TRACE(std::string(one.target) + " " + type);
      cluster_.seen.clear();
      Request request = MakeRequest(one.method, one.target, "path=/etc&t=evil&remote=");
      SetHeader(request.headers, "Content-Type", type);
      Send(std::move(request));
      const Seen* const seen = SeenAs(one.start);
      ASSERT_NE(seen, nullptr);
      EXPECT_EQ(FindHeader(seen->headers, "Content-Type"), nullptr);
      EXPECT_EQ(seen->body, "path=/etc&t=evil&remote=");
    }
  }
}

TEST_F(FormBodyTest, IsNoJson) {
  for (const char* target : {"/v1.41/containers/create", "/v1.41/containers/web/exec",
                             "/v1.41/commit?container=web", "/v1.41/networks/create"}) {
    cluster_.seen.clear();
    Request request = MakeRequest("POST", target, "container=db");
    SetHeader(request.headers, "Content-Type", "application/x-www-form-urlencoded");
    EXPECT_EQ(Send(std::move(request)).status, 400) << target;
    EXPECT_TRUE(cluster_.seen.empty()) << target;
  }
}

}  // namespace
}  // namespace swarm::testing
