// HTTP/1.1 towards one endpoint, from one loop.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "async/loop.h"
#include "net/client_connection.h"
#include "net/connector.h"
#include "swarmlib/backend.h"
#include "swarmlib/callback.h"

namespace swarm::net {

class Exchange;

// Requests and a pool of idle connections. The three functions and their errors are those of
// BackendClient. Use and destroy it on its loop, or when that loop no longer runs. Destroying it
// cancels calls that have no answer yet; bodies and tunnels that were handed out live on.
class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(Loop& loop, std::shared_ptr<const Endpoint> endpoint);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Call(Request request, CallOptions options, ResultCallback<Reply> done);
  void Open(Request request, CallOptions options, ResultCallback<Reply> done);
  void Upgrade(Request request, CallOptions options, ResultCallback<Reply> done);

  // Cancels what runs and closes what is idle. Idempotent.
  void Close();

  std::size_t idle() const { return idle_.size(); }
  Loop& loop() { return loop_; }
  const std::shared_ptr<const Endpoint>& endpoint() const { return endpoint_; }
  const std::string& host_field() const { return host_field_; }

  // An idle connection that is still silent and open, or null.
  std::unique_ptr<ClientConnection> TakeIdle();
  // Keeps a connection whose exchange ended cleanly.
  void GiveBack(std::unique_ptr<ClientConnection> connection);
  void Forget(Exchange* exchange) { running_.erase(exchange); }

 private:
  void Run(std::shared_ptr<Exchange> exchange);
  // The same without the system call that asks the kernel: nothing has come so far as the loop
  // knows.
  std::unique_ptr<ClientConnection> TakeQuiet();
  void Sweep();

  Loop& loop_;
  const std::shared_ptr<const Endpoint> endpoint_;
  const std::string host_field_;
  struct Idle {
    std::unique_ptr<ClientConnection> connection;
    TimePoint since;
  };
  std::deque<Idle> idle_;  // newest last
  std::unordered_map<Exchange*, std::shared_ptr<Exchange>> running_;
  Loop::TimerId sweep_ = 0;
  bool closed_ = false;
};

}  // namespace swarm::net
