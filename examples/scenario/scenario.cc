// The scenario that is written in every language of the project: simulated engines, an own filter,
// 100 containers, a refusal explained, events followed, close. Prints "NAME NODE" lines: where each
// container went.
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swarmlib/manager.h"
#include "swarmlib/simulation.h"
#include "swarmlib/status.h"

namespace {

constexpr int kContainers = 100;
constexpr std::chrono::seconds kPatience(30);
constexpr char kNowhere[] =
    R"({"Image":"busybox","Labels":{"com.docker.swarm.constraints":"[\"zone==nowhere\"]"}})";

[[noreturn]] void Fail(std::string_view what, std::string_view why) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(why.size()), why.data());
  std::exit(1);
}

void Check(const absl::Status& status, std::string_view what) {
  if (!status.ok()) Fail(what, swarm::MessageOf(status));
}

// A container with the label tier=even goes to nodes whose names end in an even digit.
class EvenName final : public swarm::Filter {
 public:
  std::string_view name() const override { return "evenname"; }

  absl::StatusOr<std::vector<swarm::Rule>> RulesFor(
      const swarm::ContainerSpec& spec) const override {
    std::vector<swarm::Rule> rules;
    const auto tier = spec.labels.find("tier");
    if (tier == spec.labels.end() || tier->second != "even") return rules;
    swarm::Rule rule;
    rule.text = "tier even wants an even node";
    rule.term = swarm::term::Opaque{[](const swarm::NodeView& view) {
      const std::string& name = view.node().name;
      return !name.empty() && std::string_view("02468").find(name.back()) != std::string_view::npos;
    }};
    rules.push_back(std::move(rule));
    return rules;
  }
};

swarm::Request Asking(std::string method, std::string target, std::string body) {
  swarm::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  if (!body.empty()) request.headers = {{"Content-Type", "application/json"}};
  request.body = std::move(body);
  return request;
}

swarm::Reply Call(swarm::Manager& manager, std::string method, std::string target,
                  std::string body) {
  const std::string what = method + " " + target;
  absl::StatusOr<swarm::Reply> reply =
      manager.Call(Asking(std::move(method), std::move(target), std::move(body)), {});
  Check(reply.status(), what);
  return *std::move(reply);
}

std::unique_ptr<swarm::Manager> Open() {
  swarm::Config config;
  config.discovery = "sim://5?seed=7";
  config.strategy = "spread";
  config.seed = 7;
  config.threads = 1;
  Check(config.filter_registry.Add("evenname", [] { return std::make_unique<EvenName>(); }),
        "adding the filter");
  swarm::AddSimulation(config);
  absl::StatusOr<std::unique_ptr<swarm::Manager>> manager = swarm::Manager::Open(std::move(config));
  Check(manager.status(), "opening the manager");
  Check((*manager)->WaitReady(kPatience), "waiting for the engines");
  return *std::move(manager);
}

void PlaceAll(swarm::Manager& manager) {
  for (int i = 0; i < kContainers; ++i) {
    const std::string name = "c" + std::to_string(i);
    const swarm::Reply reply = Call(
        manager, "POST", "/containers/create?name=" + name,
        i % 3 == 0 ? R"({"Image":"busybox","Labels":{"tier":"even"}})" : R"({"Image":"busybox"})");
    if (reply.status != 201) Fail(name, reply.body);
    const absl::StatusOr<swarm::ContainerPointer> made = manager.cluster().FindContainer(name);
    Check(made.status(), name);
    std::printf("%s %s\n", name.c_str(), (*made)->node->name.c_str());
  }
}

// A container that fits nowhere: refused, and each node says why.
void Refuse(swarm::Manager& manager) {
  const swarm::Reply reply = Call(manager, "POST", "/containers/create?name=refused", kNowhere);
  if (reply.status != 409 || reply.body.find("zone==nowhere") == std::string::npos)
    Fail("a container that fits nowhere", reply.body);
  const absl::StatusOr<swarm::Explanation> plan = manager.PlanCreate(kNowhere, "refused", "");
  Check(plan.status(), "explaining the refusal");
  if (plan->chosen || plan->refused.size() != 5) Fail("the explanation", plan->summary);
  for (const swarm::NodeReason& each : plan->refused) {
    if (each.reason.find("zone==nowhere") == std::string::npos) Fail(each.node, each.reason);
  }
}

// Reads until the creates of all containers were told.
void Follow(swarm::Exchange& events) {
  constexpr std::string_view kCreate = R"("Action":"create")";
  std::string told;
  std::size_t from = 0;
  for (int seen = 0; seen < kContainers;) {
    const std::size_t found = told.find(kCreate, from);
    if (found != std::string::npos) {
      from = found + kCreate.size();
      ++seen;
      continue;
    }
    std::array<char, 4096> piece;
    const absl::StatusOr<std::size_t> count = events.Read(piece, kPatience);
    Check(count.status(), "following the events");
    if (*count == 0) Fail("the events", "they ended");
    told.append(piece.data(), *count);
  }
}

}  // namespace

int main() {
  const std::unique_ptr<swarm::Manager> manager = Open();
  const std::unique_ptr<swarm::Exchange> events =
      manager->Begin(Asking("GET", R"(/events?filters={%22type%22:[%22container%22]})", ""));
  Check(events->WaitHead(kPatience), "opening the events");
  PlaceAll(*manager);
  Refuse(*manager);
  Follow(*events);
  manager->Close(std::chrono::seconds(1));
}
