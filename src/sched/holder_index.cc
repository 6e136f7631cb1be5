#include "sched/holder_index.h"

#include <algorithm>
#include <utility>

#include "sched/terms.h"

namespace swarm {
namespace {

template <typename Live>
void MakeRoom(std::vector<std::unique_ptr<Live>>& live, std::size_t most) {
  if (live.size() < most) return;
  live.erase(std::min_element(live.begin(), live.end(), [](const auto& left, const auto& right) {
    return left->used < right->used;
  }));
}

}  // namespace

void HolderIndex::Count(Holders& holders, Slot slot, int by) {
  std::int32_t& count = holders.count_of[slot];
  count += by;
  if (count == by && by > 0) holders.nodes.Insert(position_of_(slot));
  if (count > 0) return;
  holders.nodes.Erase(position_of_(slot));
  holders.count_of.erase(slot);
}

void HolderIndex::CountInKey(LiveKey& key, Slot slot, const Container& container, int by) {
  const std::string_view value = LabelOf(container, key.key);
  auto holders = key.by_value.find(value);
  if (holders == key.by_value.end())
    holders = key.by_value.emplace(std::string(value), Holders()).first;
  Count(holders->second, slot, by);
  if (holders->second.count_of.empty()) key.by_value.erase(holders);
}

void HolderIndex::CountInPattern(LivePattern& pattern, Slot slot, const Container& container,
                                 int by) {
  if (ContainerMatches(pattern.matcher, pattern.expression.key, container))
    Count(pattern.holders, slot, by);
}

const PositionSet* HolderIndex::Find(const Expression& expression, const EveryContainer& every) {
  ++clock_;
  return IsExact(expression) ? FindExact(expression, every) : FindPattern(expression, every);
}

const PositionSet* HolderIndex::FindExact(const Expression& expression,
                                          const EveryContainer& every) {
  auto live = std::find_if(keys_.begin(), keys_.end(),
                           [&expression](const auto& key) { return key->key == expression.key; });
  if (live == keys_.end()) {
    MakeRoom(keys_, kMaxLiveHolderKeys);
    keys_.push_back(std::make_unique<LiveKey>());
    live = std::prev(keys_.end());
    LiveKey& made = **live;
    made.key = expression.key;
    every([&](Slot slot, const Container& container) { CountInKey(made, slot, container, 1); });
  }
  (*live)->used = clock_;
  const auto holders = (*live)->by_value.find(expression.value);
  return holders == (*live)->by_value.end() ? nullptr : &holders->second.nodes;
}

const PositionSet* HolderIndex::FindPattern(const Expression& expression,
                                            const EveryContainer& every) {
  auto live = std::find_if(patterns_.begin(), patterns_.end(), [&expression](const auto& pattern) {
    const Expression& known = pattern->expression;
    return known.value == expression.value && known.key == expression.key &&
           known.match == expression.match && known.ignore_case == expression.ignore_case;
  });
  if (live == patterns_.end()) {
    MakeRoom(patterns_, kMaxLiveHolderPatterns);
    patterns_.push_back(std::unique_ptr<LivePattern>(
        new LivePattern{expression, PatternMatcher(expression), Holders(), 0}));
    live = std::prev(patterns_.end());
    LivePattern& made = **live;
    every([&](Slot slot, const Container& container) { CountInPattern(made, slot, container, 1); });
  }
  (*live)->used = clock_;
  return &(*live)->holders.nodes;
}

void HolderIndex::Add(Slot slot, const Container& container) {
  for (const auto& key : keys_) CountInKey(*key, slot, container, 1);
  for (const auto& pattern : patterns_) CountInPattern(*pattern, slot, container, 1);
}

void HolderIndex::Remove(Slot slot, const Container& container) {
  for (const auto& key : keys_) CountInKey(*key, slot, container, -1);
  for (const auto& pattern : patterns_) CountInPattern(*pattern, slot, container, -1);
}

void HolderIndex::Move(Position from, Position to) {
  const auto move = [from, to](Holders& holders) {
    if (!holders.nodes.Contains(from)) return;
    holders.nodes.Insert(to);
    holders.nodes.Erase(from);
  };
  for (const auto& key : keys_) {
    // order-free: each value's set is changed by itself.
    // order-free: each value is moved by itself
    for (auto& [value, holders] : key->by_value) move(holders);
  }
  for (const auto& pattern : patterns_) move(pattern->holders);
}

void HolderIndex::RemoveNode(Slot slot, Position position) {
  const auto remove = [slot, position](Holders& holders) {
    if (holders.count_of.erase(slot) > 0) holders.nodes.Erase(position);
  };
  for (const auto& key : keys_) {
    // order-free: each value's set is changed by itself.
    // order-free: each value is removed by itself
    for (auto& [value, holders] : key->by_value) remove(holders);
    std::erase_if(key->by_value, [](const auto& value) { return value.second.count_of.empty(); });
  }
  for (const auto& pattern : patterns_) remove(pattern->holders);
}

void HolderIndex::AddNode(Slot slot, const std::vector<const Container*>& containers) {
  if (keys_.empty() && patterns_.empty()) return;
  for (const Container* container : containers) Add(slot, *container);
}

}  // namespace swarm
