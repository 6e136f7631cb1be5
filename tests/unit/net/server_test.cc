#include "net/server.h"

#include <gtest/gtest.h>

#include "async/await.h"
#include "net_test_tools.h"
#include "swarmlib/status.h"

namespace swarm::net {
namespace {

// "METHOD target" and the body back.
Task<void> Echo(Request request, ResultCallback<Reply> done) {
  Reply reply;
  reply.headers.emplace_back("X-Method", request.method);
  reply.body = request.target;
  if (request.body_stream) {
    const absl::StatusOr<std::string> body = co_await ReadAll(*request.body_stream, 1U << 20U);
    if (!body.ok()) {
      done(body.status());
      co_return;
    }
    reply.body += "|" + *body;
  }
  done(std::move(reply));
}

Handler EchoHandler() {
  return [](Request request, ResultCallback<Reply> done) {
    Loop::Current()->Spawn(Echo(std::move(request), std::move(done)));
  };
}

TEST(ServerTest, AnswersOnKeepAliveConnections) {
  ServerThread server(EchoHandler());
  RawSocket client = server.Connect();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.Send("GET /a" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    const std::string answer = ReceiveAnswer(client);
    EXPECT_EQ(StatusOf(answer), 200) << answer;
    EXPECT_NE(answer.find("Content-Length: 3\r\n"), std::string::npos) << answer;
    EXPECT_NE(answer.find("X-Method: GET\r\n"), std::string::npos) << answer;
    EXPECT_NE(answer.find("Date: "), std::string::npos) << answer;
    EXPECT_TRUE(answer.ends_with("/a" + std::to_string(i))) << answer;
  }
}

}  // namespace
}  // namespace swarm::net
