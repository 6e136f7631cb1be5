#include <swarmlib/simulation.h>

#include <cstdio>

int main() {
  swarm::Config config{.discovery = "sim://3"};
  swarm::AddSimulation(config);
  auto manager = swarm::Manager::Open(std::move(config)).value();
  const swarm::Headers json = {{"Content-Type", "application/json"}};
  manager->Call({"POST", "/containers/create", json, R"({"Image":"busybox"})"}, {}).value();
  std::puts(manager->cluster().Containers().at(0)->node->name.c_str());
}
