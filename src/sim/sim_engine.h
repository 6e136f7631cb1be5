// One simulated Docker engine: the Docker Engine API over state in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/faults.h"
#include "swarmlib/backend.h"
#include "swarmlib/clock.h"
#include "swarmlib/model.h"

namespace swarm {

// The images that every engine holds from the start, same ids everywhere.
std::vector<std::string> DefaultSimImages();

struct SimEngineOptions {
  std::string id;  // empty = from the seed
  std::string name = "sim";
  std::string version = "20.10.24";
  std::string api_version = "1.41";
  std::string min_api_version = "1.12";
  Labels labels;
  int processors = 4;
  std::int64_t memory = std::int64_t{8} << 30;  // bytes
  std::vector<std::string> images = DefaultSimImages();
};

// Behaves as an engine does: statuses, texts, events, ports, exit codes. Containers run the
// commands of sim/sim_process.h; images named "missing/..." cannot be pulled. Everything waits on
// the Clock of the Loop on which it was asked for, and is drawn from `seed`: same calls, same
// answers.
//
// Any thread that runs a Loop. Streams that it hands out belong to that Loop.
class SimulatedEngine {
 public:
  // `clock` outlives this.
  SimulatedEngine(SimEngineOptions options, const Clock& clock, std::uint64_t seed);
  ~SimulatedEngine();
  SimulatedEngine(const SimulatedEngine&) = delete;
  SimulatedEngine& operator=(const SimulatedEngine&) = delete;

  // Answers one request; its body is whole. With wants_upgrade, attach and exec start answer 101
  // and a tunnel.
  Reply Handle(const Request& request);

  // What is to go wrong; obeyed by the clients and servers in front of it.
  FaultPlan& faults() { return faults_; }

  // As a restart of the daemon: containers stop with 137, execs and old events are forgotten,
  // streams break.
  void Restart();
  // Breaks every open stream; the containers run on.
  void DropConnections();
  // Moves the engine's calendar away from the clock's.
  void SetClockSkew(Duration skew);
  // Takes another engine's identity.
  void SetId(std::string id);
  // The process of a running container ends by itself. False when there is none.
  bool EndProcess(std::string_view container, int exit_code);

  std::string name() const;
  std::size_t container_count() const;

 private:
  std::shared_ptr<class SimState> state_;
  FaultPlan faults_;
};

}  // namespace swarm
