#include "api/compose.h"

#include <algorithm>
#include <set>
#include <utility>

#include "api/volumes.h"
#include "wire/attachments.h"

namespace swarm {
namespace {

using NameSet = std::set<std::string_view>;

bool SharesOneOf(const Container& container, const NameSet& networks) {
  return std::any_of(container.networks.begin(), container.networks.end(),
                     [&](const std::string& name) { return networks.contains(name); });
}

}  // namespace

std::vector<std::string> NodesOfProject(const Context& context, const std::string& project,
                                        const std::vector<std::string>& networks) {
  const NameSet wanted(networks.begin(), networks.end());
  std::set<std::string> addresses;
  for (const ContainerPointer& entry : context.cluster().Containers()) {
    const Container& container = entry->container;
    const auto label = container.labels.find(kComposeProjectLabel);
    if (label == container.labels.end() || label->second != project) continue;
    if (wanted.empty() || SharesOneOf(container, wanted)) addresses.insert(container.node);
  }
  return {addresses.begin(), addresses.end()};
}

std::vector<std::string> NodesInNetworks(const Context& context,
                                         const std::vector<std::string>& networks,
                                         const std::vector<NetworkCopy>& copies) {
  const NameSet wanted(networks.begin(), networks.end());
  std::set<std::string> addresses;
  for (const ContainerPointer& entry : context.cluster().Containers()) {
    if (SharesOneOf(entry->container, wanted)) addresses.insert(entry->container.node);
  }
  if (!addresses.empty()) return {addresses.begin(), addresses.end()};
  for (const NetworkCopy& copy : copies) {
    if (copy.ours() && wanted.contains(copy.name)) addresses.insert(copy.node->address);
  }
  return {addresses.begin(), addresses.end()};
}

Task<std::vector<std::string>> HomeOf(ContextPointer context, std::string project,
                                      std::vector<NetworkCopy> networks) {
  std::vector<std::string> home = NodesOfProject(*context, project, {});
  if (!home.empty()) co_return home;
  home = co_await NodesWithVolumesOf(context, project);
  if (!home.empty()) co_return home;
  for (const NetworkCopy& copy : networks) {
    if (copy.project == project) home.push_back(copy.node->address);
  }
  co_return home;
}

}  // namespace swarm
