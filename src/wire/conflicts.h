// What an error status means: engines and HTTP have one for a name that is taken and for every
// other conflict, and none at all for some of our codes.
#pragma once

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "swarmlib/backend.h"

namespace swarm {

// True for the message of a 409 on create that means the container's name.
bool SaysNameIsTaken(std::string_view message);

// Tells `code` by a field of the head where the status of `reply` alone means another one.
void MarkCode(Reply& reply, absl::StatusCode code);
// The code that is told so; nothing when none is.
std::optional<absl::StatusCode> MarkedCode(const Headers& headers);

}  // namespace swarm
