// A container made once more from what its engine says of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace swarm {

struct Recreation {
  std::string body;      // of a create
  std::string platform;  // "linux/amd64"; empty when the engine does not say
  // Why one that is made so on another node would not be the same, in sentences about "it".
  std::vector<std::string> hindrances;
};

// From an engine's own inspect answer. InvalidArgument: it cannot be read.
absl::StatusOr<Recreation> ReadRecreation(std::string_view inspect);

}  // namespace swarm
