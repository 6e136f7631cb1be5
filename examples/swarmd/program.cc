#include "program.h"

#include <csignal>
#include <cstdio>

#include "commands.h"
#include "flags.h"
#include "node_command.h"

namespace swarmd {

int RunProgram(const std::string& program, const std::vector<std::string>& words) {
  ParseOutcome outcome = ParseFlags(program, words);
  if (outcome.stop) {
    std::fputs(outcome.output.c_str(), outcome.exit_code == 0 ? stdout : stderr);
    return outcome.exit_code;
  }
  std::signal(SIGPIPE, SIG_IGN);
  Flags& flags = outcome.flags;
  if (flags.command == "list") return RunList(flags);
  if (flags.command == "explain") return RunExplain(flags);
  if (flags.command == "node") return RunNode(flags.node);
  flags.config.log = swarm::StderrSink(flags.log_level, flags.log_json);
  return RunManage(program, flags);
}

}  // namespace swarmd
