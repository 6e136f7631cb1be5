// Strings of engines as the header promises them: UTF-8.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "swarmlib/cluster.h"
#include "swarmlib/model.h"

namespace swarm::c {

// Every string of the value that callers are shown is UTF-8.
bool IsUtf8(std::string_view text);
bool IsUtf8(const Node& node);
bool IsUtf8(const Container& container);
bool IsUtf8(const ContainerSpec& spec);

// The same with U+FFFD in place of each byte that belongs to no character.
std::string ToUtf8(std::string text);
Headers ToUtf8(Headers headers);
Node ToUtf8(Node node);
Container ToUtf8(Container container);
ContainerSpec ToUtf8(ContainerSpec spec);
// The node itself when it is UTF-8.
NodePointer ToUtf8(NodePointer node);

}  // namespace swarm::c
