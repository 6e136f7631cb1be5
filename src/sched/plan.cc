#include "sched/plan.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include "sched/builtin.h"

namespace swarm {
namespace {

class Hasher {
 public:
  void Add(std::uint64_t value) {
    constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
    state_ = (state_ ^ value) * kOdd;
    state_ ^= state_ >> 32;
  }
  void Add(std::string_view text) { Add(std::hash<std::string_view>{}(text)); }
  void Add(const std::vector<std::string>& texts) {
    Add(texts.size());
    for (const std::string& text : texts) Add(text);
  }
  void Add(const std::vector<Expression>& expressions) {
    Add(expressions.size());
    for (const Expression& expression : expressions) Add(expression.text);
  }
  void Add(const std::vector<PortBinding>& ports) {
    Add(ports.size());
    for (const PortBinding& port : ports)
      Add(std::uint64_t{port.host_first} << 16 | port.container_port);
  }
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0;
};

// What rules are made of.
std::size_t CountParts(const ContainerSpec& spec) {
  return spec.constraints.size() + spec.affinities.size() + spec.whitelists.size() +
         spec.ports.size() + spec.exposed.size() + spec.volumes_from.size() + spec.links.size() +
         spec.joined.size();
}

ContainerSpec PlanKeyOf(const ContainerSpec& spec) {
  ContainerSpec key;
  key.constraints = spec.constraints;
  key.affinities = spec.affinities;
  key.whitelists = spec.whitelists;
  key.ports = spec.ports;
  key.host_network = spec.host_network;
  key.exposed = spec.exposed;
  key.volumes_from = spec.volumes_from;
  key.links = spec.links;
  key.joined = spec.joined;
  key.platform = spec.platform;
  return key;
}

}  // namespace

std::uint64_t HashPlanKey(const ContainerSpec& spec) {
  Hasher hasher;
  hasher.Add(spec.constraints);
  hasher.Add(spec.affinities);
  hasher.Add(spec.whitelists);
  hasher.Add(spec.ports);
  hasher.Add(spec.host_network ? 1U : 0U);
  hasher.Add(spec.exposed);
  hasher.Add(spec.volumes_from);
  hasher.Add(spec.links);
  hasher.Add(spec.joined);
  hasher.Add(spec.platform);
  return hasher.value();
}

bool SamePlanKey(const ContainerSpec& left, const ContainerSpec& right) {
  return left.constraints == right.constraints && left.affinities == right.affinities &&
         left.whitelists == right.whitelists && left.ports == right.ports &&
         left.host_network == right.host_network && left.exposed == right.exposed &&
         left.volumes_from == right.volumes_from && left.links == right.links &&
         left.joined == right.joined && left.platform == right.platform;
}

absl::StatusOr<std::unique_ptr<Plan>> MakePlan(const FilterList& filters,
                                               const ContainerSpec& spec) {
  absl::StatusOr<std::vector<FilterRules>> rules = ReadRules(filters, spec);
  if (!rules.ok()) return rules.status();
  auto plan = std::make_unique<Plan>();
  plan->rules = *std::move(rules);
  plan->has_soft = HasSoftRule(plan->rules);
  return plan;
}

bool HasOwnFilter(const FilterList& filters) {
  return std::any_of(filters.begin(), filters.end(), [](const std::unique_ptr<Filter>& filter) {
    return dynamic_cast<const BuiltinFilter*>(filter.get()) == nullptr;
  });
}

PlanCache::PlanCache(const FilterList& filters)
    : filters_(filters), keeps_(!HasOwnFilter(filters)) {}

absl::StatusOr<Plan*> PlanCache::PlanFor(const ContainerSpec& spec) {
  ++clock_;
  if (!keeps_ || CountParts(spec) > kMaxPlanParts) {
    absl::StatusOr<std::unique_ptr<Plan>> made = MakePlan(filters_, spec);
    if (!made.ok()) return made.status();
    single_ = *std::move(made);
    return single_.get();
  }
  const std::uint64_t hash = HashPlanKey(spec);
  const auto known = plans_.find(hash);
  if (known != plans_.end() && SamePlanKey(known->second->key, spec)) {
    known->second->used = clock_;
    return known->second.get();
  }
  absl::StatusOr<std::unique_ptr<Plan>> made = MakePlan(filters_, spec);
  if (!made.ok()) return made.status();
  if (known == plans_.end() && plans_.size() >= kMaxPlans) {
    // `used` is unique, so which one goes does not depend on the map's order.
    plans_.erase(
        std::min_element(plans_.begin(), plans_.end(), [](const auto& left, const auto& right) {
          return left.second->used < right.second->used;
        }));
  }
  std::unique_ptr<Plan>& plan = plans_[hash];
  plan = *std::move(made);
  plan->key = PlanKeyOf(spec);
  plan->used = clock_;
  for (PlanPass& pass : plan->passes) pass.query = next_query_++;
  return plan.get();
}

}  // namespace swarm
