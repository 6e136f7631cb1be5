// One connection to an engine: its transport and the bytes that came.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "net/input_buffer.h"
#include "net/transport.h"

namespace swarm::net {

// Who is told that something came.
class ConnectionUser {
 public:
  virtual ~ConnectionUser() = default;
  // Bytes, the end, or a failure.
  virtual void OnInput() = 0;
};

class ClientConnection {
 public:
  explicit ClientConnection(std::unique_ptr<Transport> transport);
  ~ClientConnection();

  // Reads once unless a read is under way. The user is told; an idle connection without a user on
  // which anything comes is closed: it is poisoned, and no answer on it can be trusted.
  void StartRead();
  void SetUser(ConnectionUser* user);

  // Open and nothing left over: fit for the next request, so far as reads have told.
  bool IsReusable();
  // The kernel holds nothing either: no bytes, no end. A system call.
  bool IsSilent();

  Transport& transport();
  InputBuffer& input();
  bool ended() const;                   // the peer closed its side
  const absl::Status& failure() const;  // of a read; OK while there is none
  // Hands the transport out. No read may be under way.
  std::unique_ptr<Transport> Release();

 private:
  struct Core;
  std::shared_ptr<Core> core_;
};

}  // namespace swarm::net
