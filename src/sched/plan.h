// The rules of a spec, read once for all specs that ask the same.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "sched/column.h"
#include "sched/judge.h"
#include "swarmlib/model.h"

namespace swarm {

inline constexpr std::size_t kMaxPlans = 256;  // kept; the one unused longest goes first

// Expressions, ports and references of a plan that is kept; one of more is made anew each time.
inline constexpr std::size_t kMaxPlanParts = 512;

// One of the two passes over the nodes.
struct PlanPass {
  std::uint64_t query = 0;     // names the pass among all, for hints; 0 = takes none
  std::uint64_t revision = 0;  // of the columns, when `fixed` was found; 0 = never
  // False when what a term says of a node may change without a change of the node.
  bool may_hint = true;
  std::vector<NodeSelection> fixed;
  std::vector<const Term*> moving;  // terms that are resolved each time
};

struct Plan {
  ContainerSpec key;  // only the parts that built-in filters read
  std::vector<FilterRules> rules;
  bool has_soft = false;
  std::array<PlanPass, 2> passes;  // all rules, hard ones only
  std::uint64_t used = 0;
};

// The parts of a spec that built-in filters read, as a number and as an equality.
std::uint64_t HashPlanKey(const ContainerSpec& spec);
bool SamePlanKey(const ContainerSpec& left, const ContainerSpec& right);

// The plan of one container alone. The error of the filter that cannot read the spec.
absl::StatusOr<std::unique_ptr<Plan>> MakePlan(const FilterList& filters,
                                               const ContainerSpec& spec);

// One of them is not built in.
bool HasOwnFilter(const FilterList& filters);

class PlanCache {
 public:
  // `filters` outlives this. Nothing is kept when one of them is not built in: it may read any part
  // of a spec.
  explicit PlanCache(const FilterList& filters);

  // Valid until the next call. The error of the filter that cannot read the spec.
  absl::StatusOr<Plan*> PlanFor(const ContainerSpec& spec);

  std::size_t size() const { return plans_.size(); }

 private:
  const FilterList& filters_;
  const bool keeps_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Plan>> plans_;  // by hash of the key
  std::unique_ptr<Plan> single_;  // the last one that was not kept
  std::uint64_t clock_ = 0;
  std::uint64_t next_query_ = 1;
};

}  // namespace swarm
