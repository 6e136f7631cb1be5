#include <utility>

#include "sched/builtin.h"

namespace swarm {
namespace {

class AffinityFilter final : public BuiltinFilter {
 public:
  std::string_view name() const override { return "affinity"; }

  absl::StatusOr<std::vector<Rule>> RulesFor(const ContainerSpec& spec) const override {
    std::vector<Rule> rules;
    for (const Expression& affinity : spec.affinities) {
      if (affinity.key == "image") {
        rules.push_back({affinity.text, affinity.soft, term::HoldsImage{affinity}});
        continue;
      }
      Expression wanted = affinity;
      // Docker shows names with a slash, so people write them with one.
      if (wanted.key == "container" && wanted.match == Expression::Match::kGlob &&
          wanted.value.size() > 1 && wanted.value.front() == '/') {
        wanted.value.erase(0, 1);
      }
      rules.push_back({affinity.text, affinity.soft, term::HoldsContainer{std::move(wanted)}});
    }
    return rules;
  }
};

}  // namespace

std::unique_ptr<Filter> MakeAffinityFilter() { return std::make_unique<AffinityFilter>(); }

}  // namespace swarm
