#include "net/client.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "async/await.h"
#include "net_test_tools.h"
#include "swarmlib/status.h"

namespace swarm::net {
namespace {

std::shared_ptr<const Endpoint> EndpointOf(std::string_view address) {
  auto endpoint = std::make_shared<Endpoint>();
  endpoint->address = *ParseAddress(address);
  return endpoint;
}

Request Get(std::string target) {
  Request request;
  request.method = "GET";
  request.target = std::move(target);
  return request;
}

// A client on a loop of its own, used from the test's thread.
class ClientThread {
 public:
  explicit ClientThread(std::string_view address) {
    thread_.On([&] { client_ = std::make_shared<Client>(thread_.loop, EndpointOf(address)); });
  }
  ~ClientThread() {
    thread_.On([this] { client_.reset(); });
  }

  using Answer = absl::StatusOr<Reply>;
  std::future<Answer> Start(void (Client::*how)(Request, CallOptions, ResultCallback<Reply>),
                            Request request, CallOptions options = {}) {
    auto promise = std::make_shared<std::promise<Answer>>();
    auto answer = promise->get_future();
    thread_.On([&] {
      ((*client_).*how)(std::move(request), std::move(options),
                        [promise](Answer got) { promise->set_value(std::move(got)); });
    });
    return answer;
  }
  Answer Call(Request request, CallOptions options = {}) {
    return Start(&Client::Call, std::move(request), std::move(options)).get();
  }
  std::size_t idle() {
    return thread_.On([this] { return client_->idle(); });
  }
  LoopThread& thread() { return thread_; }
  std::shared_ptr<Client>& client() { return client_; }

 private:
  LoopThread thread_;
  std::shared_ptr<Client> client_;
};

TEST(ClientTest, CallsAndReusesConnections) {
  RawListener engine;
  ClientThread client(engine.address());
  auto first = client.Start(&Client::Call, Get("/one"));
  RawSocket connection = engine.Accept();
  const std::string head = connection.ReceiveUntil("\r\n\r\n");
  EXPECT_EQ(head, "GET /one HTTP/1.1\r\nHost: " + engine.address().substr(6) + "\r\n\r\n");
  connection.Send("HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 3\r\n\r\nabc");
  const auto reply = first.get();
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->body, "abc");
  EXPECT_EQ(*FindHeader(reply->headers, "x-a"), "b");
  EXPECT_EQ(client.idle(), 1U);

  auto second = client.Start(&Client::Call, Get("/two"));
  EXPECT_NE(connection.ReceiveUntil("\r\n\r\n").find("GET /two "), std::string::npos);
  connection.Send("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n");
  const auto missing = second.get();
  ASSERT_TRUE(missing.ok()) << missing.status();
  EXPECT_EQ(missing->status, 404);
  EXPECT_EQ(missing->body, "no");
}

}  // namespace
}  // namespace swarm::net
