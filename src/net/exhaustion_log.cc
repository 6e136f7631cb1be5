#include "net/exhaustion_log.h"

#include <poll.h>

#include <cerrno>
#include <utility>

#include "base/log.h"
#include "net/bounds.h"

namespace swarm::net {

bool IsExhaustion(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS ||
         error_number == ENOMEM;
}

bool IsAsked(int listening) {
  pollfd asked{listening, POLLIN, 0};
  return poll(&asked, 1, 0) == 1;
}

void ExhaustionLog::Tell(Loop& loop, const std::string& address) {
  ++times_;
  const TimePoint now = loop.clock().Now();
  if (now < next_) return;
  next_ = now + kRoomReportPause;
  Log(loop.log(), LogLevel::kWarning, "cannot accept connections: out of descriptors or memory",
      {{"address", address}, {"times", std::to_string(std::exchange(times_, 0))}});
}

}  // namespace swarm::net
