// What predicates of the embedding program, and patterns that may take long, say of nodes: noted
// while the state is locked, asked when it is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/expression.h"
#include "sched/inventory.h"
#include "swarmlib/filter.h"

namespace swarm {

inline constexpr std::size_t kMaxQuestions = 64;  // noted in one round
// Rounds in which a node had changed since it was asked about. Then predicates are asked at once,
// with the state locked, so that a placement ends; patterns only about nodes that were asked about.
inline constexpr int kMaxLostRounds = 8;

// Of one decision about one container. A round is a search that notes what it would have to know,
// and then Ask; when a search has noted nothing it has decided. Not thread-safe.
class Questions {
 public:
  // kBest: of what is noted in the order of preference, only as much is asked as is needed to go
  // on.
  enum class Want { kBest, kAll };
  // With `asks_patterns` the patterns that HasCostlyPattern names are questions too.
  explicit Questions(Want want, bool asks_patterns = false)
      : want_(want),
        asks_patterns_(asks_patterns),
        most_(want == Want::kBest ? 1 : kMaxQuestions) {}
  bool asks_patterns() const { return asks_patterns_; }

  using Predicate = std::function<bool(const NodeView&)>;
  using Reason = std::function<std::string(const NodeView&)>;
  struct Asked {
    const Term* term = nullptr;  // stays, and names the predicate
    std::shared_ptr<const Predicate> holds;
    std::shared_ptr<const Reason> why_not;  // of patterns only, which may take as long; else null
  };

  // The pattern of the term, which stays, compiled once for all searches.
  std::shared_ptr<const PatternMatcher> PatternOf(const Term& term, const Expression& expression);

  // While the state is locked. A new search begins.
  void Begin();
  // Whether `asked` holds for the node: as it is now (`exact`) or as it was when it was asked. A
  // guess when it is not known; then it is open.
  bool Holds(const Asked& asked, const NodeView& view, const Inventory& inventory, bool exact);
  // Whoever asks about one of these patterns asks about those behind it, too, as far as they hold.
  void AddPattern(const Asked& pattern);
  // Why it does not hold for the node, of what has such reasons.
  std::string WhyNot(const Asked& asked, const NodeView& view) const;
  // The search has decided nothing: Ask, then search again.
  bool open() const { return !noted_.empty(); }

  // While the state is not locked: calls predicates.
  void Ask();

 private:
  using Key = std::pair<const Term*, std::string>;  // with the node's address
  struct Answer {
    std::uint64_t revision = 0;  // of the node
    bool holds = false;
    std::string why_not;
  };
  struct Question {
    Key key;
    std::uint64_t revision = 0;
    std::shared_ptr<const NodeView> view;
    Asked asked;
    bool exact = false;
  };

  // False when it, or a pattern behind it, does not hold.
  bool AnswerAll(const Question& question);
  bool AnswerOne(const Question& question, const Asked& asked);

  const Want want_;
  const bool asks_patterns_;
  std::size_t most_;  // questions of this round
  int lost_ = 0;
  bool changed_ = false;  // a node, in this round
  std::map<const Term*, std::shared_ptr<const PatternMatcher>> patterns_;
  std::vector<Asked> asked_patterns_;  // in the order of the rules
  std::map<Key, Answer> answers_;
  std::vector<Question> noted_;
};

}  // namespace swarm
