#include "sim/sim_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <utility>

#include "async/await.h"
#include "base/text.h"
#include "sim/memory_stream.h"
#include "sim/sim_backend.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr std::uint32_t kFirstHost = 0x7f400001;  // 127.64.0.1

// The index of the engine that a connection came to, or nothing readable.
std::string NameByDestination(int socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return "unknown";
  if (storage.ss_family != AF_INET) return "unknown";
  const std::uint32_t host = ntohl(reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr.s_addr);
  return host < kFirstHost ? "unknown" : std::to_string(host - kFirstHost);
}

// The server takes no status below 200 as an answer and drops the connection.
Reply DroppedConnection() { return Reply{.status = 0}; }

// Lets only the first bytes of the body or tunnel through.
void Cut(Loop& loop, const Fault& fault, Reply& reply) {
  const std::uint64_t whole = reply.body.size();
  if (!reply.body_stream && !reply.tunnel)
    reply.body_stream = StreamOf(loop, std::exchange(reply.body, {}));
  auto& stream = static_cast<MemoryStream&>(reply.tunnel ? *reply.tunnel : *reply.body_stream);
  const bool is_orderly = fault.kind != Fault::Kind::kReset;
  stream.incoming().CutAfter(fault.bytes,
                             is_orderly ? absl::OkStatus() : Internal("simulated reset"));
  if (fault.kind == Fault::Kind::kLyingLength && reply.body_stream)
    reply.body_length = whole + fault.bytes + 1;
}

}  // namespace

std::string SimHost(std::size_t index) {
  const in_addr address{htonl(kFirstHost + static_cast<std::uint32_t>(index))};
  char text[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &address, text, sizeof text);
  return text;
}

struct SimServer::Core : std::enable_shared_from_this<SimServer::Core> {
  Core(Loop& on, std::shared_ptr<Simulation> of) : loop(on), simulation(std::move(of)) {}

  void Take(Request request, ResultCallback<Reply> done) {
    const std::optional<std::uint64_t> index = ParseUnsigned(request.peer.address);
    std::shared_ptr<SimulatedEngine> engine = index ? simulation->engine_at(*index) : nullptr;
    if (!engine) return done(DroppedConnection());
    loop.Spawn(Serve(shared_from_this(), std::move(engine), std::move(request), std::move(done)));
  }

  static Task<void> Serve(std::shared_ptr<Core> self, std::shared_ptr<SimulatedEngine> engine,
                          Request request, ResultCallback<Reply> done) {
    if (request.body_stream) {
      Stream& stream = *request.body_stream;
      absl::StatusOr<std::string> body = co_await ReadAll(stream, kMostSimRequestBytes);
      if (!body.ok()) {
        done(body.status());
        co_return;
      }
      request.body = *std::move(body);
      request.body_stream.reset();
    }
    const std::optional<Fault> fault = NextSimFault(*engine, request);
    Duration delay = self->simulation->latency();
    if (fault && fault->kind == Fault::Kind::kSlow) delay += fault->delay;
    if (delay > Duration::zero()) co_await SleepFor(delay);
    self->Answer(*engine, request, fault, std::move(done));
  }

  void Answer(SimulatedEngine& engine, const Request& request, const std::optional<Fault>& fault,
              ResultCallback<Reply> done) {
    using Kind = Fault::Kind;
    if (!fault || fault->kind == Kind::kSlow) {
      Reply reply = engine.Handle(request);
      if (reply.tunnel && simulation->latency() > Duration::zero())
        DelayTunnel(loop, *reply.tunnel);
      return done(std::move(reply));
    }
    switch (fault->kind) {
      case Kind::kSilence:
      case Kind::kConnectTimeout: silent.push_back(std::move(done)); return;
      case Kind::kRefuse: return done(DroppedConnection());
      case Kind::kError: return done(SimulatedFailure(fault->status));
      case Kind::kLostAnswer: engine.Handle(request); return done(DroppedConnection());
      default: break;
    }
    Reply reply = engine.Handle(request);
    Cut(loop, *fault, reply);
    done(std::move(reply));
  }

  Loop& loop;
  std::shared_ptr<Simulation> simulation;
  // Calls that are never answered: their clients give up first.
  std::vector<ResultCallback<Reply>> silent;
};

SimServer::SimServer(Loop& loop, std::shared_ptr<Simulation> simulation)
    : core_(std::make_shared<Core>(loop, std::move(simulation))) {
  net::ServerOptions options;
  options.name_peer = NameByDestination;
  server_ = std::make_unique<net::Server>(
      loop, std::move(options),
      [weak = std::weak_ptr<Core>(core_)](Request request, ResultCallback<Reply> done) {
        const auto core = weak.lock();
        if (!core) return done(DroppedConnection());
        core->Take(std::move(request), std::move(done));
      });
}

SimServer::~SimServer() = default;

absl::Status SimServer::Listen(std::uint16_t port) {
  return server_->Listen("tcp://0.0.0.0:" + std::to_string(port));
}

std::vector<std::string> SimServer::addresses() const {
  std::vector<std::string> addresses;
  const std::vector<std::string> bound = server_->addresses();
  if (bound.empty()) return addresses;
  const std::string port = bound.front().substr(bound.front().rfind(':'));
  const std::size_t count = core_->simulation->addresses().size();
  for (std::size_t i = 0; i < count; ++i) addresses.push_back(SimHost(i) + port);
  return addresses;
}

}  // namespace swarm
