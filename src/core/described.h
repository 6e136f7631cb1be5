// Containers as requests describe them, before their engine does.
#pragma once

#include <string_view>

#include "swarmlib/clock.h"
#include "swarmlib/model.h"

namespace swarm {

// What `spec` makes on the node at `address`: created, without an id and what only an engine knows.
Container DescribedContainer(const ContainerSpec& spec, std::string_view address,
                             std::string_view name, std::string_view swarm_id);

// Makes of a container that was not running what it is right after its start: the ports that it was
// to take count as taken. One whose health is not known yet stays without.
void MarkStarted(Container& container, WallTime now);

// `now` is a container as its engine lists it: takes from what was known of it `before` what only
// an inspect tells and is still right.
void KeepUnlisted(const Container& before, Container& now);

}  // namespace swarm
