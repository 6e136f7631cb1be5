// Key and operator of a whitelist say nothing, as in the peer: its value is the list of names.
#include <utility>

#include "base/text.h"
#include "sched/builtin.h"

namespace swarm {
namespace {

class WhitelistFilter final : public BuiltinFilter {
 public:
  std::string_view name() const override { return "whitelist"; }

  absl::StatusOr<std::vector<Rule>> RulesFor(const ContainerSpec& spec) const override {
    std::vector<Rule> rules;
    for (const Expression& whitelist : spec.whitelists) {
      term::NodeIn allowed;
      for (const std::string_view name : Split(whitelist.value, '|'))
        allowed.names.emplace_back(name);
      rules.push_back({whitelist.text, false, std::move(allowed)});
    }
    return rules;
  }
};

}  // namespace

std::unique_ptr<Filter> MakeWhitelistFilter() { return std::make_unique<WhitelistFilter>(); }

}  // namespace swarm
