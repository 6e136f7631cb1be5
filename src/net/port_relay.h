// One port of this host, whose connections are carried to an address elsewhere.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "async/loop.h"
#include "net/address.h"
#include "net/listener.h"

namespace swarm::net {

// Connections of all relays that share it. On one loop.
struct RelayBudget {
  std::size_t most = 0;
  std::size_t open = 0;
};

// Accepts on the listeners, connects to `target` for each connection (bounded by kConnectDeadline)
// and carries bytes both ways with half-close. When the target is not reached the client's
// connection is closed. With the budget used up, more connections wait in the kernel's queue. On
// the loop.
class PortRelay {
 public:
  PortRelay(Loop& loop, std::vector<Listener> listeners, Address target,
            std::shared_ptr<RelayBudget> budget);
  // Closes the port and cuts its connections.
  ~PortRelay();
  PortRelay(const PortRelay&) = delete;
  PortRelay& operator=(const PortRelay&) = delete;

  const Address& target() const;

 private:
  class Acceptor;
  struct Core;
  const std::shared_ptr<Core> core_;
};

}  // namespace swarm::net
