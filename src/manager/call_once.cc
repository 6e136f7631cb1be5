#include <memory>
#include <optional>
#include <utility>

#include "async/loop.h"
#include "backend/socket_backend.h"
#include "net/tls.h"
#include "swarmlib/client.h"
#include "swarmlib/clock.h"
#include "swarmlib/status.h"

namespace swarm {

absl::StatusOr<Reply> CallOnce(const std::string& address, const TlsConfig& tls, Request request,
                               CallOptions options) {
  if (const absl::Status checked = net::CheckTls(tls); !checked.ok()) return checked;
  std::shared_ptr<net::TlsContext> context;
  if (tls.enabled || tls.verify) {
    auto made = net::MakeClientContext(tls);
    if (!made.ok()) return made.status();
    context = *std::move(made);
  }
  Loop loop(SystemClock(), {});
  const auto backend = MakeSocketBackend(address, std::move(context));
  if (!backend.ok()) return backend.status();
  absl::StatusOr<Reply> result = Internal("not asked");
  loop.Post([&] {
    (*backend)->Call(std::move(request), std::move(options), [&](absl::StatusOr<Reply> reply) {
      result = std::move(reply);
      loop.Stop();
    });
  });
  loop.Run();
  return result;
}

}  // namespace swarm
