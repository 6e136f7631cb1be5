// Where a compose project is, so that what belongs to it goes there.
#pragma once

#include <string>
#include <vector>

#include "api/context.h"
#include "api/networks.h"

namespace swarm {

// Addresses of the nodes that have containers of the project which are in one of these networks
// (names); of all its containers when `networks` is empty. In order.
std::vector<std::string> NodesOfProject(const Context& context, const std::string& project,
                                        const std::vector<std::string>& networks);

// Addresses of the nodes with containers in one of these networks (names), of any project, else of
// those with a copy of one of them. In order.
std::vector<std::string> NodesInNetworks(const Context& context,
                                         const std::vector<std::string>& networks,
                                         const std::vector<NetworkCopy>& copies);

// Addresses of the nodes where something new of the project should go: those of its containers,
// else of its volumes that stay, else of its networks.
Task<std::vector<std::string>> HomeOf(ContextPointer context, std::string project,
                                      std::vector<NetworkCopy> networks);

}  // namespace swarm
