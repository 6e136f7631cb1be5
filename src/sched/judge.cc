#include "sched/judge.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "sched/terms.h"
#include "swarmlib/status.h"

namespace swarm {

absl::StatusOr<std::vector<FilterRules>> ReadRules(const FilterList& filters,
                                                   const ContainerSpec& spec) {
  std::vector<FilterRules> all;
  all.reserve(filters.size());
  for (const std::unique_ptr<Filter>& filter : filters) {
    absl::StatusOr<std::vector<Rule>> rules = filter->RulesFor(spec);
    if (!rules.ok()) {
      return Annotate(rules.status(), "error from " + std::string(filter->name()) + " filter");
    }
    all.push_back({filter->name(), *std::move(rules)});
  }
  return all;
}

bool HasSoftRule(const std::vector<FilterRules>& rules) {
  for (const FilterRules& filter : rules) {
    for (const Rule& rule : filter.rules) {
      if (rule.soft) return true;
    }
  }
  return false;
}

NodeUsage UsageOf(const NodeView& view, const SchedulerOptions& options) {
  NodeUsage usage;
  usage.reserved = view.reserved();
  usage.total = WithOvercommit(view.node().total, options.overcommit);
  usage.health = HealthOf(view.node(), options.failure_retry);
  usage.containers = static_cast<std::int64_t>(view.containers().size());
  return usage;
}

std::vector<Verdict> JudgeNodes(const Judging& judging, const std::vector<FilterRules>& rules,
                                const ContainerSpec& spec, bool with_soft) {
  struct Check {
    std::size_t filter;
    const Rule* rule;
    TermCheck term;
  };
  std::vector<Check> checks;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    for (const Rule& rule : rules[i].rules) {
      if (rule.soft && !with_soft) continue;
      checks.push_back(
          {i, &rule, TermCheck(rule.term, judging.inventory, {judging.questions, false})});
    }
  }
  const std::vector<const NodeView*> views = judging.inventory.Views();
  std::vector<Verdict> verdicts;
  verdicts.reserve(views.size());
  for (const NodeView* view : views) {
    Verdict& verdict = verdicts.emplace_back();
    verdict.view = view;
    if (!IsCandidate(view->node())) {
      verdict.failed_at = Verdict::kNotCandidate;
      continue;
    }
    const auto failed = std::find_if(checks.begin(), checks.end(), [view](const Check& check) {
      return !check.term.Holds(*view);
    });
    if (failed != checks.end()) {
      verdict.failed_at = failed->filter;
      verdict.failed = failed->rule;
      continue;
    }
    const std::optional<std::int64_t> rank =
        judging.strategy.Rank(UsageOf(*view, judging.options), spec.request);
    verdict.fits = rank.has_value();
    verdict.rank = rank.value_or(0);
    verdict.failed_at = rules.size();
  }
  return verdicts;
}

Judgement JudgeSpec(const Judging& judging, const std::vector<FilterRules>& rules,
                    const ContainerSpec& spec) {
  Judgement judgement{rules, JudgeNodes(judging, rules, spec, true)};
  const bool found = std::any_of(judgement.verdicts.begin(), judgement.verdicts.end(),
                                 [](const Verdict& verdict) { return verdict.fits; });
  const bool is_open = judging.questions != nullptr && judging.questions->open();
  if (!found && !is_open && HasSoftRule(rules)) {
    judgement.soft_dropped = true;
    judgement.verdicts = JudgeNodes(judging, rules, spec, false);
  }
  return judgement;
}

}  // namespace swarm
