// A Client on a loop of its own, for tests.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "async/await.h"
#include "net/bounds.h"
#include "net/client.h"
#include "net_test_tools.h"
#include "swarmlib/status.h"

namespace swarm::net {

inline std::shared_ptr<const Endpoint> EndpointOf(std::string_view address) {
  auto endpoint = std::make_shared<Endpoint>();
  endpoint->address = *ParseAddress(address);
  return endpoint;
}

inline Request Get(std::string target) {
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

using How = void (Client::*)(Request, CallOptions, ResultCallback<Reply>);

using Text = absl::StatusOr<std::string>;

inline Task<void> ReadInto(Stream* body, std::shared_ptr<std::promise<Text>> into) {
  Text all = co_await ReadAll(*body, 64U << 20U);
  into->set_value(std::move(all));
}

// Reads a whole body on the client's loop.
inline Text ReadBody(ClientThread& client, Reply& reply) {
  auto promise = std::make_shared<std::promise<Text>>();
  auto result = promise->get_future();
  client.thread().loop.Spawn(ReadInto(reply.body_stream.get(), promise));
  return result.get();
}

inline void Drop(ClientThread& client, absl::StatusOr<Reply>& reply) {
  client.thread().On([&] { *reply = Reply(); });
}

}  // namespace swarm::net
