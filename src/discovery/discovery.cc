#include "swarmlib/discovery.h"

#include "base/text.h"
#include "discovery/addresses.h"
#include "discovery/file.h"
#include "discovery/nodes.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

std::string Choices(const DiscoveryRegistry& registry) {
  std::vector<std::string> schemes;
  for (const std::string& name : registry.Names()) schemes.push_back(name + "://");
  return "the choices are " + Join(schemes, ", ") +
         ", as in \"swarmd manage nodes://host:2375,...\"";
}

}  // namespace

DiscoveryRegistry BuiltinDiscovery() {
  DiscoveryRegistry registry;
  // The names differ, so neither can be taken already.
  registry.Add("nodes", MakeNodesDiscovery).IgnoreError();
  registry.Add("file", MakeFileDiscovery).IgnoreError();
  return registry;
}

absl::StatusOr<std::unique_ptr<Discovery>> MakeDiscovery(const DiscoveryRegistry& registry,
                                                         std::string_view url,
                                                         const DiscoveryContext& context) {
  const std::string_view text = Trim(url);
  if (text.empty()) return InvalidArgument("no discovery URL is given: " + Choices(registry));
  const std::size_t mark = text.find("://");
  const std::string_view scheme = mark == std::string_view::npos ? "nodes" : text.substr(0, mark);
  const std::string_view rest = mark == std::string_view::npos ? text : text.substr(mark + 3);
  const DiscoveryMaker* const maker = registry.Find(scheme);
  if (maker == nullptr) {
    return InvalidArgument("the discovery scheme " + Quoted(scheme) +
                           " is not known: " + Choices(registry));
  }
  return (*maker)(rest, context);
}

}  // namespace swarm
