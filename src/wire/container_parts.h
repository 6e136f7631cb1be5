// What lists and inspect answers say of a container in the same words.
#pragma once

#include "swarmlib/model.h"
#include "wire/json.h"

namespace swarm {

// Adds the names and the places of `mounts`, the "Mounts" of a container, to its volumes.
void AddMounts(JsonValue mounts, Container& container);
// Adds `networks`, the "NetworkSettings.Networks" of a container, by name and by id.
void AddNetworks(JsonValue networks, Container& container);

}  // namespace swarm
