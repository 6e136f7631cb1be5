#include "backend/socket_backend.h"

#include <map>
#include <mutex>
#include <utility>

#include "async/loop.h"
#include "base/check.h"
#include "net/client.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

class SocketBackend final : public BackendClient {
 public:
  explicit SocketBackend(std::shared_ptr<const net::Endpoint> endpoint)
      : endpoint_(std::move(endpoint)) {}

  // Each loop's connections are closed on that loop.
  ~SocketBackend() override {
    for (auto& [loop, client] : clients_) {
      if (loop == Loop::Current()) {
        client->Close();
      } else {
        loop->Post([client = std::move(client)] { client->Close(); });
      }
    }
  }

  void Call(Request request, CallOptions options, ResultCallback<Reply> done) override {
    const std::shared_ptr<net::Client> client = Mine();
    if (!client) return Refuse(std::move(done));
    client->Call(std::move(request), std::move(options), std::move(done));
  }
  void Open(Request request, CallOptions options, ResultCallback<Reply> done) override {
    const std::shared_ptr<net::Client> client = Mine();
    if (!client) return Refuse(std::move(done));
    client->Open(std::move(request), std::move(options), std::move(done));
  }
  void Upgrade(Request request, CallOptions options, ResultCallback<Reply> done) override {
    const std::shared_ptr<net::Client> client = Mine();
    if (!client) return Refuse(std::move(done));
    client->Upgrade(std::move(request), std::move(options), std::move(done));
  }

  void CloseHere() {
    std::shared_ptr<net::Client> mine;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      closed_ = true;
      const auto found = clients_.find(Loop::Current());
      if (found == clients_.end()) return;
      mine = std::move(found->second);
      clients_.erase(found);
    }
    mine->Close();
  }

  // Null when it is closed here.
  std::shared_ptr<net::Client> Mine() {
    Loop* const loop = Loop::Current();
    SWARM_CHECK(loop != nullptr, "engines are called on a Loop");
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = clients_.find(loop);
    if (found != clients_.end()) return found->second;
    if (closed_) return nullptr;
    return clients_.emplace(loop, std::make_shared<net::Client>(*loop, endpoint_)).first->second;
  }

 private:
  static void Refuse(ResultCallback<Reply> done) {
    Loop::Current()->Post([done = std::move(done)]() mutable {
      done(Cancelled("the client of the engine is closed"));
    });
  }

  const std::shared_ptr<const net::Endpoint> endpoint_;
  std::mutex mutex_;
  std::map<Loop*, std::shared_ptr<net::Client>> clients_;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<net::Client> ClientOfThisLoop(BackendClient& backend) {
  auto* const sockets = dynamic_cast<SocketBackend*>(&backend);
  return sockets != nullptr ? sockets->Mine() : nullptr;
}

void CloseOnThisLoop(BackendClient& backend) {
  auto* const sockets = dynamic_cast<SocketBackend*>(&backend);
  if (sockets != nullptr) sockets->CloseHere();
}

absl::StatusOr<std::unique_ptr<BackendClient>> MakeSocketBackend(
    std::string_view endpoint, std::shared_ptr<net::TlsContext> tls, net::ResolveName resolve) {
  absl::StatusOr<net::Address> address = net::ParseAddress(endpoint);
  if (!address.ok()) return address.status();
  auto where = std::make_shared<net::Endpoint>();
  where->address = *std::move(address);
  where->tls = std::move(tls);
  where->resolve = std::move(resolve);
  return std::make_unique<SocketBackend>(std::move(where));
}

}  // namespace swarm
