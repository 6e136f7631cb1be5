#include "commands.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "run_line.h"
#include "swarmlib/manager.h"
#include "swarmlib/simulation.h"
#include "swarmlib/status.h"
#include "swarmlib/version.h"

#if defined(__SANITIZE_ADDRESS__)
#define SWARMD_SEARCHES_LEAKS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SWARMD_SEARCHES_LEAKS
#endif
#endif

namespace swarmd {
namespace {

constexpr auto kGrace = std::chrono::seconds(10);

int Fail(const std::string& message, int exit_code) {
  std::fprintf(stderr, "swarmd: %s\n", message.c_str());
  return exit_code;
}

int Fail(const absl::Status& status) {
  return Fail(std::string(swarm::MessageOf(status)),
              status.code() == absl::StatusCode::kInvalidArgument ? 2 : 1);
}

// Signals are taken by sigwait in the main thread, so they must be blocked before any thread
// starts.
sigset_t BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

// Each client and each engine connection is a descriptor; the default soft limit of 1,024 is soon
// reached. Returns the fields of a log line.
std::vector<std::pair<std::string, std::string>> RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  return {{"limit", std::to_string(limit.rlim_cur)}, {"before", std::to_string(before)}};
}

// Memory holds registry credentials and private keys. Only here: what embeds the library decides
// for itself. With PR_SET_DUMPABLE neither a core file nor a program of core_pattern gets it.
void ForbidCoreDumps() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
#if !defined(SWARMD_SEARCHES_LEAKS)  // a search that attaches as a debugger does
  prctl(PR_SET_DUMPABLE, 0);
#endif
}

}  // namespace

int RunManage(const std::string& program, Flags& flags) {
  ForbidCoreDumps();
  const sigset_t signals = BlockSignals();
  swarm::Config& config = flags.config;
  const swarm::LogSink log = config.log;
  swarm::AddSimulation(config);
  const bool beyond =
      !std::all_of(config.listen.begin(), config.listen.end(), swarm::IsLoopbackAddress);
  if (program == "swarm" && beyond && !config.tls.verify && !config.insecure) {
    config.insecure = true;
    // Whatever --log-level says.
    swarm::StderrSink(swarm::LogLevel::kWarning, flags.log_json)(
        {swarm::LogLevel::kWarning,
         "LISTENING WITHOUT --tlsverify: whoever reaches this port is root on every engine; "
         "use --tlsverify, or listen on loopback",
         {}});
  }
  std::vector<std::pair<std::string, std::string>> descriptors = RaiseDescriptorLimit();
  auto manager = swarm::Manager::Open(std::move(config));
  if (!manager.ok()) return Fail(manager.status());
  log({swarm::LogLevel::kInfo, "file descriptors", std::move(descriptors)});
  for (const std::string& notice : flags.notices) log({swarm::LogLevel::kWarning, notice, {}});
  const absl::Status served = (*manager)->Serve();
  if (!served.ok()) return Fail(served);
  for (const std::string& address : (*manager)->addresses()) {
    log({swarm::LogLevel::kInfo,
         "listening",
         {{"address", address}, {"version", std::string(swarm::Version())}}});
  }
  int received = 0;
  sigwait(&signals, &received);
  log({swarm::LogLevel::kInfo,
       "stopping",
       {{"signal", received == SIGTERM ? "SIGTERM" : "SIGINT"}}});
  (*manager)->Close(kGrace);
  log({swarm::LogLevel::kInfo, "stopped", {}});
  return 0;
}

int RunList(Flags& flags) {
  swarm::AddSimulation(flags.config);
  const absl::StatusOr<std::vector<std::string>> addresses =
      swarm::ListOnce(flags.config.discovery_registry, flags.config.discovery, flags.timeout);
  if (!addresses.ok()) return Fail(addresses.status());
  for (const std::string& address : *addresses) std::printf("%s\n", address.c_str());
  return 0;
}

int RunExplain(Flags& flags) {
  const absl::StatusOr<RunLine> line = ParseRunLine(flags.run_line);
  if (!line.ok()) return Fail(line.status());
  swarm::AddSimulation(flags.config);
  flags.config.listen.clear();
  // A source that cannot be read is said at once; the manager would wait for it to come.
  const absl::StatusOr<std::vector<std::string>> addresses =
      swarm::ListOnce(flags.config.discovery_registry, flags.config.discovery, flags.timeout);
  if (!addresses.ok()) return Fail(addresses.status());
  auto manager = swarm::Manager::Open(std::move(flags.config));
  if (!manager.ok()) return Fail(manager.status());
  const absl::Status ready = (*manager)->WaitReady(flags.timeout);
  if (!ready.ok()) return Fail(ready);
  const absl::StatusOr<swarm::Explanation> plan =
      (*manager)->PlanCreate(line->body, line->name, line->platform);
  if (!plan.ok()) return Fail(plan.status());
  const char* const dropped = !plan->candidates.empty() && plan->candidates.front().soft_dropped
                                  ? ", without the soft expressions: no node has them all"
                                  : "";
  if (plan->chosen) {
    std::printf("%s (%s)%s\n", plan->chosen->node_name.c_str(), plan->chosen->node.c_str(),
                dropped);
    for (std::size_t i = 1; i < plan->candidates.size(); ++i) {
      std::printf("  then %s (%s)\n", plan->candidates[i].node_name.c_str(),
                  plan->candidates[i].node.c_str());
    }
  } else if (!plan->candidates.empty()) {
    std::printf("one of these, drawn when it is created%s\n", dropped);
    for (const swarm::Placement& each : plan->candidates)
      std::printf("  %s (%s)\n", each.node_name.c_str(), each.node.c_str());
  } else {
    std::printf("nowhere: %s\n", plan->summary.c_str());
  }
  for (const swarm::NodeReason& refused : plan->refused) {
    std::printf("  not %s: %s\n", refused.node.c_str(), refused.reason.c_str());
  }
  return plan->candidates.empty() ? 1 : 0;
}

}  // namespace swarmd
