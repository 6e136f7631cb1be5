#include <utility>

#include "base/text.h"
#include "sched/builtin.h"
#include "sched/ports.h"

namespace swarm {
namespace {

// In the text of the rule, which a refusal repeats for each node.
constexpr std::size_t kMaxPortsNamed = 64;

std::string HostModeText(const PortBinding& port) {
  return "port " + std::to_string(port.container_port) + "/" + port.protocol + " (Host mode)";
}

std::string BridgeModeText(const PortBinding& port) {
  return "port " + PortText(port) + " (Bridge mode)";
}

class PortFilter final : public BuiltinFilter {
 public:
  std::string_view name() const override { return "port"; }

  absl::StatusOr<std::vector<Rule>> RulesFor(const ContainerSpec& spec) const override {
    std::vector<PortBinding> asked;
    std::vector<std::string> texts;
    const auto ask = [&](PortBinding port, const auto& text_of) {
      if (texts.size() < kMaxPortsNamed) texts.push_back(text_of(port));
      asked.push_back(std::move(port));
    };
    if (spec.host_network) {
      for (const PortBinding& exposed : spec.exposed) ask(HostNetworkPort(exposed), HostModeText);
    } else {
      for (const PortBinding& port : spec.ports) {
        // Of port 0 the engine picks one: nothing is asked of the node.
        if (port.host_first != 0) ask(port, BridgeModeText);
      }
    }
    if (asked.empty()) return std::vector<Rule>{};
    if (asked.size() > texts.size()) {
      texts.push_back("and " + std::to_string(asked.size() - texts.size()) + " more ports");
    }
    const std::string text = Join(texts, " ");
    return std::vector<Rule>{{text, false, term::PortsFree{std::move(asked), spec.host_network}}};
  }
};

}  // namespace

std::unique_ptr<Filter> MakePortFilter() { return std::make_unique<PortFilter>(); }

}  // namespace swarm
