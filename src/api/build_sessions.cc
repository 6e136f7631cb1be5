#include "api/build_sessions.h"

#include <algorithm>
#include <utility>

#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr Duration kSweepPause = std::chrono::seconds(10);

Duration KeptFor(BuildSessions::Key::Kind kind) {
  return kind == BuildSessions::Key::Kind::kClient ? BuildSessions::kClientKept
                                                   : BuildSessions::kSessionKept;
}

}  // namespace

BuildSessions::Hold::Hold(std::shared_ptr<BuildSessions> sessions, Keys keys, std::string node)
    : sessions_(std::move(sessions)), keys_(std::move(keys)), node_(std::move(node)) {
  sessions_->Opened(keys_, node_);
}

BuildSessions::Hold::~Hold() { sessions_->Closed(keys_, node_); }

BuildSessions::Entry* BuildSessions::Find(const Key& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  Entry& entry = found->second;
  if (entry.open == 0 && clock_.Now() - entry.touched >= KeptFor(key.kind)) {
    entries_.erase(found);
    return nullptr;
  }
  return &entry;
}

std::string BuildSessions::NodeOf(const Keys& keys) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Key& key : keys) {
    if (const Entry* entry = Find(key)) return entry->node;
  }
  return {};
}

std::string BuildSessions::OpenNodeOf(const Keys& keys) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Key& key : keys) {
    const Entry* entry = Find(key);
    if (entry != nullptr && entry->open > 0) return entry->node;
  }
  return {};
}

absl::StatusOr<std::string> BuildSessions::Decide(const Keys& keys, const std::string& node) {
  std::string decided = node;
  std::vector<Callback<std::string>> told;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    Sweep();
    std::size_t fresh = 0;
    for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
      if (const Entry* entry = Find(*key)) {
        decided = entry->node;
      } else {
        ++fresh;
      }
    }
    if (!MakeRoom(fresh)) {
      return HttpError(503, "more than " + std::to_string(kMostKeys) +
                                " builds are under way: try again when some have ended");
    }
    for (const Key& key : keys) {
      if (Find(key) == nullptr) entries_[key] = Entry{decided, 0, clock_.Now()};
    }
    for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
      const Keys& awaited = waiter->second.keys;
      const bool is_awaited = std::find_first_of(awaited.begin(), awaited.end(), keys.begin(),
                                                 keys.end()) != awaited.end();
      if (is_awaited) {
        told.push_back(std::move(waiter->second.decided));
        waiter = waiters_.erase(waiter);
      } else {
        ++waiter;
      }
    }
  }
  for (Callback<std::string>& tell : told) tell(decided);
  return decided;
}

void BuildSessions::Forget(const Key& key) {
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.erase(key);
}

BuildSessions::WaitId BuildSessions::Await(const Keys& keys, Callback<std::string> decided) {
  std::string known;
  WaitId id = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const Key& key : keys) {
      const Entry* entry = Find(key);
      if (entry != nullptr && known.empty()) known = entry->node;
    }
    if (known.empty() && waiters_.size() >= kMostWaiting) return 0;
    id = ++last_id_;
    if (known.empty()) {
      waiters_.emplace(id, Waiter{keys, std::move(decided)});
      return id;
    }
  }
  decided(std::move(known));
  return id;
}

void BuildSessions::GiveUp(WaitId id) {
  Callback<std::string> dropped;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) return;
  dropped = std::move(found->second.decided);
  waiters_.erase(found);
}

void BuildSessions::Opened(const Keys& keys, const std::string& node) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Key& key : keys) {
    Entry* const entry = Find(key);
    if (entry != nullptr && entry->node == node) ++entry->open;
  }
  ++nodes_[node].open;
}

void BuildSessions::Closed(const Keys& keys, const std::string& node) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Key& key : keys) {
    const auto found = entries_.find(key);
    // Decided anew meanwhile, for another node.
    if (found == entries_.end() || found->second.node != node || found->second.open == 0) continue;
    --found->second.open;
    found->second.touched = clock_.Now();
  }
  Use& use = nodes_[node];
  --use.open;
  use.closed = clock_.Now();
  Sweep();
}

std::size_t BuildSessions::OpenOn(const std::string& node) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? 0 : found->second.open;
}

std::vector<std::string> BuildSessions::FreshNodes() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> fresh;
  for (const auto& [node, use] : nodes_) {
    if (use.open > 0 || clock_.Now() - use.closed < kFreshFor) fresh.push_back(node);
  }
  return fresh;
}

std::size_t BuildSessions::size() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return entries_.size();
}

// Each look-up drops what is too old; this drops what nobody looks up.
void BuildSessions::Sweep() {
  const TimePoint now = clock_.Now();
  if (now - swept_ < kSweepPause) return;
  swept_ = now;
  std::erase_if(entries_, [now](const auto& known) {
    return known.second.open == 0 && now - known.second.touched >= KeptFor(known.first.kind);
  });
  std::erase_if(nodes_, [now](const auto& known) {
    return known.second.open == 0 && now - known.second.closed >= kFreshFor;
  });
}

// The oldest that is closed goes first.
bool BuildSessions::MakeRoom(std::size_t wanted) {
  while (entries_.size() + wanted > kMostKeys) {
    auto oldest = entries_.end();
    for (auto at = entries_.begin(); at != entries_.end(); ++at) {
      if (at->second.open > 0) continue;
      if (oldest == entries_.end() || at->second.touched < oldest->second.touched) oldest = at;
    }
    if (oldest == entries_.end()) return false;
    entries_.erase(oldest);
  }
  return true;
}

}  // namespace swarm
