#include "swarmlib/version.h"

namespace swarm {

std::string_view Version() { return SWARM_VERSION; }
std::string_view NewestApiVersion() { return "1.51"; }
std::string_view OldestApiVersion() { return "1.12"; }

}  // namespace swarm
