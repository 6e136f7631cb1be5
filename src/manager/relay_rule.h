// Which requests the server relays to an engine without the API's handlers.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/api.h"
#include "base/text.h"
#include "net/client.h"
#include "net/connector.h"
#include "net/server.h"
#include "net/tls.h"
#include "swarmlib/backend.h"
#include "swarmlib/cluster.h"

namespace swarm {

// The backends of a cluster over sockets, which the relays share with the handlers: one pool of
// connections an engine and a loop. Thread-safe.
class SocketBackends {
 public:
  SocketBackends(std::shared_ptr<net::TlsContext> tls, net::ResolveName resolve)
      : tls_(std::move(tls)), resolve_(std::move(resolve)) {}

  // For EngineClusterOptions::backend. An address that cannot be used gives a client that says why.
  std::unique_ptr<BackendClient> Make(const std::string& address);
  // The one made last for the address and still alive, or null.
  std::shared_ptr<BackendClient> Find(std::string_view address) const;
  // CloseOnThisLoop of every backend that is still alive, also of engines that have left.
  void CloseOnThisLoop() const;

 private:
  const std::shared_ptr<net::TlsContext> tls_;
  const net::ResolveName resolve_;
  mutable std::mutex mutex_;
  StringMap<std::weak_ptr<BackendClient>> made_;
  std::vector<std::weak_ptr<BackendClient>> all_;
  std::size_t sweep_at_ = 16;  // size of all_ at which those of engines that left are dropped
};

// The rule of one server: what Api::FastForward allows. All three outlive it; used on the server's
// loop.
net::ForwardRule MakeRelayRule(const Api& api, const Cluster& cluster,
                               const SocketBackends& backends);

}  // namespace swarm
