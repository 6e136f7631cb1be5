// swarmd's command line as a value.
#pragma once

#include <string>
#include <vector>

#include "node_command.h"
#include "swarmlib/manager.h"

namespace swarmd {

struct Flags {
  std::string command;  // manage, list, explain, node, help, version
  swarm::Config config;
  bool log_json = false;
  swarm::LogLevel log_level = swarm::LogLevel::kInfo;
  swarm::Duration timeout = std::chrono::seconds(10);  // list, explain
  std::vector<std::string> run_line;                   // explain: the words after "--"
  NodeCommand node;                                    // node
  std::vector<std::string> notices;  // said at start: deprecated or needless flags
};

// What the command line means, or the one line to print and the exit code to end with.
struct ParseOutcome {
  Flags flags;
  bool stop = false;
  int exit_code = 0;
  // Help or version on standard output when exit_code is 0, else on standard error.
  std::string output;
};

// `program` is how the program was called: "swarm" starts without TLS beyond loopback, with a
// warning. Environment: SWARM_DISCOVERY, SWARM_HOST, SWARM_ADVERTISE, DEBUG.
ParseOutcome ParseFlags(const std::string& program, const std::vector<std::string>& words);

}  // namespace swarmd
