#include "sched/node_order.h"

#include <algorithm>

namespace swarm {
namespace {

constexpr std::size_t kLeaf = 64;         // the smallest stretch that is spread anew
constexpr Position kGapEvery = 8;         // appending leaves every eighth position free
constexpr std::size_t kLeafPercent = 95;  // how full a leaf may get; larger stretches less, down to
constexpr std::size_t kRootPercent = 75;  // this for the whole

}  // namespace

void NodeOrder::Put(Place& place, Position position) {
  if (position >= slots_.size()) slots_.resize(position + 1, kNoSlot);
  slots_[position] = place.slot;
  place.position = position;
}

Position NodeOrder::Insert(std::string_view name, std::string_view address, Slot slot,
                           const Mover& moved) {
  const auto [at, fresh] =
      order_.emplace(Key(std::string(name), std::string(address)), Place{slot, kNoPosition});
  if (!fresh) return at->second.position;
  const auto next = std::next(at);
  // Positions before the first node are free too: `after` is one past the node before.
  const auto first_free = [this](Order::iterator place) {
    return place == order_.begin() ? Position{0} : std::prev(place)->second.position + 1;
  };
  if (next == order_.end()) {
    Position position = first_free(at);
    if (position % kGapEvery == kGapEvery - 1) ++position;
    Put(at->second, position);
    return position;
  }
  if (first_free(at) >= next->second.position) {
    MakeRoom(at, moved);
    return at->second.position;
  }
  const Position low = first_free(at);
  Put(at->second, low + (next->second.position - low) / 2);
  return at->second.position;
}

void NodeOrder::Erase(std::string_view name, std::string_view address) {
  const auto at = order_.find(Key(std::string(name), std::string(address)));
  if (at == order_.end()) return;
  slots_[at->second.position] = kNoSlot;
  order_.erase(at);
}

void NodeOrder::MakeRoom(Order::iterator at, const Mover& moved) {
  const Position next = std::next(at)->second.position;
  std::size_t percent = kLeafPercent;
  for (std::size_t width = kLeaf;; width *= 2) {
    const Position begin = next / width * width;
    const std::size_t end = begin + width;
    // A stretch that reaches beyond the last position may grow: it is free there.
    std::vector<Order::iterator> nodes;
    auto first = at;
    while (first != order_.begin() && std::prev(first)->second.position >= begin) --first;
    for (auto node = first; node != order_.end(); ++node) {
      if (node != at && node->second.position >= end) break;
      nodes.push_back(node);
    }
    if (nodes.size() * 100 <= width * percent) {
      Spread(begin, static_cast<Position>(end), nodes, moved);
      return;
    }
    if (percent > kRootPercent) percent -= 2;
  }
}

void NodeOrder::Spread(Position begin, Position end, const std::vector<Order::iterator>& nodes,
                       const Mover& moved) {
  const std::size_t width = end - begin;
  std::vector<Position> targets(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    targets[i] = begin + static_cast<Position>(i * width / nodes.size());
  }
  const auto move = [&](std::size_t i) {
    Place& place = nodes[i]->second;
    const Position from = place.position;
    if (from == targets[i]) return;
    if (from != kNoPosition) slots_[from] = kNoSlot;
    Put(place, targets[i]);
    if (from != kNoPosition) moved(place.slot, from, targets[i]);
  };
  // Those that go down first, from the left, then those that go up, from the right: nobody enters a
  // place that another has not left.
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i]->second.position != kNoPosition && targets[i] < nodes[i]->second.position) move(i);
  }
  for (std::size_t i = nodes.size(); i-- > 0;) move(i);
}

void NodeOrder::AppendNamed(std::string_view name, std::vector<Slot>& slots) const {
  for (auto at = order_.lower_bound(Key(std::string(name), std::string()));
       at != order_.end() && at->first.first == name; ++at) {
    slots.push_back(at->second.slot);
  }
}

}  // namespace swarm
