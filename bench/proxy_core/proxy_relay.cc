// The library's own server and relay (src/net), with the routing of this experiment.

#include <memory>
#include <string>
#include <utility>

#include "async/loop.h"
#include "net/client.h"
#include "net/relay.h"
#include "net/server.h"
#include "routing.h"

namespace {

using swarm::Loop;
using swarm::Reply;
using swarm::Request;
using swarm::ResultCallback;

}  // namespace

int main(int argc, char** argv) {
  const std::uint16_t port = proxy_core::UpstreamPort(argc, argv);
  const proxy_core::Routes routes;
  Loop loop(swarm::SystemClock(), nullptr);
  auto endpoint = std::make_shared<swarm::net::Endpoint>();
  endpoint->address.host = "127.0.0.1";
  endpoint->address.port = port;
  const auto upstream = std::make_shared<swarm::net::Client>(loop, endpoint);
  swarm::net::ServerOptions options;
  options.forward = [&](const swarm::net::RequestHead& head, swarm::net::Forward* forward) {
    forward->target.clear();
    if (!routes.Rewrite(head.target, &forward->target)) return false;
    forward->upstream = upstream;
    return true;
  };
  // The first request of each connection finds nothing kept and comes this way.
  auto handle = [&](Request request, ResultCallback<Reply> done) {
    std::string target;
    if (!routes.Rewrite(request.target, &target)) {
      Reply missing;
      missing.status = 404;
      return done(std::move(missing));
    }
    request.target = std::move(target);
    upstream->Open(std::move(request), {}, std::move(done));
  };
  swarm::net::Server server(loop, std::move(options), handle);
  if (!server.Listen("tcp://127.0.0.1:0").ok()) return 1;
  const std::string address = server.addresses().front();
  proxy_core::AnnouncePort(
      static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  loop.Run();
}
