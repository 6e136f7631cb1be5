// A plain TCP or unix socket as a Transport.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/error.hpp>

#include "async/loop.h"
#include "net/descriptor.h"
#include "net/transport.h"

namespace swarm::net {

// The error of a socket call: what was tried and why it failed. Aborted operations become
// Cancelled, all others carry the HTTP status 502.
absl::Status SocketError(const boost::system::error_code& error, std::string_view tried);
absl::Status SocketError(int error_number, std::string_view tried);

// "10.0.0.9:51234", "[::1]:80" or "unix".
std::string PeerAddress(int socket);

// Turns off Nagle and turns on keep-alive probes (bounds.h). Does nothing on unix sockets. Failure
// is harmless and ignored.
void TuneSocket(int socket);

class SocketStream final : public Transport {
 public:
  // Takes a connected socket; tunes it. On the loop.
  SocketStream(Loop& loop, Descriptor socket, Peer peer);
  ~SocketStream() override;

  void Read(std::span<char> into, ResultCallback<std::size_t> done) override;
  void Write(std::string_view bytes, Callback<absl::Status> done) override;
  void WriteMany(std::span<const std::string_view> pieces, Callback<absl::Status> done) override;
  std::size_t WriteSome(std::span<const std::string_view> pieces) override;
  void CloseWrite() override;
  void Abort() override;
  // The loop's events of the socket are for others from now on, until the next Read or Write that
  // has to wait.
  std::optional<int> NativeSocket() const override;
  void NotifyLoss(Callback<> lost) override;
  std::uint64_t written() const override;
  const Peer& peer() const override;
  bool HasNews() override;

 private:
  class Core;
  const std::shared_ptr<Core> core_;
};

}  // namespace swarm::net
