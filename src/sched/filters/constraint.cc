#include "sched/builtin.h"

namespace swarm {
namespace {

class ConstraintFilter final : public BuiltinFilter {
 public:
  std::string_view name() const override { return "constraint"; }

  absl::StatusOr<std::vector<Rule>> RulesFor(const ContainerSpec& spec) const override {
    std::vector<Rule> rules;
    for (const Expression& constraint : spec.constraints) {
      rules.push_back({constraint.text, constraint.soft, term::Label{constraint}});
    }
    return rules;
  }
};

}  // namespace

std::unique_ptr<Filter> MakeConstraintFilter() { return std::make_unique<ConstraintFilter>(); }

}  // namespace swarm
