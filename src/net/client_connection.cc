#include "net/client_connection.h"

#include <utility>

#include "base/check.h"
#include "net/bounds.h"
#include "net/http_head.h"

namespace swarm::net {

// Outlives the connection while a read is under way.
struct ClientConnection::Core : std::enable_shared_from_this<ClientConnection::Core> {
  void OnRead(absl::StatusOr<std::size_t> got) {
    reading = false;
    if (!got.ok()) {
      failure = got.status();
    } else if (*got == 0) {
      ended = true;
    } else {
      input.Filled(*got);
    }
    if (user != nullptr) return user->OnInput();
    transport.reset();
  }

  std::unique_ptr<Transport> transport;
  InputBuffer input;
  ConnectionUser* user = nullptr;
  bool reading = false;
  bool ended = false;
  absl::Status failure;
};

ClientConnection::ClientConnection(std::unique_ptr<Transport> transport)
    : core_(std::make_shared<Core>()) {
  core_->transport = std::move(transport);
}

ClientConnection::~ClientConnection() {
  core_->user = nullptr;
  core_->transport.reset();
}

void ClientConnection::StartRead() {
  Core& core = *core_;
  if (core.reading || core.ended || !core.failure.ok() || !core.transport) return;
  const std::span<char> room = core.input.Room(std::max(kStreamBuffer, kMaxHeadBytes));
  if (room.empty()) return;
  core.reading = true;
  core.transport->Read(
      room, [self = core_](absl::StatusOr<std::size_t> got) { self->OnRead(std::move(got)); });
}

void ClientConnection::SetUser(ConnectionUser* user) { core_->user = user; }

bool ClientConnection::IsReusable() {
  const Core& core = *core_;
  return core.transport && !core.ended && core.failure.ok() && core.input.empty();
}

bool ClientConnection::IsSilent() { return !core_->transport->HasNews(); }

Transport& ClientConnection::transport() { return *core_->transport; }
InputBuffer& ClientConnection::input() { return core_->input; }
bool ClientConnection::ended() const { return core_->ended; }
const absl::Status& ClientConnection::failure() const { return core_->failure; }

std::unique_ptr<Transport> ClientConnection::Release() {
  SWARM_CHECK(!core_->reading, "a transport is handed out between reads");
  return std::move(core_->transport);
}

}  // namespace swarm::net
