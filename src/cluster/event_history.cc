#include "cluster/event_history.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "wire/events.h"

namespace swarm {
namespace {

// Events of the manager itself have this type.
constexpr std::string_view kNodeType = "node";
constexpr std::string_view kLost = "events_lost";

bool IsOfEngine(const ClusterEvent& event) { return event.type != kNodeType; }

std::string_view NodeNameOf(const ClusterEvent& event) {
  const auto name = event.attributes.find("node.name");
  return name == event.attributes.end() ? std::string_view() : std::string_view(name->second);
}

auto KeyOf(const EventPlace& place) {
  return std::tuple<std::int64_t, std::string_view, std::string_view, std::uint64_t>(
      place.time_nano, place.node_name, place.node, place.sequence);
}

auto KeyOf(const EventPointer& event) {
  return std::tuple<std::int64_t, std::string_view, std::string_view, std::uint64_t>(
      event->time_nano, NodeNameOf(*event), event->node, event->sequence);
}

// Before all events of that time.
EventPlace Before(std::int64_t time_nano) { return {time_nano, {}, {}, 0}; }

}  // namespace

bool EventHistory::ByTime::operator()(const EventPointer& left, const EventPointer& right) const {
  if (left->time_nano != right->time_nano) return left->time_nano < right->time_nano;
  return KeyOf(left) < KeyOf(right);
}

bool EventHistory::ByTime::operator()(const EventPlace& left, const EventPointer& right) const {
  return KeyOf(left) < KeyOf(right);
}

bool EventHistory::ByTime::operator()(const EventPointer& left, const EventPlace& right) const {
  return KeyOf(left) < KeyOf(right);
}

EventPointer EventHistory::Add(ClusterEvent event) {
  event.sequence = ++sequence_;
  const EventPointer added = std::make_shared<const ClusterEvent>(std::move(event));
  const auto followed = followed_.find(added->node);
  if (followed != followed_.end()) {
    if (IsOfEngine(*added)) ++followed->second.count;
    if (added->action == kLost) followed->second.lost_at = added->time_nano;
  }
  kept_.push_back(added);
  by_time_.insert(by_time_.end(), added);  // usually it is the latest
  bytes_ += MemoryOf(*added);
  while (kept_.size() > kKeptEvents || (bytes_ > most_bytes_ && kept_.size() > 1)) DropOldest();
  return added;
}

void EventHistory::DropOldest() {
  const EventPointer oldest = std::move(kept_.front());
  kept_.pop_front();
  if (*by_time_.begin() == oldest) {  // usually
    by_time_.erase(by_time_.begin());
  } else {
    by_time_.erase(oldest);
  }
  bytes_ -= MemoryOf(*oldest);
  last_dropped_ = std::max(last_dropped_, oldest->time_nano);
  const auto followed = followed_.find(oldest->node);
  if (followed == followed_.end() || !IsOfEngine(*oldest)) return;
  KeptEvents::OfNode& of = followed->second;
  of.whole_since = std::max(of.whole_since, oldest->time_nano + 1);
  if (of.count > 0) --of.count;
}

void EventHistory::BeginFollowing(const std::string& node, std::int64_t since_nano) {
  KeptEvents::OfNode& of = followed_[node];
  of.whole_since = since_nano;
  of.count = 0;
}

void EventHistory::EndFollowing(const std::string& node) { followed_.erase(node); }

KeptEvents EventHistory::Between(std::int64_t since_nano, std::int64_t until_nano) const {
  KeptEvents found;
  found.nodes = followed_;
  found.newest = sequence_;
  for (auto at = by_time_.lower_bound(Before(since_nano));
       at != by_time_.end() && (*at)->time_nano <= until_nano; ++at) {
    found.events.push_back(*at);
  }
  return found;
}

EventPage EventHistory::After(std::uint64_t after, std::size_t most) const {
  EventPage page;
  page.lost = after < dropped();
  const std::size_t first = static_cast<std::size_t>(std::max(after, dropped()) - dropped());
  for (std::size_t at = first; at < kept_.size() && page.events.size() < most; ++at) {
    page.events.push_back(kept_[at]);
  }
  return page;
}

EventPage EventHistory::Behind(const EventPlace& place, std::int64_t until_nano,
                               std::uint64_t dropped_before, std::size_t most) const {
  EventPage page;
  page.lost = dropped() > dropped_before && last_dropped_ > place.time_nano;
  for (auto at = by_time_.upper_bound(place);
       at != by_time_.end() && (*at)->time_nano <= until_nano && page.events.size() < most; ++at) {
    page.events.push_back(*at);
  }
  return page;
}

}  // namespace swarm
