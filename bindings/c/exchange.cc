#include <mutex>
#include <utility>

#include "bindings/c/request.h"
#include "bindings/c/utf8.h"
#include "swarmlib/status.h"

using namespace swarm::c;

namespace {

absl::Status UsableExchange(const swarm_exchange* exchange) {
  if (absl::Status live = CheckHandle(exchange); !live.ok()) return live;
  return CheckProcess(exchange->process);
}

}  // namespace

swarm_code swarm_exchange_wait_head(swarm_exchange* exchange, int64_t timeout_ms,
                                    swarm_error** error) {
  return GuardWait("swarm_exchange_wait_head", error, [&]() -> absl::Status {
    if (absl::Status usable = UsableExchange(exchange); !usable.ok()) return usable;
    absl::Status waited = exchange->exchange->WaitHead(ToDuration(timeout_ms));
    if (!waited.ok()) return waited;
    std::call_once(*exchange->head_once, [exchange] {
      exchange->headers = ToUtf8(exchange->exchange->headers());
      *exchange->has_head = true;
    });
    return absl::OkStatus();
  });
}

int swarm_exchange_status(const swarm_exchange* exchange) {
  if (!IsLive(exchange, "swarm_exchange_status") || !*exchange->has_head) return 0;
  return exchange->exchange->status();
}

const char* swarm_exchange_header(const swarm_exchange* exchange, const char* name) {
  if (!IsLive(exchange, "swarm_exchange_header") || !*exchange->has_head || name == nullptr)
    return nullptr;
  const std::string* const value = swarm::FindHeader(exchange->headers, name);
  return value == nullptr ? nullptr : value->c_str();
}

int swarm_exchange_is_tunnel(const swarm_exchange* exchange) {
  if (!IsLive(exchange, "swarm_exchange_is_tunnel") || !*exchange->has_head) return 0;
  return exchange->exchange->tunnel() ? 1 : 0;
}

swarm_code swarm_exchange_read(swarm_exchange* exchange, void* into, size_t size,
                               int64_t timeout_ms, size_t* got, swarm_error** error) {
  if (got != nullptr) *got = 0;
  return GuardWait("swarm_exchange_read", error, [&]() -> absl::Status {
    if (absl::Status usable = UsableExchange(exchange); !usable.ok()) return usable;
    if (absl::Status wanted = Wanted(into, "into"); !wanted.ok()) return wanted;
    if (absl::Status wanted = Wanted(got, "got"); !wanted.ok()) return wanted;
    if (size == 0) return swarm::InvalidArgument("size is 0: there is no room to read into");
    const absl::StatusOr<std::size_t> read =
        exchange->exchange->Read({static_cast<char*>(into), size}, ToDuration(timeout_ms));
    if (!read.ok()) return read.status();
    *got = *read;
    return absl::OkStatus();
  });
}

swarm_code swarm_exchange_write(swarm_exchange* exchange, const void* bytes, size_t length,
                                int64_t timeout_ms, size_t* taken, swarm_error** error) {
  if (taken != nullptr) *taken = 0;
  return GuardWait("swarm_exchange_write", error, [&]() -> absl::Status {
    if (absl::Status usable = UsableExchange(exchange); !usable.ok()) return usable;
    if (bytes == nullptr && length > 0) return Wanted(bytes, "bytes");
    if (absl::Status wanted = Wanted(taken, "taken"); !wanted.ok()) return wanted;
    const absl::StatusOr<std::size_t> written = exchange->exchange->Write(
        {static_cast<const char*>(bytes), length}, ToDuration(timeout_ms));
    if (!written.ok()) return written.status();
    *taken = *written;
    return absl::OkStatus();
  });
}

swarm_code swarm_exchange_close_write(swarm_exchange* exchange, swarm_error** error) {
  return GuardWait("swarm_exchange_close_write", error, [&]() -> absl::Status {
    if (absl::Status usable = UsableExchange(exchange); !usable.ok()) return usable;
    return exchange->exchange->CloseWrite();
  });
}

void swarm_exchange_abort(swarm_exchange* exchange) {
  if (!IsLive(exchange, "swarm_exchange_abort") || !CheckProcess(exchange->process).ok()) return;
  GuardValue(0, [exchange] {
    exchange->exchange->Abort();
    return 0;
  });
}

void swarm_exchange_free(swarm_exchange* exchange) {
  constexpr char kCall[] = "swarm_exchange_free";
  if (!IsLive(exchange, kCall)) return;
  // What is the parent's cannot be ended here.
  if (!CheckProcess(exchange->process).ok()) static_cast<void>(exchange->exchange.release());
  Free(exchange, kCall);
}
