#include "net/stalled_streams.h"

namespace swarm::net {

StalledStreams::Id StalledStreams::Add(Loop& loop, TimePoint since, std::function<void()> close) {
  const std::lock_guard lock(mutex_);
  const Id id = ++last_id_;
  by_age_.emplace(std::pair(since, id), Stalled{&loop, std::move(close)});
  since_.emplace(id, since);
  return id;
}

void StalledStreams::Remove(Id id) {
  const std::lock_guard lock(mutex_);
  const auto found = since_.find(id);
  if (found == since_.end()) return;
  by_age_.erase({found->second, id});
  since_.erase(found);
}

void StalledStreams::CloseLongestIdle() {
  const std::lock_guard lock(mutex_);
  if (by_age_.empty()) return;
  const auto first = by_age_.begin();
  // Posted with the lock held: the loop lives as long as its stream is named here.
  first->second.loop->Post(std::move(first->second.close));
  since_.erase(first->first.second);
  by_age_.erase(first);
}

std::size_t StalledStreams::size() const {
  const std::lock_guard lock(mutex_);
  return since_.size();
}

}  // namespace swarm::net
