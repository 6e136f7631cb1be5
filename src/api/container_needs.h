// Which containers of a node others of it need: whose namespaces, links or volumes they use.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/context.h"

namespace swarm {

struct ContainerNeeds {
  struct Need {
    std::string by;         // a name
    std::string reference;  // of the other: its id, its beginning, or its name
  };
  std::vector<Need> all;
  absl::Status read;  // why it is not known of one, with its name
};

// Asks the engine about each of them and adds what it says. On one loop.
Task<void> AddNeeds(ContextPointer context, std::vector<ContainerPointer> entries,
                    std::shared_ptr<ContainerNeeds> to);

// FailedPrecondition names one that needs it, or one of which it is not known.
absl::Status CheckNotNeeded(const ContainerNeeds& needs, const Container& container);

}  // namespace swarm
