// swarm_request as a Request, and the handles of what comes back.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "bindings/c/handles.h"
#include "bindings/c/manager.h"
#include "swarmlib/exchange.h"
#include "swarmlib/manager.h"
#include "swarmlib/swarm.h"

struct swarm_reply {
  swarm::Reply reply;
};
SWARM_HANDLE(swarm_reply);

struct swarm_exchange {
  std::unique_ptr<swarm::Exchange> exchange;
  pid_t process = 0;  // that began it
  // WaitHead was ok; another thread may write meanwhile and ask.
  std::unique_ptr<std::atomic<bool>> has_head = std::make_unique<std::atomic<bool>>(false);
  // Two threads may find the head at once; the first of them sets `headers`.
  std::unique_ptr<std::once_flag> head_once = std::make_unique<std::once_flag>();
  swarm::Headers headers;  // of the answer, once the head is there
};
SWARM_HANDLE(swarm_exchange);

namespace swarm::c {

// A request of the thin helpers, with a JSON body when `body` is not empty. An answer of 400 or
// above becomes an error with its status and message.
absl::StatusOr<Reply> Ask(const swarm_manager* manager, const char* method, std::string target,
                          std::string body, std::int64_t timeout_ms);

}  // namespace swarm::c
