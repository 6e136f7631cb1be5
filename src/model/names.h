// Rules for names and references of containers.
#pragma once

#include <string>
#include <string_view>

#include "swarmlib/random.h"

namespace swarm {

// [a-zA-Z0-9][a-zA-Z0-9_.-]+ as the engine has it.
bool IsContainerName(std::string_view name);
bool IsFullId(std::string_view text);  // 64 lower-case hexadecimal digits

// Two words, "grave_goldstine"; `attempt` > 0 appends a digit as the engine does.
std::string InventName(Random& random, int attempt);

}  // namespace swarm
