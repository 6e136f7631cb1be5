// The platforms that images are made for and nodes have.
#pragma once

#include <string_view>

#include "swarmlib/model.h"

namespace swarm {

// "linux/amd64", "linux", "arm64" against the engine's own words for the same ("x86_64").
bool PlatformMatches(std::string_view platform, const Node& node);

}  // namespace swarm
