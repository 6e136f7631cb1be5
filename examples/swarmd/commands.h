// The commands of swarmd. Each returns the exit code: 0, 1 = it failed while running, 2 = it was
// asked wrongly.
#pragma once

#include <string>

#include "flags.h"

namespace swarmd {

// Serves until SIGTERM or SIGINT, then lets running requests end for at most 10 s.
int RunManage(const std::string& program, Flags& flags);

// Prints one address a line.
int RunList(Flags& flags);

// Prints where the run line would go and why.
int RunExplain(Flags& flags);

}  // namespace swarmd
