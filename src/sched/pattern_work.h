// How long the patterns of one container may take.
#pragma once

#include <cstddef>

#include "swarmlib/filter.h"
#include "swarmlib/model.h"

namespace swarm {

// Steps of patterns that are taken while the state is locked, some 20 ms at the worst. What may
// take more is asked node by node while it is not (Questions).
inline constexpr std::size_t kMaxLockedSteps = 40'000;

// A step is one instruction of a compiled regular expression, held against the texts of one
// container. Most take far less: the worst is what counts here.
struct PatternWork {
  std::size_t steps_a_node = 0;
  std::size_t steps_a_container = 0;

  std::size_t StepsFor(std::size_t nodes, std::size_t containers) const {
    return steps_a_node * nodes + steps_a_container * containers;
  }
};

// Compiles the regular expressions of the spec.
PatternWork PatternWorkOf(const ContainerSpec& spec);

// True when the term has a pattern that counts there.
bool HasCostlyPattern(const Term& term);

}  // namespace swarm
