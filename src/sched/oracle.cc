#include "sched/oracle.h"

namespace swarm {

absl::StatusOr<Placement> Oracle::Choose(const ContainerSpec& spec) {
  const absl::StatusOr<std::vector<FilterRules>> rules = ReadRules(judging_.filters, spec);
  if (!rules.ok()) return rules.status();
  const Judgement judged = JudgeSpec(judging_, *rules, spec);
  // Verdicts come by name and address, so the first of the lowest rank is the one that the tie rule
  // names.
  std::vector<const Verdict*> fitting;
  const Verdict* best = nullptr;
  for (const Verdict& verdict : judged.verdicts) {
    if (!verdict.fits) continue;
    fitting.push_back(&verdict);
    if (best == nullptr || verdict.rank < best->rank) best = &verdict;
  }
  if (best == nullptr) return RefuseSpec(judging_, judged, spec);
  if (judging_.strategy.draws()) best = fitting[random_.Below(fitting.size())];
  const Node& node = best->view->node();
  return Placement{node.address, node.name, best->rank, judged.soft_dropped};
}

absl::StatusOr<Explanation> Oracle::Explain(const ContainerSpec& spec) const {
  const absl::StatusOr<std::vector<FilterRules>> rules = ReadRules(judging_.filters, spec);
  if (!rules.ok()) return rules.status();
  return ExplainSpec(judging_, *rules, spec);
}

}  // namespace swarm
