// A whole manager: discovery, engines, scheduler and API, in one object.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "swarmlib/backend.h"
#include "swarmlib/callback.h"
#include "swarmlib/clock.h"
#include "swarmlib/cluster.h"
#include "swarmlib/discovery.h"
#include "swarmlib/exchange.h"
#include "swarmlib/filter.h"
#include "swarmlib/log.h"
#include "swarmlib/strategy.h"

namespace swarm {

// One set of files for both roles: server certificate to clients, client certificate to engines.
struct TlsConfig {
  bool enabled = false;  // --tls
  // --tlsverify: clients must show a certificate of the CA, engines are verified.
  bool verify = false;
  std::string ca_file, certificate_file, key_file;  // PEM
};

// How container names are shown: "/web" and "/node/web", only "/node/web", or only "/web".
enum class NameStyle { kBoth, kNode, kPlain };

// Which containers' published ports the manager listens on too, and carries to their node: none,
// those with the label com.docker.swarm.relay, or all without "com.docker.swarm.relay=false".
enum class RelayPorts { kOff, kLabel, kAll };

inline constexpr double kMostOvercommit = 1000;
inline constexpr int kMaxThreads = 1'024;

// The least of Config::client_memory and Config::event_memory, in bytes.
inline constexpr std::size_t kMinClientMemory = 1U << 20U;

struct Config {
  std::string discovery;            // URL; see discovery.h
  std::vector<std::string> listen;  // "tcp://127.0.0.1:2375", "unix:///run/swarm.sock"
  std::string strategy = "spread";
  std::vector<std::string> filters;  // empty = all built-in ones
  TlsConfig tls;
  bool insecure = false;  // plain TCP beyond loopback is wanted
  NameStyle names = NameStyle::kBoth;
  // Share of memory and processors above what a node has; > -1, at most kMostOvercommit.
  double overcommit = 0.05;
  int create_retry = 0;              // further tries after a failed create
  bool cpu_shares_as_cores = false;  // the peer's reading of -c
  bool pull_on_create = false;       // a create pulls an image that no node has, as the peer did
  RelayPorts relay_ports = RelayPorts::kOff;  // begins with Serve, on the hosts of `listen`
  bool cors = false;
  bool experimental = false;  // told by /info and /version, as the peer did; changes nothing else
  Duration heartbeat = std::chrono::seconds(60);
  Duration refresh_min = std::chrono::seconds(30);
  Duration refresh_max = std::chrono::seconds(60);
  int failure_retry = 3;
  // Of one health or state call; a time-out is a failure.
  Duration engine_timeout = std::chrono::seconds(10);
  // Connections of clients that are open at once, on all loops and addresses. 0 = half of what the
  // process's limit of descriptors leaves free; each may need a second one to an engine. When they
  // are all there, the one that has been idle longest is closed for the next.
  int max_connections = 0;
  // Those of one client: an IPv4 address, an IPv6 network of 64 bits, or a user on a unix socket.
  // 0 = half of max_connections.
  int max_connections_per_client = 0;
  int threads = 0;  // loops, kMaxThreads at most; 0 = one a processor
  // Bytes, at least kMinClientMemory: what request bodies in memory and answers that their clients
  // have not read may take, over all loops. While it is used up, new requests get 503 with
  // Retry-After; what was accepted goes on.
  std::size_t client_memory = 64U << 20U;
  // Bytes, at least kMinClientMemory, of the event history: what `since` of /events is answered
  // from, and where clients that follow events read.
  std::size_t event_memory = 32U << 20U;
  // Clients that follow /events at once, at least 1; further ones get 503 with Retry-After.
  int event_listeners = 16'384;
  // The loops run on threads that call Manager::Run, `threads` (then at least 1) of them, instead
  // of on threads of the manager's own.
  bool caller_threads = false;
  std::uint64_t seed = 0;  // of names, jitter and `random`; 0 = from the operating system
  LogSink log;             // empty = nothing is logged, and nothing is ever printed
  Clock* clock = nullptr;  // null = SystemClock(); must outlive the manager, and go by itself

  // What there is to choose from by name; add what is your own. The makers are called by Open, and
  // what they make lives until the manager is destroyed.
  FilterRegistry filter_registry = BuiltinFilters();
  StrategyRegistry strategy_registry = BuiltinStrategies();
  DiscoveryRegistry discovery_registry = BuiltinDiscovery();
  // Makes the client of one engine; empty = over TCP or TLS. Schemes such as sim:// set it. Called
  // on a loop of the manager whenever discovery names an address that is new, never null. The
  // client is destroyed on any thread, when its engine has left and at the latest with the manager.
  std::function<std::unique_ptr<BackendClient>(const std::string& address)> backend;
};

// True when only this machine reaches a listen address: "unix://...", or "tcp://" with localhost,
// 127.0.0.0/8 or [::1] in digits. A name such as 127.example.com is not resolved and does not
// count.
bool IsLoopbackAddress(std::string_view listen_address);

// Thread-safe. Destroying it closes it. Several managers may be open in one process; they share
// nothing.
//
// None of the calls that block (Serve, Begin and what it gives, Call, WaitReady, Run, Close) may be
// made on a thread of the manager itself, that is in a callback, a filter or a strategy. After
// fork() the child has none of the manager's threads: there each call that can say so says
// FailedPrecondition, cluster() must not be used, and destroying the manager only forgets it.
class Manager {
 public:
  // Checks the configuration, starts discovery and the loops. InvalidArgument names the field that
  // is wrong.
  static absl::StatusOr<std::unique_ptr<Manager>> Open(Config config);
  ~Manager();
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // Listens on Config::listen: every address is bound, or none and it may be tried again. Nothing
  // is accepted before this. Once it was ok, FailedPrecondition: a manager listens once.
  absl::Status Serve();

  // The addresses really bound, "tcp://127.0.0.1:49153": port 0 is resolved.
  std::vector<std::string> addresses() const;

  // The whole API in process, without a socket. `done` comes on a loop of the manager, and the
  // streams of the reply are used on that loop only. An error only when there is no answer:
  // Cancelled after Close, then from inside the call.
  void Handle(Request request, ResultCallback<Reply> done);

  // The same for callers that block. With `streamed`, the request's body is what Exchange::Write is
  // given until CloseWrite (of body_length bytes, when that is set), after `request.body`.
  // Request::body_stream, peer and stop are set by the manager. Never null.
  std::unique_ptr<Exchange> Begin(Request request, bool streamed = false);

  // The whole exchange: the answer's body is in `body`. Any status is a value; the errors are those
  // of BackendClient. An answer that becomes a tunnel is refused with FailedPrecondition.
  absl::StatusOr<Reply> Call(Request request, CallOptions options);

  // With Config::caller_threads: runs one loop on the calling thread until Close.
  // FailedPrecondition without caller_threads, and when every loop has its thread.
  absl::Status Run();

  // Where a container would go. Changes nothing.
  absl::StatusOr<Explanation> Plan(const ContainerSpec& spec);

  // The same for a create body as clients send it (JSON), with the query parameters `name` and
  // `platform`. InvalidArgument: the body or an expression in it cannot be read.
  absl::StatusOr<Explanation> PlanCreate(const std::string& body, const std::string& name,
                                         const std::string& platform);

  // Never null, lives as long as the manager.
  Cluster& cluster();

  // Waits until every engine of the first discovery answer was tried once. DeadlineExceeded after
  // `timeout`; the message holds the last error of discovery, if there was no answer without one.
  absl::Status WaitReady(Duration timeout);

  // Stops accepting, lets requests of clients, of Handle and of Call end, at most `grace`, then
  // cuts what is left, the streams and tunnels of Begin among it, and returns when nothing of the
  // manager runs any more, also to further threads that call it meanwhile. Blocks. Answers that go
  // on for as long as their client follows them (events, followed logs, statistics) are not waited
  // for. Beyond `grace` it takes as long as engines are given to hear that calls were given up, 5 s
  // at most, and as long as a filter of Config::filter_registry takes that runs then.
  void Close(Duration grace);

 private:
  class Impl;
  explicit Manager(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm
