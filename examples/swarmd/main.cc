// swarmd: command line to Config to Manager.
#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "commands.h"
#include "flags.h"

namespace {

// Each client and each engine connection is a descriptor; the default soft limit of 1,024 is soon reached.
void RaiseDescriptorLimit(const swarm::LogSink& log) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  log({swarm::LogLevel::kInfo,
       "file descriptors",
       {{"limit", std::to_string(limit.rlim_cur)}, {"before", std::to_string(before)}}});
}

}  // namespace

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
  flags.config.log = swarm::StderrSink(flags.log_level, flags.log_json);
  RaiseDescriptorLimit(flags.config.log);
  for (const std::string& notice : flags.notices) flags.config.log({swarm::LogLevel::kWarning, notice, {}});
  return swarmd::RunManage(program, flags);
}
