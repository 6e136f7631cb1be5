#include <utility>

#include "base/text.h"
#include "sched/builtin.h"
#include "sched/ports.h"

namespace swarm {
namespace {

// In the text of the rule, which a refusal repeats for each node.
constexpr std::size_t kMaxPortsNamed = 64;

class PortFilter final : public BuiltinFilter {
 public:
  std::string_view name() const override { return "port"; }

  absl::StatusOr<std::vector<Rule>> RulesFor(const ContainerSpec& spec) const override {
    std::vector<PortBinding> asked;
    std::vector<std::string> texts;
    if (spec.host_network) {
      for (const PortBinding& exposed : spec.exposed) {
        asked.push_back(HostNetworkPort(exposed));
        texts.push_back("port " + std::to_string(exposed.container_port) + "/" + exposed.protocol +
                        " (Host mode)");
      }
    } else {
      for (const PortBinding& port : spec.ports) {
        if (port.host_first == 0) continue;  // the engine picks one: nothing is asked of the node
        asked.push_back(port);
        texts.push_back("port " + PortText(port) + " (Bridge mode)");
      }
    }
    if (asked.empty()) return std::vector<Rule>{};
    if (texts.size() > kMaxPortsNamed) {
      const std::string more = std::to_string(texts.size() - kMaxPortsNamed);
      texts.resize(kMaxPortsNamed);
      texts.push_back("and " + more + " more ports");
    }
    const std::string text = Join(texts, " ");
    return std::vector<Rule>{{text, false, term::PortsFree{std::move(asked), spec.host_network}}};
  }
};

}  // namespace

std::unique_ptr<Filter> MakePortFilter() { return std::make_unique<PortFilter>(); }

}  // namespace swarm
