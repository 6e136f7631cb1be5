#include "sched/builtin.h"

#include "base/check.h"

namespace swarm {
namespace {

template <typename AnyRegistry, typename Maker>
void AddNew(AnyRegistry& registry, const char* name, Maker maker) {
  SWARM_CHECK(registry.Add(name, maker).ok(), "built-in names are unique");
}

}  // namespace

FilterRegistry BuiltinFilters() {
  FilterRegistry filters;
  AddNew(filters, "health", MakeHealthFilter);
  AddNew(filters, "port", MakePortFilter);
  AddNew(filters, "containerslots", MakeContainerSlotsFilter);
  AddNew(filters, "dependency", MakeDependencyFilter);
  AddNew(filters, "affinity", MakeAffinityFilter);
  AddNew(filters, "constraint", MakeConstraintFilter);
  AddNew(filters, "whitelist", MakeWhitelistFilter);
  AddNew(filters, "platform", MakePlatformFilter);
  return filters;
}

StrategyRegistry BuiltinStrategies() {
  StrategyRegistry strategies;
  AddNew(strategies, "spread", MakeSpreadStrategy);
  AddNew(strategies, "balanced", MakeSpreadStrategy);
  AddNew(strategies, "binpack", MakeBinpackStrategy);
  AddNew(strategies, "binpacking", MakeBinpackStrategy);
  AddNew(strategies, "random", MakeRandomStrategy);
  return strategies;
}

}  // namespace swarm
