#include "unit/core/cluster_world.h"

#include <algorithm>

#include "base/check.h"
#include "model/expression.h"
#include "sched/ports.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;
constexpr std::int64_t kCpu = 1'000'000'000;

std::unique_ptr<Strategy> MakeStrategy(const std::string& name) {
  const StrategyRegistry strategies = BuiltinStrategies();
  return (*strategies.Find(name))();
}

Expression Parse(const std::string& text) {
  absl::StatusOr<Expression> expression = ParseExpression(text);
  SWARM_CHECK(expression.ok(), "the generator writes valid expressions");
  return *std::move(expression);
}

std::optional<IndependentModel> MakeModel(const ClusterWorld::Options& options) {
  if (!options.model) return std::nullopt;
  IndependentModel::Settings settings;
  settings.strategy = options.strategy;
  settings.overcommit = options.overcommit;
  settings.flaw = *options.model;
  return std::optional<IndependentModel>(std::move(settings));
}

}  // namespace

FilterList AllFilters() {
  FilterList filters;
  filters.push_back(MakeHealthFilter());
  filters.push_back(MakePortFilter());
  filters.push_back(MakeContainerSlotsFilter());
  filters.push_back(MakeDependencyFilter());
  filters.push_back(MakeAffinityFilter());
  filters.push_back(MakeConstraintFilter());
  filters.push_back(MakeWhitelistFilter());
  filters.push_back(MakePlatformFilter());
  return filters;
}

ClusterWorld::ClusterWorld(const Options& options)
    : options_(options),
      random_(options.seed),
      state_random_(options.seed + 1),
      oracle_random_(options.seed + 1),
      model_random_(options.seed + 1),
      filters_(AllFilters()),
      strategy_(MakeStrategy(options.strategy)),
      scheduler_options_{options.overcommit, SchedulerOptions().failure_retry},
      model_(MakeModel(options)),
      state_({options.overcommit, scheduler_options_.failure_retry}, AllFilters(),
             MakeStrategy(options.strategy), state_random_),
      oracle_(plain_, filters_, *strategy_, scheduler_options_, oracle_random_) {
  for (int i = 0; i < options.nodes; ++i) {
    const Node node = MakeNode(next_node_++);
    addresses_.push_back(node.address);
    plain_.SetNode(node);
    state_.SetNode(node);
  }
}

Node ClusterWorld::MakeNode(int number) {
  Node node;
  node.address =
      "10.0." + std::to_string(number / 250) + "." + std::to_string(number % 250) + ":2375";
  node.name = "host" + std::to_string(random_.Below(1'000'000));
  if (Chance(3)) node.name = "twin" + std::to_string(random_.Below(4));
  node.id = "ENGINE:" + std::to_string(number);
  node.state = NodeState::kHealthy;
  if (Chance(6)) node.state = NodeState::kUnhealthy;
  if (Chance(3)) node.state = NodeState::kPending;
  if (node.state == NodeState::kUnhealthy) node.failures = 3;
  if (node.state == NodeState::kHealthy && Chance(5))
    node.failures = static_cast<int>(random_.Below(3));
  node.cordoned = Chance(2);
  node.total = {static_cast<std::int64_t>(2 + random_.Below(3) * 7) * kCpu,
                static_cast<std::int64_t>(2 + random_.Below(4)) * kGiB};
  node.os = "linux";
  node.architecture = Pick({"x86_64", "x86_64", "x86_64", "aarch64"});
  node.labels["region"] = "r" + std::to_string(random_.Below(8));
  if (Chance(80)) node.labels["storage"] = Pick({"ssd", "hdd", "SSD"});
  node.labels["rack"] =
      "rack" + std::to_string(random_.Below(static_cast<std::uint64_t>(options_.nodes / 3 + 1)));
  if (Chance(20)) node.labels["containerslots"] = Pick({"3", "6", "many", "10"});
  return node;
}

Container* ClusterWorld::AnyContainer(PlainNode*& on) {
  for (int attempt = 0; attempt < 5; ++attempt) {
    on = plain_.Find(AnyAddress());
    if (on == nullptr || on->held.empty()) continue;
    Container* const container = &on->held[random_.Below(on->held.size())];
    if (!container->id.empty()) return container;
  }
  return nullptr;
}

std::string ClusterWorld::AnyReference() {
  PlainNode* on = nullptr;
  const Container* const container = AnyContainer(on);
  if (container == nullptr) return "nobody";
  const std::string& name = container->names[0];
  switch (random_.Below(7)) {
    case 0: return container->id;
    case 1: return container->id.substr(0, 12);
    case 2: return container->id.substr(0, 3);
    case 3: return "/" + name;
    case 4: return on->description.name + "/" + name;
    case 5: return container->swarm_id;
    default: return name;
  }
}

void ClusterWorld::AddExpressions(ContainerSpec& spec) {
  const std::string number = std::to_string(random_.Below(8));
  if (Chance(60)) {
    spec.constraints.push_back(Parse(
        Pick({"region==r" + number, "region!=r" + number, "region==~r" + number, "region==r[12]",
              "region==/r[0-" + number + "]/", "region==r*", "region==/" + number + "|x/"})));
  }
  if (Chance(40)) {
    spec.constraints.push_back(
        Parse(Pick({"storage==ssd", "storage!=hdd", "storage=ssd", "storage=!ssd", "storage==s*",
                    "storage!=~ssd", "storage==/^$/", "storage!=*", "storage=/S.D/"})));
  }
  if (Chance(15)) {
    const std::string rack =
        "rack" + std::to_string(random_.Below(static_cast<std::uint64_t>(options_.nodes)));
    spec.constraints.push_back(
        Parse(Pick({"rack==" + rack, "rack!=" + rack, "rack==" + rack + "*", "rack==~" + rack,
                    "nolabel==x", "nolabel!=x", "nolabel==*"})));
  }
  if (Chance(6)) {
    const PlainNode* const node = plain_.Find(AnyAddress());
    spec.constraints.push_back(
        Parse(Pick({"node==" + node->description.name, "node!=" + node->description.name,
                    "node==" + node->description.id, "node==*1*", "node==/host[0-4]/",
                    "node==~" + node->description.name})));
  }
  if (Chance(20)) {
    spec.affinities.push_back(
        Parse(Pick({"app==a" + number, "app!=a" + number, "app==~a" + number, "app!=a*",
                    "container!=c1*", "container==~c*" + number, "tier==/./", "image==nginx",
                    "image!=redis:7", "image==*n*", "image==~redis", "tier!=t" + number})));
  }
  if (Chance(8)) {
    const std::string op = Pick({"==", "!=", "==~"});
    PlainNode* on = nullptr;
    const Container* const container = AnyContainer(on);
    if (container != nullptr) {
      spec.affinities.push_back(Parse("container" + op +
                                      Pick({container->names[0], "/" + container->names[0],
                                            container->id, container->id.substr(0, 12)})));
    }
  }
  if (Chance(4)) {
    const std::string one = plain_.Find(AnyAddress())->description.name;
    const std::string two = plain_.Find(AnyAddress())->description.name;
    if (!one.empty() && !two.empty()) spec.whitelists.push_back(Parse("node==" + one + "|" + two));
  }
}

void ClusterWorld::AddPorts(ContainerSpec& spec) {
  spec.host_network = Chance(10);
  std::vector<PortBinding>& ports = spec.host_network ? spec.exposed : spec.ports;
  const int count = 1 + static_cast<int>(random_.Below(2));
  for (int i = 0; i < count; ++i) {
    PortBinding port;
    port.container_port = static_cast<std::uint16_t>(80 + random_.Below(4));
    port.host_first =
        static_cast<std::uint16_t>(80 + random_.Below(4) + 10 * static_cast<std::uint64_t>(i));
    port.host_last = port.host_first;
    if (Chance(10)) port.host_last = static_cast<std::uint16_t>(port.host_first + random_.Below(3));
    if (Chance(5)) port.host_first = port.host_last = 0;
    port.host_ip = Pick({"", "", "", "0.0.0.0", "::", "127.0.0.1", "10.0.0.1"});
    port.protocol = Pick({"tcp", "tcp", "tcp", "udp", "sctp", "dccp"});
    ports.push_back(port);
  }
}

ContainerSpec ClusterWorld::MakeSpec() {
  ContainerSpec spec;
  const std::string number = std::to_string(next_container_++);
  spec.name = "c" + number;
  spec.swarm_id = random_.Hex(64);
  spec.image = "nginx";
  if (Chance(50)) spec.labels["app"] = "a" + std::to_string(random_.Below(8));
  if (Chance(20)) spec.labels["tier"] = "t" + std::to_string(random_.Below(8));
  if (Chance(70)) AddExpressions(spec);
  if (Chance(25)) AddPorts(spec);
  if (Chance(50)) {
    spec.request.memory = static_cast<std::int64_t>(random_.Below(4)) * kGiB / 8;
    spec.request.nano_cpus = static_cast<std::int64_t>(random_.Below(3)) * kCpu / 4;
    // Each of these is a class of its own.
    if (Chance(10)) spec.request.memory = static_cast<std::int64_t>(random_.Below(40)) * kGiB / 16;
  }
  if (Chance(4)) spec.links.push_back(AnyReference());
  if (Chance(3)) spec.volumes_from.push_back(AnyReference());
  if (Chance(2)) spec.joined.push_back(AnyReference());
  if (Chance(10))
    spec.platform = Pick({"linux/amd64", "linux/arm64", "linux", "amd64", "windows/amd64"});
  return spec;
}

std::string ClusterWorld::AskModel(const ContainerSpec& spec,
                                   const absl::StatusOr<Reservation>& found) {
  if (!model_) return "";
  std::vector<const PlainNode*> nodes;
  for (const std::string& address : addresses_) nodes.push_back(plain_.Find(address));
  const std::optional<Placement> named = model_->Choose(std::move(nodes), spec, model_random_);
  const auto text = [](const Placement& placement) {
    return placement.node + " weight " + std::to_string(placement.weight) +
           (placement.soft_dropped ? " without what is soft" : "");
  };
  const std::string expected = named ? text(*named) : "none";
  const std::string got = found.ok() ? text(found->placement) : "none";
  if (expected == got) return "";
  return "model: " + expected + "\nindex: " + got +
         (found.ok() ? "" : ", " + std::string(MessageOf(found.status())));
}

std::string ClusterWorld::PlaceBoth() {
  const ContainerSpec spec = MakeSpec();
  const absl::StatusOr<Placement> expected = oracle_.Choose(spec);
  const absl::StatusOr<Reservation> found = state_.Place(spec);
  std::string objection = AskModel(spec, found);
  if (!objection.empty()) return objection;
  if (expected.ok() != found.ok()) {
    return "oracle: " +
           (expected.ok() ? expected->node : std::string(MessageOf(expected.status()))) +
           "\nindex: " +
           (found.ok() ? found->placement.node : std::string(MessageOf(found.status())));
  }
  if (!found.ok()) {
    ++refused_;
    if (expected.status() == found.status()) return "";
    return "oracle: " + std::string(MessageOf(expected.status())) +
           "\nindex: " + std::string(MessageOf(found.status()));
  }
  const Placement& placement = found->placement;
  if (placement.node != expected->node || placement.weight != expected->weight ||
      placement.soft_dropped != expected->soft_dropped) {
    return "oracle: " + expected->node + " weight " + std::to_string(expected->weight) +
           "\nindex: " + placement.node + " weight " + std::to_string(placement.weight);
  }
  ++placed_;
  Container container;
  container.names = {spec.name};
  container.swarm_id = spec.swarm_id;
  container.labels = spec.labels;
  container.request = spec.request;
  container.wanted_ports = spec.ports;
  if (spec.host_network) {
    container.network_mode = "host";
    container.exposed_ports = spec.exposed;
  }
  plain_.Find(placement.node)->held.push_back(std::move(container));
  pending_.push_back({found->ticket, placement.node, spec});
  if (pending_.size() > 4) SettleOne();
  return "";
}

void ClusterWorld::DropPending(const Placed& placed) {
  PlainNode* const node = plain_.Find(placed.address);
  if (node == nullptr) return;
  std::erase_if(node->held, [&placed](const Container& container) {
    return container.id.empty() && container.swarm_id == placed.spec.swarm_id;
  });
}

void ClusterWorld::Republish(const Container& container) {
  state_.PutContainer(container.node, ContainerRecord{container, {}});
}

void ClusterWorld::SettleOne() {
  const std::size_t which = random_.Below(pending_.size());
  const Placed placed = pending_[which];
  pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(which));
  PlainNode* const node = plain_.Find(placed.address);
  Container made;
  if (node != nullptr) {
    for (const Container& container : node->held) {
      if (container.id.empty() && container.swarm_id == placed.spec.swarm_id) made = container;
    }
  }
  DropPending(placed);
  if (node == nullptr || Chance(10)) {
    state_.Settle(placed.ticket, nullptr);
    return;
  }
  made.id = random_.Hex(64);
  made.node = placed.address;
  const ContainerRecord record{made, {}};
  // Sometimes the engine's event comes before its answer.
  if (Chance(20)) state_.PutContainer(placed.address, record);
  state_.Settle(placed.ticket, &record);
  node->held.push_back(std::move(made));
}

void ClusterWorld::ChangeContainer() {
  PlainNode* on = nullptr;
  Container* const container = AnyContainer(on);
  if (container == nullptr) return;
  if (Chance(35)) {
    state_.EraseContainer(container->node, container->id);
    const std::string id = container->id;
    std::erase_if(on->held, [&id](const Container& held) { return held.id == id; });
    return;
  }
  container->state = static_cast<ContainerState>(random_.Below(7));
  container->bound_ports.clear();
  if (container->state == ContainerState::kRunning) {
    for (PortBinding port : container->wanted_ports) {
      if (port.host_first == 0)
        port.host_first = static_cast<std::uint16_t>(32768 + random_.Below(1000));
      port.host_last = port.host_first;
      container->bound_ports.push_back(port);
    }
  }
  if (Chance(10))
    container->names = {"c" + std::to_string(next_container_++) + "x",
                        "alias/" + container->names[0]};
  if (Chance(10)) container->labels["app"] = "a" + std::to_string(random_.Below(9));
  if (Chance(10)) container->request.memory += kGiB / 16;
  Republish(*container);
}

void ClusterWorld::ChangeNode() {
  PlainNode* const node = plain_.Find(AnyAddress());
  Node changed = node->description;
  switch (random_.Below(5)) {
    case 0:
      changed.state =
          changed.state == NodeState::kHealthy ? NodeState::kUnhealthy : NodeState::kHealthy;
      changed.failures = changed.state == NodeState::kHealthy ? 0 : 3;
      break;
    case 1:
      changed.labels["region"] = "r" + std::to_string(random_.Below(9));
      if (Chance(30)) changed.labels.erase("storage");
      if (Chance(30)) changed.labels["containerslots"] = std::to_string(random_.Below(9));
      break;
    case 2: changed.name = "host" + std::to_string(random_.Below(1'000'000)); break;
    case 3:
      changed.cordoned = !changed.cordoned && Chance(20);
      changed.failures = static_cast<int>(random_.Below(3));
      break;
    default:
      changed.state = changed.state == NodeState::kPending ? NodeState::kHealthy
                      : Chance(20)                         ? NodeState::kPending
                                                           : changed.state;
      changed.total.memory += kGiB;
      break;
  }
  plain_.SetNode(changed);
  state_.SetNode(changed);
}

void ClusterWorld::ReplaceNode() {
  const std::size_t which = random_.Below(addresses_.size());
  plain_.DropNode(addresses_[which]);
  state_.DropNode(addresses_[which]);
  std::erase_if(starts_, [&](const auto& start) {
    if (start.second != addresses_[which]) return false;
    state_.Release(start.first);
    return true;
  });
  for (const Placed& placed : pending_) {
    if (placed.address == addresses_[which]) state_.Settle(placed.ticket, nullptr);
  }
  std::erase_if(pending_,
                [&](const Placed& placed) { return placed.address == addresses_[which]; });
  const Node node = MakeNode(next_node_++);
  addresses_[which] = node.address;
  plain_.SetNode(node);
  state_.SetNode(node);
}

void ClusterWorld::ChangeImages() {
  PlainNode* const node = plain_.Find(AnyAddress());
  node->image_list.clear();
  for (const std::string tag :
       {"nginx:latest", "redis:7", "10.0.0.1:5000/nginx:1", "busybox:latest"}) {
    if (Chance(50)) node->image_list.push_back({"sha256:" + tag, {tag}, {}, {}, {}, 0});
  }
  state_.SetImages(node->description.address, node->image_list, {});
}

void ClusterWorld::ToggleStart() {
  if (!starts_.empty() && Chance(50)) {
    const auto start = starts_.begin();
    plain_.Find(start->second)->holds.erase(start->first);
    state_.Release(start->first);
    starts_.erase(start);
    return;
  }
  PlainNode* on = nullptr;
  const Container* const container = AnyContainer(on);
  if (container == nullptr) return;
  PlainHold hold;
  hold.holder = container->names[0];
  absl::StatusOr<std::uint64_t> ticket = absl::UnknownError("");
  if (Chance(50)) {
    ticket = state_.ReserveStart(container->id);
    const ContainerState state = container->state;
    const bool runs = state == ContainerState::kRunning || state == ContainerState::kPaused ||
                      state == ContainerState::kRestarting;
    if (!runs && container->network_mode != "host") hold.ports = PortsWantedBy(*container);
  } else {
    hold.resources.memory = kGiB / 4;
    ticket = state_.ReserveUpdate(container->id, {0, container->request.memory + kGiB / 4});
  }
  if (!ticket.ok()) return;
  on->holds.emplace(*ticket, hold);
  starts_.emplace(*ticket, on->description.address);
}

void ClusterWorld::Churn() {
  const std::uint64_t kind = random_.Below(100);
  if (kind < 45) return ChangeContainer();
  if (kind < 60) return ChangeNode();
  if (kind < 66 && !options_.large) return ReplaceNode();
  if (kind < 80) return ToggleStart();
  if (kind < 88) return ChangeImages();
  if (!pending_.empty()) SettleOne();
}

}  // namespace swarm
