// Says that a listener cannot accept because descriptors or memory have run out.
#pragma once

#include <cstdint>
#include <string>

#include "async/loop.h"

namespace swarm::net {

// True for the errors of accept() that say so.
bool IsExhaustion(int error_number);
// Whether a client waits at a listening socket: accept() looks for a descriptor before it looks for
// a client.
bool IsAsked(int listening);

// Of one listener, which tries again every kAcceptPause: told once in kRoomReportPause, with how
// often it happened since the last time. On the listener's loop.
class ExhaustionLog {
 public:
  void Tell(Loop& loop, const std::string& address);

 private:
  std::uint64_t times_ = 0;
  TimePoint next_{};
};

}  // namespace swarm::net
