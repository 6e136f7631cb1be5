// One term against one node, plainly.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/expression.h"
#include "sched/inventory.h"
#include "sched/ports.h"
#include "sched/questions.h"
#include "swarmlib/filter.h"

namespace swarm {

// The texts that an image answers to: id, short id, tags, digests, and repositories without tag.
std::vector<std::string> ImageTexts(const Image& image);

// The value of a container for the key of an affinity: empty when it lacks the label.
std::string_view LabelOf(const Container& container, std::string_view key);

// True when the container is one that an expression with that key and pattern speaks of, whatever
// the operator.
bool ContainerMatches(const PatternMatcher& pattern, std::string_view key,
                      const Container& container);

// Whether the expression asks for what matches, not for what does not.
inline bool IsEqual(const Expression& expression) {
  return expression.op == Expression::Operator::kEqual;
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

  bool Holds(const NodeView& view) const;

  // Why it does not hold, in words: "label storage is hdd".
  std::string WhyNot(const NodeView& view) const;

 private:
  const Term& term_;
  const Inventory& inventory_;
  Asking asking_;
  std::shared_ptr<const PatternMatcher> pattern_;  // of the term's expression; null without one
  std::shared_ptr<const HeldPorts> asked_;         // of PortsFree
  std::vector<std::string>
      holders_;  // of HoldsAll: addresses of the nodes that hold every reference
};

}  // namespace swarm
