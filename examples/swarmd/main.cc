// swarmd: command line to Config to Manager.
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "commands.h"
#include "flags.h"
#include "node_command.h"

int main(int argc, char** argv) {
  const std::string path = argv[0];
  const std::string program = path.substr(path.rfind('/') + 1);
  swarmd::ParseOutcome outcome =
      swarmd::ParseFlags(program, std::vector<std::string>(argv + 1, argv + argc));
  if (outcome.stop) {
    std::fputs(outcome.output.c_str(), outcome.exit_code == 0 ? stdout : stderr);
    return outcome.exit_code;
  }
  std::signal(SIGPIPE, SIG_IGN);
  swarmd::Flags& flags = outcome.flags;
  if (flags.command == "list") return swarmd::RunList(flags);
  if (flags.command == "explain") return swarmd::RunExplain(flags);
  if (flags.command == "node") return swarmd::RunNode(flags.node);
  flags.config.log = swarm::StderrSink(flags.log_level, flags.log_json);
  return swarmd::RunManage(program, flags);
}
