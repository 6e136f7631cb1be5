// Line ends and zero bytes in the fields of an engine's head: the client gets one answer, which
// says what the engine did, on the handler's way and on the fast path.
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net_test_tools.h"
#include "swarmlib/status.h"
#include "two_ways.h"

namespace swarm::net {
namespace {

class EngineHeaderTest : public testing::TestWithParam<const char*> {};

TEST_P(EngineHeaderTest, ControlBytesAreNoSecondFieldAndNoSecondAnswer) {
  TwoWays ways;
  const std::vector<std::string> odd = {"\r", "\n", std::string(1, '\0'), "\x7f", "\r\r\n"};
  for (const char* target : {"/handled", "/fast"}) {
    for (const std::string& bytes : odd) {
      const std::string answer =
          ways.Answer(target, "HTTP/1.1 200 OK\r\n" + std::string(GetParam()) + ": a" + bytes +
                                  "X-Injected: 1\r\nContent-Length: 0\r\n\r\n");
      EXPECT_EQ(StatusOf(answer), 502) << target << answer;
      EXPECT_EQ(answer.find("X-Injected"), std::string::npos) << target << answer;
      EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << target << answer;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, EngineHeaderTest,
                         testing::Values("Location", "Docker-Experimental", "Docker-Odd",
                                         "Api-Version", "Server", "Ostype", "Content-Type", "Date",
                                         "X-Docker-Container-Path-Stat", "Builder-Version"),
                         [](const auto& info) {
                           std::string name(info.param);
                           std::erase(name, '-');
                           return name;
                         });

// A whole field more is a field: nothing was split. It comes to the client as any other.
TEST(EngineHeader, StartLineIsTheManagersOwn) {
  TwoWays ways;
  for (const char* target : {"/handled", "/fast"}) {
    const std::string answer = ways.Answer(
        target, "HTTP/1.1 200 I say so\tHTTP/1.1 500\r\nX-Own: 1\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_NE(answer.find("\r\nX-Own: 1\r\n"), std::string::npos) << answer;
  }
}

TEST(ForwardFields, ValueWithControlBytesIsLeftOut) {
  FieldLines lines;
  EXPECT_TRUE(lines.Add("Server", "swarmd"));
  for (const std::string& value :
       {std::string("linux\r\nX-Injected: 1"), std::string("a\nb"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(lines.Add("Ostype", value));
    EXPECT_FALSE(lines.Add(value, "linux"));
  }
  EXPECT_EQ(lines.text(), "Server: swarmd\r\n");
}

// A client in the manager's own process is not checked by a parser.
TEST(EngineRequest, HeaderWithControlBytesIsNotSent) {
  LoopThread thread;
  RawListener engine;
  auto endpoint = std::make_shared<Endpoint>();
  endpoint->address = *ParseAddress(engine.address());
  auto client = thread.On([&] { return std::make_shared<Client>(thread.loop, endpoint); });
  std::promise<absl::Status> answered, refused;
  thread.On([&] {
    Request request;
    request.method = "POST";
    request.target = "/v1.41/images/create";
    request.headers = {{"X-Registry-Auth", "e30=\r\nX-Injected: 1\r\n\r\nGET / HTTP/1.1"},
                       {"X-Kept", "1"},
                       {"X-Odd\r\nX-Injected", "1"}};
    client->Call(std::move(request), {}, [&](auto got) { answered.set_value(got.status()); });
    Request split;
    split.method = "GET";
    split.target = "/images/a HTTP/1.1\r\nX-Injected: 1\r\n\r\nGET /json";
    client->Call(std::move(split), {}, [&](auto got) { refused.set_value(got.status()); });
  });
  EXPECT_EQ(refused.get_future().get().code(), absl::StatusCode::kInvalidArgument);
  RawSocket taken = engine.Accept();
  const std::string head = taken.ReceiveUntil("\r\n\r\n");
  EXPECT_EQ(head.find("X-Injected"), std::string::npos) << head;
  EXPECT_NE(head.find("X-Kept: 1\r\n"), std::string::npos) << head;
  taken.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(answered.get_future().get().ok());
  EXPECT_FALSE(engine.HasNewConnection(std::chrono::milliseconds(0)));
  thread.On([&] { client.reset(); });
}

}  // namespace
}  // namespace swarm::net
