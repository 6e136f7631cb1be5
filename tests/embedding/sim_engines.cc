// Simulated engines that managers of other processes can use:
//
//   sim_engines COUNT
//
// prints the address of each on a line of its own and serves until SIGTERM or SIGINT.
#include <pthread.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "async/loop.h"
#include "sim/sim_server.h"
#include "sim/simulation.h"
#include "swarmlib/status.h"

namespace {

constexpr int kMostEngines = 1000;

int Serve(int count) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  swarm::Loop loop(swarm::SystemClock(), {});
  const auto simulation = std::make_shared<swarm::Simulation>(
      swarm::SimulationOptions{.engines = count}, swarm::SystemClock());
  auto server = std::make_unique<swarm::SimServer>(loop, simulation);
  const absl::Status listening = server->Listen(0);
  if (!listening.ok()) {
    std::fprintf(stderr, "sim_engines: %s\n", std::string(swarm::MessageOf(listening)).c_str());
    return 1;
  }
  for (const std::string& address : server->addresses()) std::printf("%s\n", address.c_str());
  std::fflush(stdout);
  std::thread thread([&loop] { loop.Run(); });
  int received = 0;
  sigwait(&signals, &received);
  loop.Stop();
  thread.join();
  server.reset();
  loop.RunReady();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view text = argc == 2 ? argv[1] : "";
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 1 ||
      count > kMostEngines) {
    std::fprintf(stderr, "usage: sim_engines COUNT (1 to %d)\n", kMostEngines);
    return 2;
  }
  return Serve(count);
}
