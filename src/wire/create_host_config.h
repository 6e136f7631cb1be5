// Where a create body may say what belongs into HostConfig.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "wire/json.h"

namespace swarm {

// The whole body with all that it says of HostConfig in HostConfig; empty when it is so already.
// Engines up to 23 read these fields at the top level when there is no HostConfig, and some of them
// even beside one, where it says nothing of them; newer engines never look there. InvalidArgument:
// a field is there twice, or stands beside HostConfig, where no engine reads it.
absl::StatusOr<std::string> GatherHostConfig(JsonValue root);

}  // namespace swarm
