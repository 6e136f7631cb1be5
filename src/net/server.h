// An HTTP/1.1 server on one loop.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "async/loop.h"
#include "base/memory_budget.h"
#include "net/connection_room.h"
#include "net/http_head.h"
#include "net/listener.h"
#include "net/stalled_streams.h"
#include "swarmlib/backend.h"
#include "swarmlib/callback.h"

namespace swarm::net {

class TlsContext;

// Answers one request. Called on the server's loop; may call back at once or later, from any
// thread, once. An error becomes a JSON answer with HttpStatusOf(error). Requests with a body come
// with `body_stream` (bodies are not read ahead); it must be used on the loop. Bodies left unread
// are drained up to a bound (bounds.h). `Request::headers` holds end-to-end fields, and Upgrade
// when the client asked for one.
using Handler = std::function<void(Request, ResultCallback<Reply>)>;

struct Forward;  // relay.h

// Asked on the server's loop for each GET without a body and without Upgrade, in HTTP/1.1. True =
// `forward` is filled; false = the handler answers. When no connection to the engine is kept, or
// the kept one died, the handler answers too, so the rule decides only what is certain and leaves
// failures to it.
using ForwardRule = std::function<bool(const RequestHead& head, Forward* forward)>;

// The memory that clients make a server hold. Shared by all servers of a process.
struct ServerMemory {
  std::shared_ptr<MemoryBudget> budget;     // null = unbounded
  std::shared_ptr<StalledStreams> stalled;  // null = none goes before its time
};

// With what goes first when the budget is used up.
ServerMemory MakeServerMemory(std::size_t limit);

struct ServerOptions {
  std::shared_ptr<TlsContext> tls;  // null = plain; never used on unix sockets, as engines do
  // Shared with the other servers of a manager; null = one of its own, as large as the descriptors
  // allow, in which one client may take all.
  std::shared_ptr<ConnectionRoom> room;
  // Gives Peer::address of an accepted connection from its socket; null = the client's address.
  std::function<std::string(int socket)> name_peer;
  // Asked when a client has ended its side of the connection behind the whole of a request, with
  // that request: true = it lives for its client and is stopped; false = the client still reads,
  // and gets its answer unless the connection breaks. Null = true for every request. What `forward`
  // takes is never asked for: it only reads.
  std::function<bool(std::string_view method, std::string_view target)> lives_for_client;
  ServerMemory memory;
  ForwardRule forward;  // requests that go to an engine without the handler; null = none
  // Told of each of them, with Forward::route, the status that the client gets and the time to it;
  // may be empty.
  std::function<void(std::string_view route, int status, Duration took)> forwarded;
};

// All functions on the loop's thread, or while the loop does not run. Bounds and deadlines:
// bounds.h.
class Server {
 public:
  Server(Loop& loop, ServerOptions options, Handler handler);
  // Drops every connection; the work of running requests is asked to stop.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds and listens: BindListeners with one loop.
  absl::Status Listen(std::string_view address);

  // Accepts from a socket bound elsewhere.
  void Adopt(Listener listener);

  // As bound: "tcp://127.0.0.1:49153", "unix:///run/swarm.sock".
  std::vector<std::string> addresses() const;

  // Closes the listeners and idle connections; running requests go on, and their connections close
  // after them.
  void StopAccepting();

  // Requests that run: from head to the last byte of the answer, tunnels included.
  std::size_t active() const;

  // Open connections, idle ones included.
  std::size_t connections() const;

 private:
  class Acceptor;
  struct Core;
  std::shared_ptr<Core> core_;
};

}  // namespace swarm::net
