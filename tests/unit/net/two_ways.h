// A server that passes requests to an engine played by the test: "/fast..." by the fast path, the
// others by a handler.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "net/relay.h"
#include "net_test_tools.h"

namespace swarm::net {

class TwoWays {
 public:
  TwoWays()
      : server_(
            [this](Request request, ResultCallback<Reply> done) {
              Request asked;
              asked.method = request.method;
              asked.target = request.target;
              if (asked.target.starts_with("/open")) {
                upstream_->Open(std::move(asked), {}, std::move(done));
              } else {
                upstream_->Call(std::move(asked), {}, std::move(done));
              }
            },
            Options()) {
    auto endpoint = std::make_shared<Endpoint>();
    endpoint->address = *ParseAddress(engine_.address());
    server_.thread().On([&] { upstream_ = std::make_shared<Client>(server_.loop(), endpoint); });
  }
  ~TwoWays() {
    server_.thread().On([&] { upstream_.reset(); });
  }

  // The engine's end of a connection that the server keeps.
  RawSocket Warm() {
    RawSocket client = server_.Connect();
    client.Send("GET /warm HTTP/1.1\r\nHost: m\r\n\r\n");
    RawSocket engine = engine_.Accept();
    engine.ReceiveUntil("\r\n\r\n");
    engine.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(StatusOf(ReceiveAnswer(client)), 200);
    return engine;
  }

  // All that a client is told when the engine answers `target` with those bytes and ends.
  std::string Answer(const std::string& target, const std::string& bytes) {
    RawSocket engine = Warm();
    RawSocket client = server_.Connect();
    client.Send("GET " + target + " HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n");
    if (engine.ReceiveUntil("\r\n\r\n").find(target) == std::string::npos) return "not asked";
    engine.Send(bytes);
    engine.Close();
    return client.ReceiveAll();
  }

  ServerThread& server() { return server_; }
  RawListener& engine() { return engine_; }

 private:
  ServerOptions Options() {
    ServerOptions options;
    options.forward = [this](const RequestHead& head, Forward* forward) {
      if (!head.target.starts_with("/fast")) return false;
      forward->upstream = upstream_;
      forward->target = head.target;
      return true;
    };
    return options;
  }

  RawListener engine_;
  std::shared_ptr<Client> upstream_;
  ServerThread server_;
};

}  // namespace swarm::net
