// The whole of swarmd as one call, for its main function and for others that offer the same command
// line.
#pragma once

#include <string>
#include <vector>

namespace swarmd {

// Runs the command line `words` (without the program) as `program`, "swarmd" or "swarm", and
// returns the exit code: 0, 1 = it failed while running, 2 = it was asked wrongly. Answers go to
// standard output, refusals and the log to standard error. Of the process it takes SIGPIPE, which
// is ignored from then on, and for `manage` SIGTERM and SIGINT, which the calling thread waits for;
// they stay blocked in it. Never throws.
int RunProgram(const std::string& program, const std::vector<std::string>& words);

}  // namespace swarmd
