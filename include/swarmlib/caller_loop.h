// The way back to a loop, for what is brought along and answers on threads of its own.
#pragma once

#include <functional>

#include "swarmlib/callback.h"

namespace swarm {

// A function that runs work on the loop whose thread calls CallerLoop: later, never from inside the
// call, in order. Null on a thread that runs no loop of a manager.
//
// An own BackendClient, Stream or Discovery asks for it in the call that it was given, and hands
// its answer to it from whatever thread has the answer. Any thread may call and copy what is
// returned, as long as that client, stream or discovery lives: the loops outlive them.
std::function<void(Callback<> work)> CallerLoop();

}  // namespace swarm
