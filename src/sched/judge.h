// The slow path: every rule against every node, in the order of the filters, with the reason of
// each refusal.
//
// Used when nothing fits, for Explain, and as the oracle that the indexed scheduler is tested
// against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "sched/inventory.h"
#include "sched/questions.h"
#include "sched/usage.h"
#include "swarmlib/filter.h"
#include "swarmlib/model.h"
#include "swarmlib/strategy.h"

namespace swarm {

using FilterList = std::vector<std::unique_ptr<Filter>>;

inline constexpr std::size_t kMaxReasonsShown =
    20;  // nodes named in a refusal; the rest is counted
inline constexpr std::size_t kMaxCandidatesShown = 100;  // of an Explanation

// The rules of one filter for one spec.
struct FilterRules {
  std::string_view filter;
  std::vector<Rule> rules;
};

// In the order of `filters`. The error of the first filter that cannot read the spec, with its
// name.
absl::StatusOr<std::vector<FilterRules>> ReadRules(const FilterList& filters,
                                                   const ContainerSpec& spec);

bool HasSoftRule(const std::vector<FilterRules>& rules);

// What is judged by. All parts outlive the calls.
struct Judging {
  const Inventory& inventory;
  const FilterList& filters;
  const Strategy& strategy;
  const SchedulerOptions& options;
  // Null = predicates are asked at once. What is judged while questions are open counts for
  // nothing.
  Questions* questions = nullptr;
};

NodeUsage UsageOf(const NodeView& view, const SchedulerOptions& options);

// What became of one node.
struct Verdict {
  static constexpr std::size_t kNotCandidate = SIZE_MAX;

  const NodeView* view = nullptr;
  bool fits = false;
  std::int64_t rank = 0;  // when it fits
  std::size_t failed_at =
      0;  // else: the filter's index, the number of filters for the strategy, kNotCandidate
  const Rule* failed = nullptr;  // the first rule that does not hold
};

// Both passes, with the soft rules and without; the verdicts of the one that decided, one a node,
// by name, then address.
struct Judgement {
  const std::vector<FilterRules>& rules;
  std::vector<Verdict> verdicts;
  bool soft_dropped = false;
};
// `rules` are those of `spec`, and outlive what is given.
Judgement JudgeSpec(const Judging& judging, const std::vector<FilterRules>& rules,
                    const ContainerSpec& spec);

// As Scheduler::Explain.
Explanation ExplainSpec(const Judging& judging, const std::vector<FilterRules>& rules,
                        const ContainerSpec& spec);

// The status of Scheduler::Choose when nothing fits.
absl::Status RefuseSpec(const Judging& judging, const Judgement& judgement,
                        const ContainerSpec& spec);

}  // namespace swarm
