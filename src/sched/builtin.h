// The filters and strategies that come with the library.
#pragma once

#include <memory>

#include "swarmlib/filter.h"
#include "swarmlib/strategy.h"

namespace swarm {

// Marks filters whose rules depend on nothing but the parts of a spec that PlanKey holds
// (sched/plan.h), so that the rules of equal specs need not be made twice.
class BuiltinFilter : public Filter {};

std::unique_ptr<Filter> MakeHealthFilter();
std::unique_ptr<Filter> MakePortFilter();
std::unique_ptr<Filter> MakeContainerSlotsFilter();
std::unique_ptr<Filter> MakeDependencyFilter();
std::unique_ptr<Filter> MakeAffinityFilter();
std::unique_ptr<Filter> MakeConstraintFilter();
std::unique_ptr<Filter> MakeWhitelistFilter();
std::unique_ptr<Filter> MakePlatformFilter();

std::unique_ptr<Strategy> MakeSpreadStrategy();
std::unique_ptr<Strategy> MakeBinpackStrategy();
std::unique_ptr<Strategy> MakeRandomStrategy();

}  // namespace swarm
