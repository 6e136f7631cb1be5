// nodes://: a list that never changes.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "swarmlib/discovery.h"

namespace swarm {

// `rest` is "host:port,host:port,..."; the commas are split first, so a range may not hold one.
absl::StatusOr<std::unique_ptr<Discovery>> MakeNodesDiscovery(std::string_view rest,
                                                              const DiscoveryContext& context);

}  // namespace swarm
