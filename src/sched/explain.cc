// Verdicts in words: Explanations and refusals.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/text.h"
#include "sched/judge.h"
#include "sched/terms.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

struct Reason {
  std::string group;  // what is counted together beyond the first nodes
  std::string text;
};

std::string_view NameOf(const Node& node) {
  return node.name.empty() ? std::string_view(node.address) : std::string_view(node.name);
}

Reason WhyNotCandidate(const Node& node) {
  if (node.cordoned) return {"cordoned", "cordoned: the node takes no new containers"};
  std::string state = ToLower(NodeStateName(node.state));
  std::string text = node.error.empty() ? state : state + ": " + node.error;
  return {std::move(state), std::move(text)};
}

Reason WhyNotRanked(const Judging& judging, const NodeView& view, const Resources& request) {
  const NodeUsage usage = UsageOf(view, judging.options);
  Resources alone;
  alone.memory = request.memory;
  if (request.memory > 0 && !judging.strategy.Rank(usage, alone)) {
    const std::int64_t left = std::max<std::int64_t>(0, usage.total.memory - usage.reserved.memory);
    return {"memory", "memory: " + BytesText(request.memory) + " asked, " + BytesText(left) +
                          " of " + BytesText(usage.total.memory) + " left"};
  }
  alone = Resources();
  alone.nano_cpus = request.nano_cpus;
  if (request.nano_cpus > 0 && !judging.strategy.Rank(usage, alone)) {
    const std::int64_t left =
        std::max<std::int64_t>(0, usage.total.nano_cpus - usage.reserved.nano_cpus);
    return {"cpus", "cpus: " + CpusText(request.nano_cpus) + " asked, " + CpusText(left) + " of " +
                        CpusText(usage.total.nano_cpus) + " left"};
  }
  const std::string text = "refused by strategy " + std::string(judging.strategy.name());
  return {text, text};
}

// The checks of one refusal, each made ready once.
class Reasons {
 public:
  Reasons(const Judging& judging, const ContainerSpec& spec) : judging_(judging), spec_(spec) {}
  Reason Of(const Verdict& verdict);
  // Of its reason alone what is counted together: ports are not looked up for it.
  std::string GroupOf(const Verdict& verdict);

 private:
  const Judging& judging_;
  const ContainerSpec& spec_;
  std::map<const Rule*, TermCheck> checks_;
};

Reason Reasons::Of(const Verdict& verdict) {
  const Node& node = verdict.view->node();
  if (verdict.failed_at == Verdict::kNotCandidate) return WhyNotCandidate(node);
  if (verdict.failed == nullptr) return WhyNotRanked(judging_, *verdict.view, spec_.request);
  const Rule& rule = *verdict.failed;
  const Asking asking{judging_.questions, false};
  const TermCheck& check =
      checks_.try_emplace(&rule, rule.term, judging_.inventory, asking).first->second;
  const std::string why = check.WhyNot(*verdict.view);
  if (std::holds_alternative<term::Healthy>(rule.term)) return {"unhealthy", why};
  if (why.empty()) return {rule.text, rule.text};
  // These say by themselves what was asked.
  if (std::holds_alternative<term::PortsFree>(rule.term) ||
      std::holds_alternative<term::SlotFree>(rule.term)) {
    return {rule.text, why};
  }
  return {rule.text, rule.text + ": " + why};
}

std::string Reasons::GroupOf(const Verdict& verdict) {
  const Rule* const rule = verdict.failed;
  if (verdict.failed_at == Verdict::kNotCandidate || rule == nullptr) return Of(verdict).group;
  return std::holds_alternative<term::Healthy>(rule->term) ? "unhealthy" : rule->text;
}

// "[zone==external storage==ssd]": the demands of one filter as the peer prints them.
std::string ConditionLine(const FilterRules& filter, bool with_soft) {
  std::string line;
  for (const Rule& rule : filter.rules) {
    if (rule.soft && !with_soft) continue;
    line += line.empty() ? "[" : " ";
    line += rule.text;
    if (filter.filter == "affinity") line += rule.soft ? " (soft=true)" : " (soft=false)";
  }
  return line.empty() ? line : line + "]";
}

struct Summary {
  std::string first_line;
  std::string conditions;  // further lines, each with a line feed before it
};

// In the peer each filter narrows the set, so the filter that emptied it is the last one that any
// node failed.
Summary Summarize(const Judgement& judgement) {
  bool any = false;
  std::size_t last = 0;
  for (const Verdict& verdict : judgement.verdicts) {
    if (verdict.failed_at == Verdict::kNotCandidate) continue;
    any = true;
    last = std::max(last, verdict.failed_at);
  }
  constexpr const char* kNoHealthy = "No healthy node available in the cluster";
  if (!any) {
    for (const FilterRules& filter : judgement.rules) {
      if (filter.filter == "health") return {kNoHealthy, ""};
    }
    return {"No nodes available in the cluster", ""};
  }
  if (last >= judgement.rules.size()) return {"no resources available to schedule container", ""};
  if (judgement.rules[last].filter == "health") return {kNoHealthy, ""};
  Summary summary{"Unable to find a node that satisfies the following conditions", ""};
  for (std::size_t i = 0; i <= last; ++i) {
    if (judgement.rules[i].filter == "health") continue;
    const std::string line = ConditionLine(judgement.rules[i], !judgement.soft_dropped);
    if (!line.empty()) summary.conditions += "\n" + line;
  }
  return summary;
}

}  // namespace

Explanation ExplainSpec(const Judging& judging, const std::vector<FilterRules>& rules,
                        const ContainerSpec& spec) {
  const Judgement judged = JudgeSpec(judging, rules, spec);
  Explanation explanation;
  Reasons reasons(judging, spec);
  for (const Verdict& verdict : judged.verdicts) {
    const Node& node = verdict.view->node();
    if (verdict.fits) {
      explanation.candidates.push_back(
          {node.address, node.name, verdict.rank, judged.soft_dropped});
    } else {
      explanation.refused.push_back({std::string(NameOf(node)), reasons.Of(verdict).text});
    }
  }
  std::stable_sort(
      explanation.candidates.begin(), explanation.candidates.end(),
      [](const Placement& left, const Placement& right) { return left.weight < right.weight; });
  if (explanation.candidates.size() > kMaxCandidatesShown)
    explanation.candidates.resize(kMaxCandidatesShown);
  std::stable_sort(
      explanation.refused.begin(), explanation.refused.end(),
      [](const NodeReason& left, const NodeReason& right) { return left.node < right.node; });
  if (explanation.candidates.empty()) {
    explanation.summary = Summarize(judged).first_line;
  } else if (!judging.strategy.draws()) {
    explanation.chosen = explanation.candidates.front();
  }
  return explanation;
}

absl::Status RefuseSpec(const Judging& judging, const Judgement& judgement,
                        const ContainerSpec& spec) {
  const Summary summary = Summarize(judgement);
  std::string message = summary.first_line + summary.conditions;
  std::vector<const Verdict*> refused;
  for (const Verdict& verdict : judgement.verdicts) refused.push_back(&verdict);
  std::stable_sort(refused.begin(), refused.end(), [](const Verdict* left, const Verdict* right) {
    return NameOf(left->view->node()) < NameOf(right->view->node());
  });
  std::map<std::string, int> counts;
  Reasons reasons(judging, spec);
  for (std::size_t i = 0; i < refused.size(); ++i) {
    if (i < kMaxReasonsShown) {
      const std::string name(NameOf(refused[i]->view->node()));
      message += "\n" + name + ": " + reasons.Of(*refused[i]).text;
    } else {
      ++counts[reasons.GroupOf(*refused[i])];
    }
  }
  if (!counts.empty()) {
    message += "\nand " + std::to_string(refused.size() - kMaxReasonsShown) + " more nodes: ";
    bool first = true;
    for (const auto& [group, count] : counts) {
      message += (first ? "" : ", ") + std::to_string(count) + " " + group;
      first = false;
    }
  }
  return FailedPrecondition(message);
}

}  // namespace swarm
