#include "sched/questions.h"

#include <algorithm>

namespace swarm {

std::shared_ptr<const PatternMatcher> Questions::PatternOf(const Term& term,
                                                           const Expression& expression) {
  std::shared_ptr<const PatternMatcher>& pattern = patterns_[&term];
  if (pattern == nullptr) pattern = std::make_shared<const PatternMatcher>(expression);
  return pattern;
}

void Questions::Begin() {
  if (!noted_.empty()) most_ = std::min(most_ * 2, kMaxQuestions);
  if (changed_) ++lost_;
  changed_ = false;
  noted_.clear();
}

bool Questions::Holds(const Asked& asked, const NodeView& view, const Inventory& inventory,
                      bool exact) {
  Key key(asked.term, view.node().address);
  const std::uint64_t revision = inventory.RevisionOf(view);
  const auto known = answers_.find(key);
  if (known != answers_.end() && (!exact || known->second.revision == revision))
    return known->second.holds;
  const bool may_ask_at_once = known != answers_.end() || asked.why_not == nullptr;
  if (lost_ >= kMaxLostRounds && may_ask_at_once) return (*asked.holds)(view);
  // A search that has noted enough comes to its end by taking what it finds.
  if (noted_.size() >= most_) return true;
  if (known != answers_.end()) changed_ = true;
  noted_.push_back({std::move(key), revision, inventory.Keep(view), asked, exact});
  return false;
}

std::string Questions::WhyNot(const Asked& asked, const NodeView& view) const {
  const auto known = answers_.find(Key(asked.term, view.node().address));
  if (known != answers_.end() && !known->second.why_not.empty()) return known->second.why_not;
  return (*asked.why_not)(view);
}

void Questions::AddPattern(const Asked& pattern) {
  const auto known =
      std::find_if(asked_patterns_.begin(), asked_patterns_.end(),
                   [&pattern](const Asked& one) { return one.term == pattern.term; });
  if (known == asked_patterns_.end()) asked_patterns_.push_back(pattern);
}

bool Questions::AnswerOne(const Question& question, const Asked& asked) {
  const NodeView& view = *question.view;
  const bool holds = (*asked.holds)(view);
  const bool has_reason = !holds && asked.why_not != nullptr;
  answers_[Key(asked.term, question.key.second)] = {
      question.revision, holds, has_reason ? (*asked.why_not)(view) : std::string()};
  return holds;
}

bool Questions::AnswerAll(const Question& question) {
  if (!AnswerOne(question, question.asked)) return false;
  if (question.asked.why_not == nullptr) return true;
  auto next = std::find_if(asked_patterns_.begin(), asked_patterns_.end(),
                           [&](const Asked& one) { return one.term == question.asked.term; });
  if (next == asked_patterns_.end()) return true;
  for (++next; next != asked_patterns_.end(); ++next) {
    if (!AnswerOne(question, *next)) return false;
  }
  return true;
}

void Questions::Ask() {
  for (const Question& question : noted_) {
    const bool holds = AnswerAll(question);
    // The best that is known to fit now ends a search; what it was asked for a report does not.
    if (holds && question.exact && want_ == Want::kBest) return;
  }
}

}  // namespace swarm
