// A filter of one's own: a container with the labels "tier" and "most-per-node" goes only to nodes
// that hold fewer than that many containers of its tier. And a strategy: of the nodes that are left
// the fullest is taken.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "swarmlib/filter.h"
#include "swarmlib/manager.h"
#include "swarmlib/simulation.h"
#include "swarmlib/status.h"
#include "swarmlib/strategy.h"

namespace {

class TierLimit final : public swarm::Filter {
 public:
  std::string_view name() const override { return "tierlimit"; }

  absl::StatusOr<std::vector<swarm::Rule>> RulesFor(
      const swarm::ContainerSpec& spec) const override {
    const auto tier = spec.labels.find("tier");
    const auto most = spec.labels.find("most-per-node");
    if (tier == spec.labels.end() || most == spec.labels.end()) return std::vector<swarm::Rule>();
    int limit = 0;
    const std::string& text = most->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc() || end != text.data() + text.size() || limit < 1)
      return swarm::InvalidArgument("most-per-node=" + text + ": a number above 0 is wanted");
    const auto holds = [tier = tier->second, limit](const swarm::NodeView& node) {
      int found = 0;
      for (const swarm::Container* container : node.containers()) {
        const auto label = container->labels.find("tier");
        if (label != container->labels.end() && label->second == tier) ++found;
      }
      return found < limit;
    };
    swarm::Rule rule;
    rule.text = "fewer than " + text + " of tier " + tier->second;
    rule.term = swarm::term::Opaque{holds};
    return std::vector<swarm::Rule>{rule};
  }
};

class Fullest final : public swarm::Strategy {
 public:
  std::string_view name() const override { return "fullest"; }

  std::optional<std::int64_t> Rank(const swarm::NodeUsage& usage,
                                   const swarm::Resources& request) const override {
    if (usage.reserved.memory + request.memory > usage.total.memory) return std::nullopt;
    return -usage.containers;  // the lowest is taken
  }
};

void Create(swarm::Manager& manager, const std::string& most) {
  const std::string body =
      R"({"Image": "nginx", "Labels": {"tier": "web", "most-per-node": ")" + most + R"("}})";
  const auto plan = manager.PlanCreate(body, "", "");
  if (!plan.ok()) {
    std::printf("%d: %s\n", swarm::HttpStatusOf(plan.status()),
                std::string(swarm::MessageOf(plan.status())).c_str());
    return;
  }
  swarm::Request request;
  request.method = "POST";
  request.target = "/containers/create";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = body;
  const auto reply = manager.Call(std::move(request), {});
  if (!reply.ok()) {
    std::printf("no answer: %s\n", std::string(swarm::MessageOf(reply.status())).c_str());
  } else if (plan->chosen) {
    std::printf("%d: on %s\n", reply->status, plan->chosen->node_name.c_str());
  } else {
    std::printf("%d: nowhere\n", reply->status);
    for (const swarm::NodeReason& refused : plan->refused)
      std::printf("  not %s: %s\n", refused.node.c_str(), refused.reason.c_str());
  }
}

}  // namespace

int main() {
  swarm::Config config;
  config.discovery = "sim://2";
  config.strategy = "fullest";
  swarm::AddSimulation(config);
  const absl::Status filter =
      config.filter_registry.Add("tierlimit", [] { return std::make_unique<TierLimit>(); });
  const absl::Status strategy =
      config.strategy_registry.Add("fullest", [] { return std::make_unique<Fullest>(); });
  auto manager = swarm::Manager::Open(std::move(config));
  if (!filter.ok() || !strategy.ok() || !manager.ok()) return 1;
  if (!(*manager)->WaitReady(std::chrono::seconds(30)).ok()) return 1;
  for (int i = 0; i < 5; ++i) Create(**manager, "2");
  Create(**manager, "many");
  return 0;
}
