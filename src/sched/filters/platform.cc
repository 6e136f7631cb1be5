#include "sched/builtin.h"

namespace swarm {
namespace {

class PlatformFilter final : public BuiltinFilter {
 public:
  std::string_view name() const override { return "platform"; }

  absl::StatusOr<std::vector<Rule>> RulesFor(const ContainerSpec& spec) const override {
    if (spec.platform.empty()) return std::vector<Rule>{};
    return std::vector<Rule>{{"platform " + spec.platform, false, term::Platform{spec.platform}}};
  }
};

}  // namespace

std::unique_ptr<Filter> MakePlatformFilter() { return std::make_unique<PlatformFilter>(); }

}  // namespace swarm
