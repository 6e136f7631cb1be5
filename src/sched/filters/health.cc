#include "sched/builtin.h"

namespace swarm {
namespace {

class HealthFilter final : public BuiltinFilter {
 public:
  std::string_view name() const override { return "health"; }

  absl::StatusOr<std::vector<Rule>> RulesFor(const ContainerSpec& /*spec*/) const override {
    return std::vector<Rule>{{"healthy", false, term::Healthy{}}};
  }
};

}  // namespace

std::unique_ptr<Filter> MakeHealthFilter() { return std::make_unique<HealthFilter>(); }

}  // namespace swarm
