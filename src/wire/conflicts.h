// What a 409 means: engines and HTTP have one status for a name that is taken and for every other
// conflict.
#pragma once

#include <string_view>

#include "swarmlib/backend.h"

namespace swarm {

// True for the message of a 409 on create that means the container's name.
bool SaysNameIsTaken(std::string_view message);

// Whether the answer means AlreadyExists, told by a field of its head.
void MarkAlreadyExists(Reply& reply);
bool IsMarkedAlreadyExists(const Headers& headers);

}  // namespace swarm
