#include "sched/builtin.h"

namespace swarm {
namespace {

class DependencyFilter final : public BuiltinFilter {
 public:
  std::string_view name() const override { return "dependency"; }

  absl::StatusOr<std::vector<Rule>> RulesFor(const ContainerSpec& spec) const override {
    std::vector<Rule> rules;
    Append("--volumes-from=", spec.volumes_from, rules);
    Append("--link=", spec.links, rules);
    Append("--net=container:", spec.joined, rules);
    return rules;
  }

 private:
  static void Append(std::string_view flag, const std::vector<std::string>& references,
                     std::vector<Rule>& rules) {
    for (const std::string& reference : references) {
      rules.push_back({std::string(flag) + reference, false, term::HoldsAll{{reference}}});
    }
  }
};

}  // namespace

std::unique_ptr<Filter> MakeDependencyFilter() { return std::make_unique<DependencyFilter>(); }

}  // namespace swarm
