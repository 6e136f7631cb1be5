// The node label containerslots=N bounds the containers of a node, stopped ones and pending creates
// included.
#include "sched/builtin.h"

namespace swarm {
namespace {

class ContainerSlotsFilter final : public BuiltinFilter {
 public:
  std::string_view name() const override { return "containerslots"; }

  absl::StatusOr<std::vector<Rule>> RulesFor(const ContainerSpec& /*spec*/) const override {
    return std::vector<Rule>{{"available container slots", false, term::SlotFree{}}};
  }
};

}  // namespace

std::unique_ptr<Filter> MakeContainerSlotsFilter() {
  return std::make_unique<ContainerSlotsFilter>();
}

}  // namespace swarm
