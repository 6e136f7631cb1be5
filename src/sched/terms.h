// One term against one node, plainly.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "model/expression.h"
#include "sched/inventory.h"
#include "sched/node_facts.h"
#include "sched/ports.h"
#include "sched/questions.h"
#include "swarmlib/filter.h"

namespace swarm {

// True when the container is one that an expression with that key and pattern speaks of, whatever
// the operator.
bool ContainerMatches(const PatternMatcher& pattern, std::string_view key,
                      const Container& container);

// Whether the expression asks for what matches, not for what does not.
inline bool IsEqual(const Expression& expression) {
  return expression.op == Expression::Operator::kEqual;
}

// Whether it asks for one text that is there. Empty values match what is missing, too.
inline bool IsFindable(const Expression& expression) {
  return IsExact(expression) && !expression.value.empty();
}

// Where the predicates of the embedding program are asked: at once, or by `questions`.
struct Asking {
  Questions* questions = nullptr;
  bool exact = true;  // about the nodes as they are now
};

// A rule made ready to be held against many nodes of one inventory. `term`, `inventory` and the
// questions outlive it.
class TermCheck {
 public:
  TermCheck(const Term& term, const Inventory& inventory, Asking asking = {});

  bool Holds(NodeFacts& node) const;

  // Why it does not hold, in words: "label storage is hdd".
  std::string WhyNot(const NodeView& view) const;

 private:
  void PrepareQuestion();
  // Of terms with a pattern.
  static bool MatchesTerm(const Term& term, const PatternMatcher& pattern, NodeFacts& node);
  static std::string WhyNoMatch(const Term& term, const PatternMatcher& pattern,
                                const NodeView& view);

  const Term& term_;
  const Inventory& inventory_;
  Asking asking_;
  Questions::Asked question_;  // of what is asked by `questions`; else without a predicate
  std::shared_ptr<const PatternMatcher> pattern_;  // of the term's expression; null without one
  std::shared_ptr<const HeldPorts> asked_;         // of PortsFree
  std::shared_ptr<const StringSet> names_;         // of NodeIn
  std::vector<std::string>
      holders_;  // of HoldsAll: addresses of the nodes that hold every reference
};

}  // namespace swarm
