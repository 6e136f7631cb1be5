// A container made once more from what its engine says of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace swarm {

// Of one that was made so: the id of the one whose place it takes, and whether that one was up
// ("true", "false").
inline constexpr std::string_view kMovedFromLabel = "com.docker.swarm.moved-from";
inline constexpr std::string_view kMovedRunningLabel = "com.docker.swarm.moved-running";

struct Recreation {
  std::string body;      // of a create, with the labels above
  std::string platform;  // "linux/amd64"; empty when the engine does not say
  // Why one that is made so on another node would not be the same, in sentences about "it".
  std::vector<std::string> hindrances;

  std::string name;    // without slash
  std::string image;   // the image's id on this engine
  bool is_up = false;  // runs, is paused or is being restarted
  bool is_paused = false;
  bool is_restarting = false;
  bool is_dead = false;       // or being removed
  bool is_unstarted = false;  // has never been up; not said by engines before API 1.21
  int exit_code = 0;
  // Ids or names of containers whose namespaces, links or volumes it uses.
  std::vector<std::string> needs;
};

// From an engine's own inspect answer; `node_name` is the engine's host name, which is not the
// container's own wish. InvalidArgument: it cannot be read.
absl::StatusOr<Recreation> ReadRecreation(std::string_view inspect, std::string_view node_name);

}  // namespace swarm
