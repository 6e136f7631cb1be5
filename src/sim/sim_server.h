// Simulated engines over real sockets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "async/loop.h"
#include "net/server.h"
#include "sim/simulation.h"

namespace swarm {

// One listening socket for all engines of a simulation: each is reached at a loopback address of
// its own, and told from the others by the address that the client connected to. Connections that
// come to any other address are dropped. Faults act as far as one socket can: a refused connection
// is accepted and dropped.
//
// On the loop's thread, or while the loop does not run. Destroyed before the loop and while it does
// not run.
class SimServer {
 public:
  SimServer(Loop& loop, std::shared_ptr<Simulation> simulation);
  ~SimServer();
  SimServer(const SimServer&) = delete;
  SimServer& operator=(const SimServer&) = delete;

  // `port` 0 = one that the kernel picks. AlreadyExists when it is taken.
  absl::Status Listen(std::uint16_t port);

  // "127.64.0.1:49153" ..., the first for the first engine of the simulation and so on.
  std::vector<std::string> addresses() const;

 private:
  struct Core;
  std::shared_ptr<Core> core_;
  std::unique_ptr<net::Server> server_;
};

// The loopback address of the engine at `index` (from 0), "127.64.0.1".
std::string SimHost(std::size_t index);

}  // namespace swarm
