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

namespace {

// One rule, made ready once for all nodes and both passes.
struct RuleCheck {
  std::size_t filter;
  const Rule* rule;
  TermCheck term;
};

std::vector<RuleCheck> ReadyChecks(const Judging& judging, const std::vector<FilterRules>& rules) {
  std::vector<RuleCheck> checks;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    for (const Rule& rule : rules[i].rules) {
      checks.push_back(
          {i, &rule, TermCheck(rule.term, judging.inventory, {judging.questions, false})});
    }
  }
  return checks;
}

// With `with_soft` false the soft rules are passed over.
std::vector<Verdict> JudgeNodes(const Judging& judging, const std::vector<RuleCheck>& checks,
                                std::size_t filters, std::vector<NodeFacts>& nodes,
                                const ContainerSpec& spec, bool with_soft) {
  std::vector<Verdict> verdicts;
  verdicts.reserve(nodes.size());
  for (NodeFacts& node : nodes) {
    Verdict& verdict = verdicts.emplace_back();
    verdict.view = &node.view();
    if (!IsCandidate(verdict.view->node())) {
      verdict.failed_at = Verdict::kNotCandidate;
      continue;
    }
    const auto failed = std::find_if(checks.begin(), checks.end(), [&](const RuleCheck& check) {
      return (with_soft || !check.rule->soft) && !check.term.Holds(node);
    });
    if (failed != checks.end()) {
      verdict.failed_at = failed->filter;
      verdict.failed = failed->rule;
      continue;
    }
    const std::optional<std::int64_t> rank =
        judging.strategy.Rank(UsageOf(*verdict.view, judging.options), spec.request);
    verdict.fits = rank.has_value();
    verdict.rank = rank.value_or(0);
    verdict.failed_at = filters;
  }
  return verdicts;
}

}  // namespace

Judgement JudgeSpec(const Judging& judging, const std::vector<FilterRules>& rules,
                    const ContainerSpec& spec) {
  const std::vector<RuleCheck> checks = ReadyChecks(judging, rules);
  std::vector<NodeFacts> nodes;
  for (const NodeView* view : judging.inventory.Views()) nodes.emplace_back(*view);
  Judgement judgement{rules, JudgeNodes(judging, checks, rules.size(), nodes, spec, true)};
  const bool found = std::any_of(judgement.verdicts.begin(), judgement.verdicts.end(),
                                 [](const Verdict& verdict) { return verdict.fits; });
  const bool is_open = judging.questions != nullptr && judging.questions->open();
  if (!found && !is_open && HasSoftRule(rules)) {
    judgement.soft_dropped = true;
    judgement.verdicts = JudgeNodes(judging, checks, rules.size(), nodes, spec, false);
  }
  return judgement;
}

}  // namespace swarm
