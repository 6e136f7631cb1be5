#include "sched/column.h"

#include <algorithm>
#include <utility>

namespace swarm {

Column::Value Column::Intern(std::string_view text) {
  const auto known = ids_.find(text);
  if (known != ids_.end()) return known->second;
  ++revision_;
  Value value;
  if (free_.empty()) {
    value = static_cast<Value>(entries_.size());
    entries_.emplace_back();
  } else {
    value = free_.back();
    free_.pop_back();
  }
  entries_[value] = std::make_unique<Entry>();
  entries_[value]->text = std::string(text);
  ids_.emplace(std::string(text), value);
  for (const auto& pattern : patterns_) {
    if (pattern->matches.size() <= value) pattern->matches.resize(value + 1);
    pattern->matches[value] = pattern->matcher(text) ? 1 : 0;
  }
  return value;
}

bool Column::Differs(const Pattern& pattern, const std::vector<Value>& values) const {
  const bool any = std::any_of(values.begin(), values.end(),
                               [&pattern](Value value) { return pattern.matches[value] != 0; });
  return any != pattern.matches_missing;
}

void Column::Assign(Position position, const std::vector<Value>& values) {
  for (const Value value : values) entries_[value]->nodes.Insert(position);
  for (const auto& pattern : patterns_) {
    if (Differs(*pattern, values)) pattern->differing.Insert(position);
  }
}

void Column::Unassign(Position position, const std::vector<Value>& values) {
  for (const auto& pattern : patterns_) pattern->differing.Erase(position);
  for (const Value value : values) {
    Entry* const entry = entries_[value].get();
    if (entry == nullptr) continue;
    entry->nodes.Erase(position);
    if (!entry->nodes.empty()) continue;
    ids_.erase(ids_.find(entry->text));
    entries_[value].reset();
    free_.push_back(value);
    ++revision_;
  }
}

void Column::Move(Position from, Position to, const std::vector<Value>& values) {
  for (const Value value : values) {
    entries_[value]->nodes.Insert(to);
    entries_[value]->nodes.Erase(from);
  }
  for (const auto& pattern : patterns_) {
    pattern->differing.Erase(from);
    if (Differs(*pattern, values)) pattern->differing.Insert(to);
  }
}

NodeSelection Column::Find(std::string_view text) const {
  const auto known = ids_.find(text);
  return {known == ids_.end() ? nullptr : &entries_[known->second]->nodes, false};
}

NodeSelection Column::Match(const std::string& name, const std::function<Matcher()>& make_matcher) {
  ++clock_;
  for (const auto& pattern : patterns_) {
    if (pattern->name != name) continue;
    pattern->used = clock_;
    return {&pattern->differing, pattern->matches_missing};
  }
  ++revision_;
  auto pattern = std::make_unique<Pattern>();
  pattern->name = name;
  pattern->matcher = make_matcher();
  pattern->used = clock_;
  pattern->matches_missing = missing_is_empty_ && pattern->matcher("");
  pattern->matches.resize(entries_.size());
  // A node may have several values: it differs when any matches, or with the missing matching when
  // none does. Labels, the only values that may be missing, are one a node.
  for (std::size_t value = 0; value < entries_.size(); ++value) {
    const Entry* const entry = entries_[value].get();
    if (entry == nullptr) continue;
    const bool matches = pattern->matcher(entry->text);
    pattern->matches[value] = matches ? 1 : 0;
    if (matches == pattern->matches_missing) continue;
    for (Position at = entry->nodes.NextFrom(0); at != kNoPosition;
         at = entry->nodes.NextFrom(at + 1)) {
      pattern->differing.Insert(at);
    }
  }
  if (patterns_.size() >= kMaxPatterns) {
    const auto oldest = std::min_element(
        patterns_.begin(), patterns_.end(),
        [](const auto& left, const auto& right) { return left->used < right->used; });
    patterns_.erase(oldest);
  }
  patterns_.push_back(std::move(pattern));
  return {&patterns_.back()->differing, patterns_.back()->matches_missing};
}

}  // namespace swarm
