// The version of the library, as compiled in.
#pragma once

#include <string_view>

namespace swarm {

// "0.1.0". Semantic versioning; see CHANGELOG.md. Any thread.
std::string_view Version();

// The newest Docker Engine API version that this build understands, for example "1.51".
std::string_view NewestApiVersion();

// The oldest Docker Engine API version that clients may ask for.
std::string_view OldestApiVersion();

}  // namespace swarm
