#include "cluster/hub.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace swarm {
namespace {

constexpr Duration kLongestPingInterval = std::chrono::seconds(5);

}  // namespace

void Cordons::Set(const std::string& address, bool cordoned) {
  const std::lock_guard lock(mutex_);
  if (cordoned) {
    addresses_.insert(address);
  } else {
    addresses_.erase(address);
  }
}

bool Cordons::Has(const std::string& address) const {
  const std::lock_guard lock(mutex_);
  return addresses_.contains(address);
}

std::shared_ptr<Engine> Membership::Find(std::string_view address) const {
  const std::lock_guard lock(mutex_);
  const auto found = engines_.find(address);
  return found == engines_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Engine>> Membership::All() const {
  std::vector<std::shared_ptr<Engine>> engines;
  const std::lock_guard lock(mutex_);
  engines.reserve(engines_.size());
  for (const auto& [address, engine] : engines_) engines.push_back(engine);
  return engines;
}

void Membership::Replace(const std::vector<std::string>& addresses,
                         const std::function<std::shared_ptr<Engine>(const std::string&)>& make,
                         std::vector<std::shared_ptr<Engine>>& left,
                         std::vector<std::shared_ptr<Engine>>& came) {
  const std::set<std::string, std::less<>> wanted(addresses.begin(), addresses.end());
  const std::lock_guard lock(mutex_);
  std::erase_if(engines_, [&](const auto& known) {
    if (wanted.count(known.first) > 0) return false;
    left.push_back(known.second);
    return true;
  });
  for (const std::string& address : wanted) {
    if (engines_.count(address) > 0) continue;
    came.push_back(make(address));
    engines_.emplace(address, came.back());
  }
}

void Membership::Clear() {
  std::map<std::string, std::shared_ptr<Engine>, std::less<>> gone;
  const std::lock_guard lock(mutex_);
  engines_.swap(gone);
}

std::vector<Callback<>> Readiness::TakeIfOver() {
  if (!expected_ || !waiting_.empty()) return {};
  over_.store(true, std::memory_order_release);
  return std::exchange(callbacks_, {});
}

void Readiness::Expect(const std::vector<std::string>& addresses) {
  std::vector<Callback<>> callbacks;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(expected_, true)) return;
    waiting_.insert(addresses.begin(), addresses.end());
    callbacks = TakeIfOver();
  }
  for (Callback<>& callback : callbacks) callback();
}

void Readiness::Tried(const std::string& address) {
  if (ready()) return;
  std::vector<Callback<>> callbacks;
  {
    const std::lock_guard lock(mutex_);
    waiting_.erase(address);
    callbacks = TakeIfOver();
  }
  for (Callback<>& callback : callbacks) callback();
}

void Readiness::When(Callback<> done) {
  {
    const std::lock_guard lock(mutex_);
    if (!ready()) {
      callbacks_.push_back(std::move(done));
      return;
    }
  }
  done();
}

Hub::Hub(EngineClusterOptions given)
    : options(std::move(given)),
      state(options.state, std::move(options.filters), std::move(options.strategy), options.seed),
      bus(options.event_memory == 0 ? kEventHistoryBytes : options.event_memory) {
  SWARM_CHECK(!options.loops.empty(), "a cluster has a loop");
  SWARM_CHECK(options.backend, "a cluster can reach engines");
  options.refresh_max = std::max(options.refresh_min, options.refresh_max);
  const int share = std::max(1, kMostInspects / static_cast<int>(options.loops.size()));
  for (Loop* const loop : options.loops) gates.emplace(loop, std::make_unique<LoopGates>(share));
}

Duration Hub::PingInterval() const { return std::min(options.refresh_min, kLongestPingInterval); }

void Hub::LogClashes() {
  for (const ClashNote& note : state.TakeClashNotes()) {
    Log(options.log, LogLevel::kWarning, "an engine has a container of another node",
        {{"node", note.node}, {"reason", note.text}});
  }
}

Loop* Hub::HomeOf(std::string_view address) const {
  return options.loops[HashOf(address) % options.loops.size()];
}

Loop* Hub::CallersLoop() const {
  Loop* const current = Loop::Current();
  return current != nullptr ? current : options.loops.front();
}

std::uint64_t HashOf(std::string_view text) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;  // FNV-1a
  for (const char letter : text) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 1'099'511'628'211U;
  }
  return hash;
}

}  // namespace swarm
