// A manager of three simulated engines in a program that knows the public headers only.
#include "swarmlib/manager.h"

#include <cstdio>

#include "swarmlib/simulation.h"
#include "swarmlib/version.h"

int main() {
  swarm::Config config;
  config.discovery = "sim://3";
  config.threads = 1;
  swarm::AddSimulation(config);
  auto manager = swarm::Manager::Open(std::move(config));
  if (!manager.ok() || !(*manager)->WaitReady(std::chrono::seconds(20)).ok()) return 1;
  const auto plan = (*manager)->PlanCreate(R"({"Image":"nginx"})", "", "");
  if (!plan.ok() || !plan->chosen) return 1;
  std::printf("%s places on one of %zu\n", std::string(swarm::Version()).c_str(),
              plan->candidates.size());
  return 0;
}
