#include "swarmlib/version.h"

#include <string>

#include "swarmlib/swarm.h"

// The views are of string literals, which end with a zero byte.
const char* swarm_version(void) { return swarm::Version().data(); }
const char* swarm_newest_api_version(void) { return swarm::NewestApiVersion().data(); }
const char* swarm_oldest_api_version(void) { return swarm::OldestApiVersion().data(); }
