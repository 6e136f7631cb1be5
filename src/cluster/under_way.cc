#include "cluster/under_way.h"

#include <algorithm>
#include <utility>

#include "cluster/await_within.h"

namespace swarm {

UnderWay::Change::Change(UnderWay& all, std::string key, std::string action)
    : all_(all), key_(std::move(key)) {
  reading_.action = std::move(action);
  const std::lock_guard lock(all_.mutex_);
  all_.changes_[key_].push_back(this);
}

UnderWay::Change::~Change() { EndReading(false); }

void UnderWay::Change::BeginReading(bool made) {
  const std::lock_guard lock(all_.mutex_);
  reading_.begun = ++all_.last_;
  if (!made) reading_.action.clear();
}

void UnderWay::Change::EndReading(bool published) {
  std::vector<Callback<bool>> waiting;
  {
    const std::lock_guard lock(all_.mutex_);
    if (std::exchange(is_over_, true)) return;
    const auto found = all_.changes_.find(key_);
    std::erase(found->second, this);
    if (found->second.empty()) all_.changes_.erase(found);
    if (published) {
      all_.finished_.push_back({key_, reading_});
      if (all_.finished_.size() > kMostFinished) all_.finished_.pop_front();
    }
    waiting = std::exchange(waiting_, {});
  }
  for (Callback<bool>& tell : waiting) tell(published);
}

UnderWay::Moment UnderWay::Now() {
  const std::lock_guard lock(mutex_);
  return ++last_;
}

bool UnderWay::Shows(Reading& reading, const Event& event) {
  const bool is_own = IsOwn(reading, event);
  if (is_own) reading.action.clear();
  return is_own || reading.begun == 0 || reading.begun > event.received;
}

bool UnderWay::IsOwn(const Reading& reading, const Event& event) {
  return !reading.action.empty() && reading.action == event.action;
}

void UnderWay::Pass(const Event& event) {
  const std::lock_guard lock(mutex_);
  for (Finished& finished : finished_) {
    if (finished.key != event.key || !IsOwn(finished.reading, event)) continue;
    return finished.reading.action.clear();
  }
  const auto found = changes_.find(event.key);
  if (found == changes_.end()) return;
  for (Change* const change : found->second) {
    if (!IsOwn(change->reading_, event)) continue;
    return change->reading_.action.clear();
  }
}

void UnderWay::ForgetFinished() {
  const std::lock_guard lock(mutex_);
  finished_.clear();
}

UnderWay::Answer UnderWay::Await(const Event& event, Callback<bool> done) {
  const std::lock_guard lock(mutex_);
  for (Finished& finished : finished_) {
    if (finished.key == event.key && Shows(finished.reading, event)) return Answer::kPublished;
  }
  const auto found = changes_.find(event.key);
  if (found == changes_.end()) return Answer::kNone;
  for (Change* const change : found->second) {
    if (!Shows(change->reading_, event)) continue;
    change->waiting_.push_back(std::move(done));
    return Answer::kComing;
  }
  return Answer::kNone;
}

bool UnderWay::Has(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  return changes_.find(key) != changes_.end() ||
         std::any_of(finished_.begin(), finished_.end(),
                     [&key](const Finished& finished) { return finished.key == key; });
}

Task<bool> IsReadByChange(UnderWay& under_way, Loop* loop, UnderWay::Event event,
                          Duration patience) {
  if (!under_way.Has(event.key)) co_return false;
  auto start = [&under_way, &event](Callback<bool> done) {
    auto shared = std::make_shared<Callback<bool>>(std::move(done));
    const UnderWay::Answer answer =
        under_way.Await(event, [shared](bool published) { (*shared)(published); });
    if (answer != UnderWay::Answer::kComing) (*shared)(answer == UnderWay::Answer::kPublished);
  };
  const bool published = co_await AwaitWithin(loop, patience, std::move(start));
  co_return published;
}

}  // namespace swarm
