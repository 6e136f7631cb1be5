// A TLS session on a socket as a Transport.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/descriptor.h"
#include "net/tls_context.h"
#include "net/transport.h"

namespace swarm::net {

// CloseWrite sends close_notify and reading goes on; the peer's close_notify reads as 0, an end
// without it is an error.
class TlsStream final : public Transport {
 public:
  enum class Role { kServer, kClient };

  // Makes the handshake. The error says what is wrong.
  static void Start(Loop& loop, std::shared_ptr<SslContext> context, Role role, Descriptor socket,
                    Peer peer, std::string host, ResultCallback<std::unique_ptr<Transport>> done);

  class Core;
  explicit TlsStream(std::shared_ptr<Core> core);
  ~TlsStream() override;

  void Read(std::span<char> into, ResultCallback<std::size_t> done) override;
  void Write(std::string_view bytes, Callback<absl::Status> done) override;
  void WriteMany(std::span<const std::string_view> pieces, Callback<absl::Status> done) override;
  std::size_t WriteSome(std::span<const std::string_view>) override { return 0; }
  void CloseWrite() override;
  void Abort() override;
  void NotifyLoss(Callback<> lost) override;
  std::uint64_t written() const override;
  const Peer& peer() const override;
  bool HasNews() override;

 private:
  const std::shared_ptr<Core> core_;
};

}  // namespace swarm::net
