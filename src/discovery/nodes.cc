#include "discovery/nodes.h"

#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "discovery/addresses.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

class NodesDiscovery final : public Discovery {
 public:
  explicit NodesDiscovery(std::vector<std::string> addresses) : addresses_(std::move(addresses)) {}

  void Watch(std::function<void(absl::StatusOr<std::vector<std::string>>)> changed) override {
    changed(addresses_);
  }

 private:
  std::vector<std::string> addresses_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Discovery>> MakeNodesDiscovery(std::string_view rest,
                                                              const DiscoveryContext&) {
  std::vector<std::string> addresses;
  for (const std::string_view piece : Split(rest, ',')) {
    const std::string_view item = Trim(piece);
    if (item.empty()) continue;
    if (absl::Status appended = AppendAddresses(item, addresses); !appended.ok()) {
      return Annotate(appended, "the list of nodes");
    }
  }
  if (addresses.empty()) {
    return InvalidArgument("the list of nodes is empty: write swarmd manage nodes://host:2375,...");
  }
  SortAddresses(addresses);
  return std::unique_ptr<Discovery>(std::make_unique<NodesDiscovery>(std::move(addresses)));
}

}  // namespace swarm
