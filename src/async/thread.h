// The threads that the library makes.
#pragma once

#include <thread>

#include "swarmlib/callback.h"

namespace swarm {

// Starts a thread on which every signal is blocked: signals are for the threads of the program,
// which may wait for them by sigwait. Throws std::system_error when the system gives no thread.
std::thread StartThread(Callback<> work);

}  // namespace swarm
