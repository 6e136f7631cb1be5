#include "sched/questions.h"

#include <algorithm>

namespace swarm {

void Questions::Begin() {
  if (!noted_.empty()) most_ = std::min(most_ * 2, kMaxQuestions);
  if (changed_) ++lost_;
  changed_ = false;
  noted_.clear();
}

bool Questions::Holds(const term::Opaque& predicate, const NodeView& view,
                      const Inventory& inventory, bool exact) {
  Key key(&predicate, view.node().address);
  const std::uint64_t revision = inventory.RevisionOf(view);
  const auto known = answers_.find(key);
  if (known != answers_.end() && (!exact || known->second.revision == revision))
    return known->second.holds;
  if (lost_ >= kMaxLostRounds) return predicate.holds(view);
  // A search that has noted enough comes to its end by taking what it finds.
  if (noted_.size() >= most_) return true;
  if (known != answers_.end()) changed_ = true;
  noted_.push_back({std::move(key), revision, inventory.Keep(view), exact});
  return false;
}

void Questions::Ask() {
  for (const Question& question : noted_) {
    const bool holds = question.key.first->holds(*question.view);
    answers_[question.key] = {question.revision, holds};
    // The best that is known to fit now ends a search; what it was asked for a report does not.
    if (holds && question.exact && want_ == Want::kBest) return;
  }
}

}  // namespace swarm
